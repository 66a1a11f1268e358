#include "gui/plots/run_style.h"

#include <array>

namespace meander::gui {

QPen RunStyle::pen(double width) const {
    QPen pen(color, width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
    if (!dash.isEmpty()) {
        pen.setDashPattern(dash);
        pen.setCapStyle(Qt::FlatCap);
    }
    return pen;
}

RunStyle runStyle(int index, const Theme& theme) {
    static const std::array<QVector<qreal>, 4> dashes = {QVector<qreal>{}, {4, 2}, {1.5, 1.8}, {6, 2, 1.5, 2}};
    static constexpr std::array markers = {Marker::Circle,       Marker::Square, Marker::Triangle, Marker::Diamond,
                                           Marker::TriangleDown, Marker::Plus,   Marker::Ring,     Marker::Cross};
    std::size_t i = std::size_t(std::max(0, index));
    return {theme.runs[i % theme.runs.size()], dashes[i % dashes.size()], markers[i % markers.size()]};
}

void drawMarker(QPainter& p, Marker marker, QPointF at, double r, const QColor& color, bool filled) {
    p.setPen(QPen(color, 1.5));
    p.setBrush(filled ? QBrush(color) : QBrush(Qt::NoBrush));
    auto polygon = [&](std::initializer_list<QPointF> corners) {
        QPolygonF shape;
        for (QPointF c : corners) shape << at + c * r;
        p.drawPolygon(shape);
    };
    switch (marker) {
    case Marker::None: break;
    case Marker::Circle: p.drawEllipse(at, r, r); break;
    case Marker::Square: p.drawRect(QRectF(at.x() - r * 0.88, at.y() - r * 0.88, r * 1.76, r * 1.76)); break;
    case Marker::Diamond: polygon({{0, -1.25}, {1.25, 0}, {0, 1.25}, {-1.25, 0}}); break;
    case Marker::Triangle: polygon({{0, -1.2}, {1.1, 0.8}, {-1.1, 0.8}}); break;
    case Marker::TriangleDown: polygon({{0, 1.2}, {1.1, -0.8}, {-1.1, -0.8}}); break;
    case Marker::Ring:
        p.setBrush(Qt::NoBrush);
        p.drawEllipse(at, r, r);
        break;
    case Marker::Cross:
        p.drawLine(at + QPointF(-r, -r), at + QPointF(r, r));
        p.drawLine(at + QPointF(-r, r), at + QPointF(r, -r));
        break;
    case Marker::Plus:
        p.drawLine(at + QPointF(-r, 0), at + QPointF(r, 0));
        p.drawLine(at + QPointF(0, -r), at + QPointF(0, r));
        break;
    }
}

}  // namespace meander::gui
