#include "gui/panels/lab/lab_panel.h"

#include <QVBoxLayout>

#include "gui/look/theme.h"
#include "gui/panels/lab/lab_form.h"

namespace meander::gui {

LabPanel::LabPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      m_which(new Segmented({tr("Convergence"), tr("Stability")},
                            {tr("Error against evaluations, and the order fitted to it"),
                             tr("Where a step damps, over the complex plane")},
                            this)),
      m_views(new QStackedWidget(this)),
      m_convergence(new ConvergenceView(document, m_views)),
      m_stability(new StabilityView(document, m_views)) {
    setObjectName("labPanel");
    setProperty("panel", true);
    setProperty("helpPage", "convergence.md");
    setAttribute(Qt::WA_StyledBackground);
    m_views->addWidget(m_convergence);
    m_views->addWidget(m_stability);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->addWidget(m_views, 1);
    connect(m_which, &Segmented::chosen, this, &LabPanel::showView);
    showView(0);
}

void LabPanel::showView(int index) {
    m_which->setCurrent(index);
    m_views->setCurrentIndex(index);
    (index == 0 ? m_convergence->form() : m_stability->form())->setHead(m_which);
}

}  // namespace meander::gui
