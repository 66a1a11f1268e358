#include "gui/widgets/segmented.h"

#include <QHBoxLayout>

namespace meander::gui {
namespace {

// Comfortable where there is room; in a narrow window it gives way as far as its text.
class Segment : public QToolButton {
public:
    using QToolButton::QToolButton;
    QSize sizeHint() const override { return {std::max(62, textWidth() + 30), QToolButton::sizeHint().height()}; }
    QSize minimumSizeHint() const override { return {textWidth() + 9, sizeHint().height()}; }

private:
    int textWidth() const { return fontMetrics().horizontalAdvance(text()); }
};

}  // namespace

Segmented::Segmented(const QStringList& texts, const QStringList& tooltips, QWidget* parent)
    : QWidget(parent), m_group(new QButtonGroup(this)) {
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    for (int i = 0; i < texts.size(); ++i) {
        auto* b = new Segment(this);
        b->setText(texts[i]);
        b->setToolTip(tooltips.value(i));
        b->setAccessibleName(tooltips.value(i, texts[i]));
        b->setCheckable(true);
        b->setProperty("segment", i == 0 ? "first" : i + 1 == texts.size() ? "last" : "middle");
        m_group->addButton(b, i);
        box->addWidget(b);
    }
    connect(m_group, &QButtonGroup::idClicked, this, &Segmented::chosen);
}

void Segmented::setCurrent(int index) {
    if (QAbstractButton* b = m_group->button(index)) b->setChecked(true);
}

}  // namespace meander::gui
