#include "gui/panels/attention/head_grid.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <cmath>
#include <limits>

#include "gui/look/theme.h"
#include "gui/plots/color_map.h"
#include "gui/widgets/focus.h"

namespace meander::gui {

HeadGrid::HeadGrid(SelectionModel& selection, QWidget* parent) : QWidget(parent), m_selection(selection) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Heads, entropy ÷ log N"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&selection, &SelectionModel::attentionChanged, this, qOverload<>(&QWidget::update));
}

void HeadGrid::setMatrix(const HeadMatrix& matrix) {
    m_matrix = matrix;
    m_sites = m_heads = 0;
    for (const auto& r : m_matrix.rows) {
        m_sites = std::max(m_sites, r.site + 1);
        m_heads = std::max(m_heads, r.head + 1);
    }
    updateGeometry();
    update();
}

void HeadGrid::setEvaluation(int evaluation) {
    int column = int(m_matrix.evaluations.size()) - 1;
    for (std::size_t i = 0; i < m_matrix.evaluations.size(); ++i)
        if (evaluation >= 0 && m_matrix.evaluations[i] <= evaluation) column = int(i);
    if (m_column == column && m_lastColumn == column) return;
    m_column = m_lastColumn = column;
    update();
}

void HeadGrid::setEvaluations(int first, int last) {
    int from = -1, to = -1;
    for (std::size_t i = 0; i < m_matrix.evaluations.size(); ++i)
        if (m_matrix.evaluations[i] >= first && m_matrix.evaluations[i] <= last) {
            if (from < 0) from = int(i);
            to = int(i);
        }
    if (from < 0 || (m_column == from && m_lastColumn == to)) return;
    m_column = from;
    m_lastColumn = to;
    update();
}

double HeadGrid::entropyAt(int site, int head) const {
    const std::size_t columns = m_matrix.evaluations.size();
    for (std::size_t r = 0; r < m_matrix.rows.size(); ++r)
        if (m_matrix.rows[r].site == site && m_matrix.rows[r].head == head && m_column >= 0
            && m_lastColumn < int(columns)) {
            double sum = 0;
            int n = 0;
            for (int c = m_column; c <= m_lastColumn; ++c)
                if (const double v = m_matrix.values[r * columns + std::size_t(c)]; !std::isnan(v)) sum += v, ++n;
            if (n > 0) return sum / n;
        }
    return std::numeric_limits<double>::quiet_NaN();
}

QRectF HeadGrid::cellRect(int site, int head) const {
    const double label = QFontMetricsF(numberFont(7.5)).horizontalAdvance(QStringLiteral("L00")) + 6;
    const double w = (width() - label) / std::max(1, m_heads), h = double(height()) / std::max(1, m_sites);
    return QRectF(label + head * w, site * h, w, h).adjusted(1.5, 1.5, -1.5, -1.5);
}

void HeadGrid::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setFont(numberFont(7.5));
    for (int s = 0; s < m_sites; ++s) {
        p.setPen(s == m_selection.attentionSite() ? t.text : t.dim);
        p.drawText(QRectF(0, cellRect(s, 0).top(), 30, cellRect(s, 0).height()), Qt::AlignLeft | Qt::AlignVCenter,
                   QStringLiteral("L%1").arg(s));
        for (int h = 0; h < m_heads; ++h) {
            const double v = entropyAt(s, h);
            const QRectF r = cellRect(s, h);
            p.setPen(Qt::NoPen);
            p.setBrush(std::isnan(v) ? t.raised : QColor(colorOf(ColorMap::Viridis, v)));
            p.drawRoundedRect(r, 3, 3);
            if (const double scale = m_scaleOf ? m_scaleOf(s, h) : 1; scale != 1) {
                p.setPen(QPen(t.background, 3));
                for (const QPen& pen : {QPen(t.background, 3.4), QPen(t.text, 1.4)}) {
                    p.setPen(pen);
                    const QRectF mark = QRectF(QPointF(), QSizeF(8, 8)).translated(r.center() - QPointF(4, 4));
                    p.drawLine(mark.topLeft(), mark.bottomRight());
                    if (scale == 0) p.drawLine(mark.topRight(), mark.bottomLeft());
                }
            }
            const bool isSite = m_selection.attentionSite() == s, isHead = m_selection.attentionHead() == h;
            if ((isSite && (isHead || m_selection.attentionHead() < 0))
                || (m_selection.attentionSite() < 0 && isHead)) {
                p.setBrush(Qt::NoBrush);
                p.setPen(QPen(t.background, 3));
                p.drawRoundedRect(r, 3, 3);
                p.setPen(QPen(t.text, 1.6));
                p.drawRoundedRect(r, 3, 3);
            }
        }
    }
    if (hasKeyboardFocus(this)) {
        p.setPen(QPen(t.accent, 1));
        p.setBrush(Qt::NoBrush);
        p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
}

std::optional<std::pair<int, int>> HeadGrid::cellAt(QPointF at) const {
    for (int s = 0; s < m_sites; ++s)
        for (int h = 0; h < m_heads; ++h)
            if (cellRect(s, h).adjusted(-1.5, -1.5, 1.5, 1.5).contains(at)) return std::pair(s, h);
    return {};
}

void HeadGrid::choose(int site, int head) {
    m_selection.setAttentionSite(site);
    m_selection.setAttentionHead(head);
    setAccessibleDescription(
        site < 0 ? tr("mean of all layers and heads")
                 : tr("layer %1, head %2, entropy %3").arg(site).arg(head).arg(entropyAt(site, head), 0, 'f', 2));
}

void HeadGrid::mousePressEvent(QMouseEvent* event) {
    const auto cell = cellAt(event->position());
    if (!cell) {
        // The label: the whole layer.
        for (int s = 0; s < m_sites; ++s)
            if (const QRectF r = cellRect(s, 0); event->position().x() < r.left() && event->position().y() >= r.top()
                                                 && event->position().y() <= r.bottom())
                choose(s, -1);
        return;
    }
    const bool isSame = cell->first == m_selection.attentionSite() && cell->second == m_selection.attentionHead();
    isSame ? choose(-1, -1) : choose(cell->first, cell->second);
}

// The second press of a double click has taken the choice back.
void HeadGrid::mouseDoubleClickEvent(QMouseEvent* event) {
    const auto cell = cellAt(event->position());
    if (!cell) return;
    choose(cell->first, cell->second);
    emit soloRequested(cell->first, cell->second);
}

void HeadGrid::keyPressEvent(QKeyEvent* event) {
    int s = std::max(0, m_selection.attentionSite()), h = std::max(0, m_selection.attentionHead());
    switch (event->key()) {
    case Qt::Key_Left: --h; break;
    case Qt::Key_Right: ++h; break;
    case Qt::Key_Up: --s; break;
    case Qt::Key_Down: ++s; break;
    case Qt::Key_Escape: return choose(-1, -1);
    case Qt::Key_M:
        if (m_selection.attentionSite() >= 0 && m_selection.attentionHead() >= 0)
            emit muteRequested(m_selection.attentionSite(), m_selection.attentionHead());
        return;
    default: return QWidget::keyPressEvent(event);
    }
    if (m_sites > 0) choose(std::clamp(s, 0, m_sites - 1), std::clamp(h, 0, m_heads - 1));
}

bool HeadGrid::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        if (const auto cell = cellAt(help->pos()))
            QToolTip::showText(
                help->globalPos(),
                tr("layer %1, head %2 · entropy %3 (0: one token, 1: uniform)\nM: mute it in the draft · "
                   "double click: mute the others of its layer")
                    .arg(cell->first)
                    .arg(cell->second)
                    .arg(entropyAt(cell->first, cell->second), 0, 'f', 2),
                this);
        else QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

}  // namespace meander::gui
