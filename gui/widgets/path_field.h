// The path of a file: typed (it counts at Enter or when the field is left), chosen in a dialog, or dropped.
#pragma once
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMimeData>
#include <QToolButton>
#include <QUrl>

#include "gui/look/icons.h"
#include "gui/look/theme.h"

namespace meander::gui {

class PathField : public QWidget {
    Q_OBJECT
public:
    explicit PathField(const QString& filter, QWidget* parent = nullptr)
        : QWidget(parent), m_edit(new QLineEdit(this)), m_choose(new QToolButton(this)) {
        m_edit->setFont(numberFont());
        m_edit->setPlaceholderText(tr("none"));
        m_edit->setAcceptDrops(false);
        m_choose->setIcon(icon("folder", IconTone::Muted));
        m_choose->setProperty("flat", true);
        m_choose->setToolTip(tr("Choose a file"));
        m_choose->setAccessibleName(tr("Choose a file"));
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(4);
        row->addWidget(m_edit, 1);
        row->addWidget(m_choose);
        setFocusProxy(m_edit);
        setAcceptDrops(true);
        setProperty("takesFiles", true);  // before the window, which opens what is dropped elsewhere
        connect(m_edit, &QLineEdit::editingFinished, this, [this] { choose(m_edit->text()); });
        connect(m_choose, &QToolButton::clicked, this, [this, filter] {
            const QString path = QFileDialog::getOpenFileName(this, tr("Choose a file"), m_edit->text(), filter);
            if (!path.isEmpty()) choose(path);
        });
    }
    // The path that holds. The same one again leaves alone what is being typed.
    void setPath(const QString& path) {
        if (path == m_path && m_edit->isModified()) return;
        m_path = path;
        if (m_edit->text() != path) m_edit->setText(path);
        m_edit->setToolTip(path);
    }
    QLineEdit* edit() const { return m_edit; }

signals:
    void edited(const QString& path);

protected:
    void dragEnterEvent(QDragEnterEvent* e) override {
        if (e->mimeData()->hasUrls() && e->mimeData()->urls().front().isLocalFile()) e->acceptProposedAction();
    }
    void dropEvent(QDropEvent* e) override {
        choose(e->mimeData()->urls().front().toLocalFile());
        e->acceptProposedAction();
    }

private:
    void choose(const QString& path) {
        if (path == m_path) return;
        m_edit->setModified(false);
        setPath(path);
        emit edited(path);
    }
    QString m_path;
    QLineEdit* m_edit;
    QToolButton* m_choose;
};

}  // namespace meander::gui
