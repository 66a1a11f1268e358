#include "gui/panels/diagnostics/diagnostic_card.h"

#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "gui/look/theme.h"
#include "gui/plots/axis.h"

namespace meander::gui {

DiagnosticCard::DiagnosticCard(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void DiagnosticCard::setDiagnostic(const Diagnostic& diagnostic, const QColor& curve) {
    m_diagnostic = diagnostic;
    m_curve = curve;
    setToolTip(QString::fromStdString(diagnostic.label + "\n" + diagnostic.formula + "\n" + diagnostic.reading));
    setAccessibleName(QString::fromStdString(diagnostic.label));
    update();
}

void DiagnosticCard::setSnapPoint(std::optional<int> snapPoint) {
    if (snapPoint && (*snapPoint < 0 || *snapPoint >= int(m_diagnostic.values.size()))) snapPoint.reset();
    if (m_snapPoint == snapPoint) return;
    m_snapPoint = snapPoint;
    setAccessibleDescription(valueText() + QStringLiteral(" ") + unitText() + QStringLiteral(". ")
                             + QString::fromStdString(m_diagnostic.reading));
    update();
}

// Where the run stands out: the greatest value, of decibels the lowest.
std::optional<int> DiagnosticCard::extreme() const {
    std::optional<int> at;
    const auto& v = m_diagnostic.values;
    const bool wantsLow = m_diagnostic.unit == "dB";
    for (std::size_t i = 0; i < v.size(); ++i)
        if (std::isfinite(v[i]) && (!at || (wantsLow ? v[i] < v[std::size_t(*at)] : v[i] > v[std::size_t(*at)])))
            at = int(i);
    return at;
}

QString DiagnosticCard::valueText() const {
    const auto peak = extreme();
    const double v = m_snapPoint                           ? m_diagnostic.values[std::size_t(*m_snapPoint)]
                     : std::isfinite(m_diagnostic.summary) ? m_diagnostic.summary
                     : peak                                ? m_diagnostic.values[std::size_t(*peak)]
                                                           : std::nan("");
    if (!std::isfinite(v)) return v > 0 ? QStringLiteral("∞") : QStringLiteral("–");
    const QString unit = QString::fromStdString(m_diagnostic.unit);
    return unit == QStringLiteral("°")    ? formatNumber(v) + unit
           : unit == QStringLiteral("dB") ? formatNumber(v) + QStringLiteral(" dB")
                                          : formatNumber(v);
}

QString DiagnosticCard::unitText() const {
    const QString unit = QString::fromStdString(m_diagnostic.unit);
    return unit == QStringLiteral("°") || unit == QStringLiteral("dB") ? QString()
           : unit.isEmpty()                                            ? tr("ratio")
                                                                       : unit;
}

QString DiagnosticCard::noteText() const {
    if (m_snapPoint) return {};
    if (std::isfinite(m_diagnostic.summary)) return QString::fromStdString(m_diagnostic.summaryLabel);
    const auto at = extreme();
    return !at ? QString() : m_diagnostic.unit == "dB" ? tr("lowest, step %1").arg(*at) : tr("peak, step %1").arg(*at);
}

std::optional<int> DiagnosticCard::snapPointAt(const std::vector<double>& values, const QRectF& area, double x) {
    if (values.empty() || area.width() <= 0) return {};
    const double u = std::clamp((x - area.left()) / area.width(), 0.0, 1.0);
    return int(std::lround(u * double(values.size() - 1)));
}

DiagnosticCard::Lines DiagnosticCard::lines() {
    const auto height = [](const QFont& f) { return double(QFontMetrics(f).height()); };
    const double value = 9 + height(interfaceFont(9.5)), note = value + height(numberFont(14));
    return {8, value, note, note + height(interfaceFont(8.5)) + 10};
}

QSize DiagnosticCard::sizeHint() const { return {260, std::max(80, int(lines().height))}; }

void DiagnosticCard::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange) updateGeometry();
    QWidget::changeEvent(event);
}

QRectF DiagnosticCard::curveArea() const {
    const double left = std::max(118.0, width() * 0.46), top = lines().value + 4;
    return QRectF(left, top, width() - left - 14, height() - top - 14);
}

void DiagnosticCard::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(t.dark ? QPen(Qt::NoPen) : QPen(t.line));
    p.setBrush(t.raised);
    p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::cardRadius, metrics::cardRadius);
    p.setPen(t.muted);
    p.setFont(interfaceFont(9.5));
    const Lines at = lines();
    const QRectF title(12, at.title, width() - 24, at.value - at.title);
    p.drawText(
        title, Qt::AlignLeft | Qt::AlignVCenter,
        p.fontMetrics().elidedText(QString::fromStdString(m_diagnostic.label), Qt::ElideRight, int(title.width())));
    p.setPen(t.text);
    p.setFont(numberFont(14));
    const double right = curveArea().left() - 4;
    p.drawText(QRectF(12, at.value, right - 12, at.note - at.value), Qt::AlignLeft | Qt::AlignVCenter, valueText());
    const double unitLeft = 12 + p.fontMetrics().horizontalAdvance(valueText()) + 6;
    p.setPen(t.dim);
    p.setFont(interfaceFont(8.5));
    // The unit beside the number where it fits, the note below; at a step there is no note and the unit has its place.
    const QFontMetrics small(p.font());
    const bool fits = unitLeft + small.horizontalAdvance(unitText()) <= right;
    const QString note = noteText(), below = note.isEmpty() ? unitText()
                                             : fits         ? note
                                                            : unitText() + QStringLiteral(" · ") + note;
    if (!note.isEmpty() && fits)
        p.drawText(QRectF(unitLeft, at.value + 2, right - unitLeft, at.note - at.value - 2),
                   Qt::AlignLeft | Qt::AlignVCenter, unitText());
    p.drawText(QRectF(12, at.note, right - 12, at.height - at.note - 8), Qt::AlignLeft | Qt::AlignVCenter,
               small.elidedText(below, Qt::ElideRight, int(right - 12)));
    paintCurve(p);
}

void DiagnosticCard::paintCurve(QPainter& p) const {
    const auto& v = m_diagnostic.values;
    double lo = INFINITY, hi = -INFINITY;
    for (double x : v)
        if (std::isfinite(x)) {
            lo = std::min(lo, x);
            hi = std::max(hi, x);
        }
    if (!(hi >= lo)) return;
    if (hi - lo < 1e-12 * std::abs(hi)) lo -= 1, hi += 1;
    const QRectF a = curveArea();
    const auto at = [&](std::size_t i) {
        return QPointF(a.left() + a.width() * (v.size() < 2 ? 0.5 : double(i) / double(v.size() - 1)),
                       a.bottom() - a.height() * (v[i] - lo) / (hi - lo));
    };
    QPainterPath path;
    bool open = false;
    for (std::size_t i = 0; i < v.size(); ++i) {
        if (!std::isfinite(v[i])) {
            open = false;
            continue;
        }
        if (open) path.lineTo(at(i));
        else path.moveTo(at(i));
        open = true;
    }
    p.setBrush(Qt::NoBrush);
    p.setPen(QPen(m_curve, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    p.drawPath(path);
    if (!m_snapPoint) return;
    const double x = a.left() + a.width() * (v.size() < 2 ? 0.5 : double(*m_snapPoint) / double(v.size() - 1));
    p.setPen(QPen(theme().muted, 1));
    p.drawLine(QPointF(x, a.top() - 4), QPointF(x, a.bottom() + 4));
    if (!std::isfinite(v[std::size_t(*m_snapPoint)])) return;
    p.setPen(Qt::NoPen);
    p.setBrush(m_curve);
    p.drawEllipse(at(std::size_t(*m_snapPoint)), 3, 3);
}

void DiagnosticCard::mouseMoveEvent(QMouseEvent* e) {
    const QRectF a = curveArea();
    if (!a.adjusted(-6, -20, 6, 20).contains(e->position())) return emit hoverLeft();
    if (const auto snapPoint = snapPointAt(m_diagnostic.values, a, e->position().x()))
        emit snapPointHovered(*snapPoint);
}

void DiagnosticCard::mousePressEvent(QMouseEvent* e) {
    const QRectF a = curveArea();
    if (e->button() != Qt::LeftButton || !a.adjusted(-6, -20, 6, 20).contains(e->position())) return;
    if (const auto snapPoint = snapPointAt(m_diagnostic.values, a, e->position().x()))
        emit snapPointClicked(*snapPoint);
}

void DiagnosticCard::leaveEvent(QEvent*) { emit hoverLeft(); }

}  // namespace meander::gui
