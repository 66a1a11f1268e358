#include "gui/widgets/dock_title.h"

#include <QPainter>
#include <QStyle>

#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/elided_label.h"

namespace meander::gui {
namespace {

// Whether a hidden button keeps its place, so that nothing moves under the pointer when it appears.
void keepRoom(QWidget* button, bool on) {
    QSizePolicy policy = button->sizePolicy();
    policy.setRetainSizeWhenHidden(on);
    button->setSizePolicy(policy);
}

QToolButton* titleButton(const QString& iconName, const QString& tooltip, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setIcon(icon(iconName, IconTone::Muted));
    b->setIconSize({13, 13});
    b->setFixedSize(20, 20);
    b->setProperty("flat", true);
    b->setFocusPolicy(Qt::NoFocus);
    b->setToolTip(tooltip);
    b->setAccessibleName(tooltip);
    keepRoom(b, true);
    b->hide();
    return b;
}

}  // namespace

DockTitle::DockTitle(QDockWidget* dock)
    : QWidget(dock),
      m_dock(dock),
      m_name(new QLabel(dock->windowTitle(), this)),
      m_remark(new ElidedLabel(this)),
      m_float(titleButton("float", tr("Float or dock"), this)),
      m_close(titleButton("close", tr("Close the panel"), this)) {
    m_name->setFont(headFont());
    m_name->setProperty("muted", true);
    m_remark->setProperty("dim", true);
    m_remark->setFont(interfaceFont(8.8));
    m_remark->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_box = new QHBoxLayout(this);
    m_box->setContentsMargins(12, 0, 10, 0);
    m_box->setSpacing(4);
    m_box->addWidget(m_name);
    m_box->addWidget(m_remark, 100);  // what is left; nothing when it is empty
    m_box->addStretch(1);
    m_box->addWidget(m_float);
    m_box->addWidget(m_close);
    connect(m_float, &QToolButton::clicked, dock, [dock] { dock->setFloating(!dock->isFloating()); });
    connect(m_close, &QToolButton::clicked, dock, &QDockWidget::close);
    connect(dock, &QWidget::windowTitleChanged, m_name, &QLabel::setText);
}

void DockTitle::setRemark(const QString& text, bool isWarning) {
    m_remark->setText(text);
    m_remark->setVisible(!m_collapsed && !text.isEmpty());
    m_remark->setProperty("dim", !isWarning);
    m_remark->setProperty("warning", isWarning);
    m_remark->style()->unpolish(m_remark);
    m_remark->style()->polish(m_remark);
    m_remark->setFont(interfaceFont(8.8));  // polishing brings back the size of an earlier text size
}

void DockTitle::setCollapsed(bool on) {
    if (m_collapsed == on) return;
    m_collapsed = on;
    m_name->setVisible(!on);
    for (QWidget* b : {m_float, m_close}) keepRoom(b, !on);
    m_remark->setVisible(!on && !m_remark->text().isEmpty());
    setMaximumHeight(on && !m_controls ? 0 : QWIDGETSIZE_MAX);
    updateGeometry();
    // The dock's own layout looks at its title only when told so.
    m_dock->setTitleBarWidget(this);
}

void DockTitle::setControls(QWidget* controls) {
    m_controls = controls;
    m_box->insertSpacing(1, 10);
    m_box->insertWidget(2, controls, 100);
    m_box->setStretchFactor(m_remark, 0);
    m_remark->hide();
    updateGeometry();
}

QSize DockTitle::sizeHint() const {
    const int name = m_collapsed ? 0 : m_name->fontMetrics().height() + 16,
              controls = m_controls ? m_controls->sizeHint().height() + 8 : 0;
    return {160, std::max(name, controls)};
}

void DockTitle::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.fillRect(rect(), theme().panel);
}

void DockTitle::enterEvent(QEnterEvent*) {
    m_float->setVisible(!m_collapsed);
    m_close->setVisible(!m_collapsed && m_dock->features().testFlag(QDockWidget::DockWidgetClosable));
}

void DockTitle::leaveEvent(QEvent*) {
    m_float->hide();
    m_close->hide();
}

}  // namespace meander::gui
