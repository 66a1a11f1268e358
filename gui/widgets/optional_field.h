// A field that may be left out: a box to tick, and beside it the field, or what holds while it is left out.
#pragma once
#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>

namespace meander::gui {

class OptionalField : public QWidget {
    Q_OBJECT
public:
    OptionalField(QWidget* field, const QString& whenAbsent, QWidget* parent = nullptr)
        : QWidget(parent), m_box(new QCheckBox(this)), m_field(field), m_absent(new QLabel(whenAbsent, this)) {
        m_box->setAccessibleName(tr("Set it"));
        m_absent->setProperty("dim", true);
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(6);
        row->addWidget(m_box);
        row->addWidget(m_absent, 1);
        row->addWidget(m_field, 1);
        setFocusProxy(m_box);
        connect(m_box, &QCheckBox::clicked, this, &OptionalField::switched);
        setPresent(false);
    }
    void setPresent(bool on) {
        m_box->setChecked(on);
        m_field->setVisible(on);
        m_absent->setVisible(!on);
    }
    bool isPresent() const { return m_box->isChecked(); }
    QCheckBox* box() const { return m_box; }

signals:
    void switched(bool on);  // by a person

private:
    QCheckBox* m_box;
    QWidget* m_field;
    QLabel* m_absent;
};

}  // namespace meander::gui
