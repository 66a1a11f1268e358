#include "gui/widgets/segmented.h"

#include <QHBoxLayout>

namespace meander::gui {

Segmented::Segmented(const QStringList& texts, const QStringList& tooltips, QWidget* parent) : QWidget(parent), m_group(new QButtonGroup(this)) {
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    for (int i = 0; i < texts.size(); ++i) {
        auto* b = new QToolButton(this);
        b->setText(texts[i]);
        b->setToolTip(tooltips.value(i));
        b->setAccessibleName(tooltips.value(i, texts[i]));
        b->setCheckable(true);
        b->setProperty("segment", i == 0 ? "first" : i + 1 == texts.size() ? "last" : "middle");
        b->setMinimumWidth(62);
        m_group->addButton(b, i);
        box->addWidget(b);
    }
    connect(m_group, &QButtonGroup::idClicked, this, &Segmented::chosen);
}

void Segmented::setCurrent(int index) {
    if (QAbstractButton* b = m_group->button(index)) b->setChecked(true);
}

}  // namespace meander::gui
