#include "gui/plots/layer.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "gui/look/draw_image.h"
#include "gui/look/style_sheet.h"
#include "gui/plots/geometry.h"

namespace meander::gui {
namespace {

QString exact(double v) { return std::isfinite(v) ? QString::number(v, 'g', 9) : QString(); }

void addPoints(QVector<QStringList>& rows, const QString& name, const std::vector<QPointF>& points) {
    for (QPointF v : points) rows.push_back({name, exact(v.x()), exact(v.y())});
}

bool isDrawable(QPointF v) {
    return std::isfinite(v.x()) && std::isfinite(v.y()) && std::abs(v.x()) < 1e7 && std::abs(v.y()) < 1e7;
}

QString quoted(const QString& cell) {
    if (!cell.contains(QLatin1Char(',')) && !cell.contains(QLatin1Char('"')) && !cell.contains(QLatin1Char('\n')))
        return cell;
    QString copy = cell;
    return QLatin1Char('"') + copy.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
}

}  // namespace

QString Table::csv() const {
    QString out;
    auto line = [&out](const QStringList& cells) {
        QStringList q;
        for (const QString& c : cells) q << quoted(c);
        out += q.join(QLatin1Char(',')) + QStringLiteral("\r\n");
    };
    line(head);
    for (const auto& r : rows) line(r);
    return out;
}

QString Table::text() const {
    QString out = head.join(QLatin1Char('\t')) + QLatin1Char('\n');
    for (const auto& r : rows) out += r.join(QLatin1Char('\t')) + QLatin1Char('\n');
    return out;
}

void LineLayer::paint(QPainter& p, const PlotFrame& f, const Theme&) const {
    std::vector<std::vector<QPointF>> pieces(1);
    for (QPointF v : points) {
        QPointF at = f.at(v);
        bool drawable = isDrawable(at) && !(f.y.scale == Axis::Scale::Log && !(v.y() > 0))
                        && !(f.x.scale == Axis::Scale::Log && !(v.x() > 0));
        if (drawable) pieces.back().push_back(at);
        else if (!pieces.back().empty()) pieces.emplace_back();
    }
    p.setBrush(Qt::NoBrush);
    p.setPen(style.pen(width));
    for (auto& piece : pieces) {
        auto few = decimate(piece);
        if (few.size() > 1) p.drawPolyline(few.data(), int(few.size()));
    }
    if (markerRadius <= 0) return;
    for (auto& piece : pieces)
        if (piece.size() < 200)
            for (QPointF at : piece) drawMarker(p, style.marker, at, markerRadius, style.color);
}
void LineLayer::addRows(QVector<QStringList>& rows) const { addPoints(rows, name, points); }

void BandLayer::paint(QPainter& p, const PlotFrame& f, const Theme&) const {
    QPolygonF shape;
    for (std::size_t i = 0; i < x.size(); ++i) shape << f.at(x[i], high[i]);
    for (std::size_t i = x.size(); i-- > 0;) shape << f.at(x[i], low[i]);
    QColor fill = color;
    fill.setAlphaF(float(opacity));
    p.setPen(Qt::NoPen);
    p.setBrush(fill);
    p.drawPolygon(shape);
}
std::vector<QPointF> BandLayer::extent() const {
    std::vector<QPointF> all;
    for (std::size_t i = 0; i < x.size(); ++i) all.insert(all.end(), {{x[i], low[i]}, {x[i], high[i]}});
    return all;
}
void BandLayer::addRows(QVector<QStringList>& rows) const {
    for (std::size_t i = 0; i < x.size(); ++i) rows.push_back({name, exact(x[i]), exact(high[i] - low[i])});
}

void BarLayer::paint(QPainter& p, const PlotFrame& f, const Theme&) const {
    QColor fill = color;
    fill.setAlphaF(float(opacity));
    p.setPen(Qt::NoPen);
    p.setBrush(fill);
    for (QPointF b : bars) {
        if (!std::isfinite(b.y())) continue;
        double foot = f.y.scale == Axis::Scale::Log ? f.area.bottom() : f.py(base);
        QRectF r =
            QRectF(QPointF(f.px(b.x() - width / 2), f.py(b.y())), QPointF(f.px(b.x() + width / 2), foot)).normalized();
        if (r.height() < 1 && b.y() != base) r.setTop(r.bottom() - 1);
        p.drawRoundedRect(r, 2, 2);
    }
}
std::vector<QPointF> BarLayer::extent() const {
    std::vector<QPointF> all;
    for (QPointF b : bars) all.insert(all.end(), {{b.x() - width / 2, base}, {b.x() + width / 2, b.y()}});
    return all;
}
void BarLayer::addRows(QVector<QStringList>& rows) const { addPoints(rows, name, bars); }

void ScatterLayer::paint(QPainter& p, const PlotFrame& f, const Theme&) const {
    p.save();
    p.setOpacity(p.opacity() * opacity);
    for (QPointF v : points) {
        QPointF at = f.at(v);
        if (isDrawable(at) && f.area.adjusted(-4, -4, 4, 4).contains(at))
            drawMarker(p, style.marker, at, radius, style.color);
    }
    p.restore();
}
void ScatterLayer::addRows(QVector<QStringList>& rows) const { addPoints(rows, name, points); }

void HeatmapLayer::paint(QPainter& p, const PlotFrame& f, const Theme&) const {
    if (rows <= 0 || columns <= 0) return;
    p.save();
    p.setOpacity(p.opacity() * opacity);
    auto edgeX = [&](int c) { return f.px(x0 + (x1 - x0) * c / columns); };
    auto edgeY = [&](int r) { return f.py(y0 + (y1 - y0) * r / rows); };
    if (cells) {
        p.setPen(Qt::NoPen);
        float scale = hi > lo ? 1 / (hi - lo) : 0;
        for (int r = 0; r < rows; ++r)
            for (int c = 0; c < columns; ++c) {
                float v = values[std::size_t(r) * columns + c];
                if (!std::isfinite(v)) continue;
                QRectF cell = QRectF(QPointF(edgeX(c), edgeY(r)), QPointF(edgeX(c + 1), edgeY(r + 1))).normalized();
                double gap = std::min({1.5, cell.width() * 0.08, cell.height() * 0.08});
                p.setBrush(QColor(colorOf(map, (v - lo) * scale)));
                p.drawRoundedRect(cell.adjusted(gap, gap, -gap, -gap), std::min(3.0, cell.width() / 6),
                                  std::min(3.0, cell.height() / 6));
            }
    } else {
        QImage image = mapImage(values, columns, rows, lo, hi, map);
        QRectF target = QRectF(QPointF(edgeX(0), edgeY(0)), QPointF(edgeX(columns), edgeY(rows))).normalized();
        bool flipX = edgeX(columns) < edgeX(0), flipY = edgeY(rows) < edgeY(0);
        drawImage(p, target, image.mirrored(flipX, flipY), smooth);
    }
    p.restore();
}
void HeatmapLayer::addRows(QVector<QStringList>& out) const {
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            out.push_back({name, exact(x0 + (x1 - x0) * (c + 0.5) / columns), exact(y0 + (y1 - y0) * (r + 0.5) / rows),
                           exact(values[std::size_t(r) * columns + c])});
}

void HandleLayer::paint(QPainter& p, const PlotFrame& f, const Theme& t) const {
    for (std::size_t i = 0; i < handles.size(); ++i) {
        QPointF at = f.at(handles[i]);
        bool isSelected = selected == int(i), isHovered = hovered == int(i);
        p.setPen(QPen(color, 2));
        p.setBrush(isSelected ? color : isHovered ? t.raised : t.panel);
        double r = radius + (isHovered || isSelected ? 1 : 0);
        p.drawEllipse(at, r, r);
    }
}
void HandleLayer::addRows(QVector<QStringList>& rows) const { addPoints(rows, name, handles); }
std::optional<int> HandleLayer::hit(const PlotFrame& f, QPointF page, double reach) const {
    std::vector<QPointF> at;
    for (QPointF h : handles) at.push_back(f.at(h));
    return nearestPoint(at, page, reach);
}

void CursorLayer::paint(QPainter& p, const PlotFrame& f, const Theme& t) const {
    if (x && line) {
        double at = f.px(*x);
        if (at >= f.area.left() - 1 && at <= f.area.right() + 1) {
            drawUpright(p, at, f.area.top(), f.area.bottom(), mixed(t.panel, t.text, 0.55));
        }
    }
    for (const Mark& m : marks) {
        QPointF at = f.at(m.at);
        if (!isDrawable(at)) continue;
        p.setPen(QPen(m.hollow ? m.color : t.panel, m.hollow ? 2 : 1.5));
        p.setBrush(m.hollow ? QBrush(t.panel) : QBrush(m.color));
        p.drawEllipse(at, 4.5, 4.5);
    }
    if (text.isEmpty() || !x) return;
    p.setFont(numberFont(8.5));
    QFontMetricsF fm(p.font());
    QRectF box(0, 0, fm.horizontalAdvance(text) + 14, fm.height() + 8);
    box.moveTopLeft({f.px(*x) + 8, f.area.top() + 4});
    if (box.right() > f.area.right()) box.moveRight(f.px(*x) - 8);
    if (box.left() < f.area.left()) box.moveLeft(f.area.left());
    p.setPen(QPen(t.line, 1));
    p.setBrush(t.raised);
    p.drawRoundedRect(box, 4, 4);
    p.setPen(t.text);
    p.drawText(box, Qt::AlignCenter, text);
}

}  // namespace meander::gui
