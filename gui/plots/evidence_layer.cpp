#include "gui/plots/evidence_layer.h"

#include <algorithm>
#include <cmath>

namespace meander::gui {

double EvidenceLayer::largest() const {
    double most = 0;
    for (const Bar& b : bars)
        if (std::isfinite(b.value)) most = std::max(most, b.value);
    return most;
}

void EvidenceLayer::paint(QPainter& p, const PlotFrame& f, const Theme&) const {
    const double most = largest();
    if (!(most > 0)) return;
    QColor fill = color;
    fill.setAlphaF(float(opacity));
    p.setPen(Qt::NoPen);
    p.setBrush(fill);
    for (const Bar& b : bars) {
        if (!std::isfinite(b.value) || b.value <= 0) continue;
        const double left = std::clamp(f.px(b.from), f.area.left(), f.area.right()),
                     right = std::clamp(f.px(b.to), f.area.left(), f.area.right());
        if (std::abs(right - left) < 1) continue;
        const double gap = std::min(4.0, std::abs(right - left) * 0.08),
                     top = b.value / most * height * f.area.height();
        QRectF r(QPointF(std::min(left, right) + gap, f.area.bottom() - std::max(1.0, top)),
                 QPointF(std::max(left, right) - gap, f.area.bottom()));
        p.drawRoundedRect(r, 2, 2);
    }
}

void EvidenceLayer::addRows(QVector<QStringList>& rows) const {
    for (const Bar& b : bars)
        rows.push_back({name, QString::number((b.from + b.to) / 2, 'g', 9), QString::number(b.value, 'g', 9)});
}

}  // namespace meander::gui
