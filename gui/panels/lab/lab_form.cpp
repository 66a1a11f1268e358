#include "gui/panels/lab/lab_form.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QPainter>
#include <QScrollArea>
#include <QToolButton>

#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/elided_label.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

LabForm::LabForm(QWidget* parent) : QWidget(parent) {
    auto* scroll = new QScrollArea(this);
    auto* content = new QWidget(scroll->viewport());
    content->setProperty("panel", true);
    m_rows = new QVBoxLayout(content);
    m_rows->setContentsMargins(metrics::panelPadding, metrics::grid, metrics::grid, metrics::grid);
    m_rows->setSpacing(metrics::rowGap);
    m_rows->addStretch();
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_foot = new QVBoxLayout;
    m_foot->setContentsMargins(metrics::panelPadding, metrics::grid, metrics::panelPadding, metrics::grid);
    m_foot->setSpacing(metrics::rowGap);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    m_head = new QVBoxLayout;
    m_head->setContentsMargins(metrics::panelPadding, metrics::rowGap, metrics::panelPadding, metrics::grid);
    box->addLayout(m_head);
    box->addWidget(scroll, 1);
    box->addLayout(m_foot);
    setFixedWidth(columnWidth());
}

int LabForm::columnWidth() {
    return formLabelWidth()
           + QFontMetrics(interfaceFont()).horizontalAdvance(QStringLiteral("variance exploding, in full")) + 70;
}

void LabForm::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange) setFixedWidth(columnWidth());
    QWidget::changeEvent(event);
}

void LabForm::add(const QString& label, QWidget* field, const QString& help) {
    auto* row = new FormRow(label, field);
    row->setHelp(help);
    addWide(row);
}

void LabForm::addWide(QWidget* widget) { m_rows->insertWidget(m_rows->count() - 1, widget); }

void LabForm::setHead(QWidget* widget) { m_head->addWidget(widget, 0, Qt::AlignLeft); }

void LabForm::setFoot(const QList<QWidget*>& widgets) {
    for (QWidget* w : widgets) m_foot->addWidget(w);
}

LabChip::LabChip(RunStyle style, const QString& name, QWidget* parent) : QWidget(parent), m_style(std::move(style)) {
    auto* label = new ElidedLabel(this);
    label->setText(name);
    auto* remove = new QToolButton(this);
    remove->setIcon(icon("close", IconTone::Muted));
    remove->setIconSize({12, 12});
    remove->setFixedSize(22, 22);
    remove->setProperty("flat", true);
    remove->setFocusPolicy(Qt::TabFocus);
    remove->setToolTip(tr("Take %1 out").arg(name));
    remove->setAccessibleName(remove->toolTip());
    connect(remove, &QToolButton::clicked, this, &LabChip::removed);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(28, 0, 0, 0);
    row->setSpacing(4);
    row->addWidget(label, 1);
    row->addWidget(remove);
}

void LabChip::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(m_style.pen(1.8));
    p.drawLine(QPointF(2, height() / 2.0), QPointF(20, height() / 2.0));
    drawMarker(p, m_style.marker, {11, height() / 2.0}, 2.6, m_style.color);
}

QPushButton* labButton(const QString& text, QWidget* parent) {
    auto* b = new QPushButton(text, parent);
    b->setProperty("link", true);
    return b;
}

}  // namespace meander::gui
