#include "gui/plots/plot.h"

#include <QBuffer>
#include <QFontMetricsF>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <algorithm>
#include <cmath>

namespace meander::gui {
namespace {

struct PlotFonts {
    QFont tick = numberFont(7.5), title = interfaceFont(8.5), label = interfaceFont(8);
};

// Names share the line: short ones take what they need, long ones are elided to equal parts of the rest. What would be
// no more than a dash is left to the table.
void paintLegend(QPainter& p, const Plot& plot, const QRectF& line, const Theme& t, const PlotFonts& fonts) {
    constexpr double key = 26, gap = 14, least = 18;
    QFontMetricsF fm(fonts.title);
    std::vector<const LineLayer*> curves;
    std::vector<double> widths;
    for (const auto& layer : plot.layers)
        if (auto* curve = dynamic_cast<const LineLayer*>(layer.get());
            curve && !curve->name.isEmpty() && double(curves.size() + 1) * (key + least + gap) <= line.width() + gap) {
            curves.push_back(curve);
            widths.push_back(fm.horizontalAdvance(curve->name) + 1);
        }
    double rest = line.width() + gap - double(curves.size()) * (key + gap), limit = 0;
    std::vector<double> rising = widths;
    std::sort(rising.begin(), rising.end());
    for (std::size_t i = 0; i < rising.size(); ++i) {
        limit = rest / double(rising.size() - i);
        if (rising[i] > limit) break;
        rest -= rising[i];
        limit = rising[i];
    }
    double x = line.left();
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const double y = line.center().y(), width = std::min(widths[i], limit);
        p.setPen(curves[i]->style.pen(1.8));
        p.drawLine(QPointF(x, y), QPointF(x + 20, y));
        drawMarker(p, curves[i]->style.marker, {x + 10, y}, 2.4, curves[i]->style.color);
        p.setFont(fonts.title);
        p.setPen(t.muted);
        p.drawText(QRectF(x + key, line.top(), width, line.height()), Qt::AlignLeft | Qt::AlignVCenter,
                   fm.elidedText(curves[i]->name, Qt::ElideRight, width));
        x += key + width + gap;
    }
}

std::optional<ColorScale> scaleOf(const Plot& plot) {
    if (plot.hasScale)
        for (const auto& layer : plot.layers)
            if (const auto* map = dynamic_cast<const HeatmapLayer*>(layer.get()))
                return ColorScale{[m = map->map](double share) { return QColor(colorOf(m, share)); },
                                  QString::number(double(map->lo), 'g', 3),
                                  QString::number(double(map->hi), 'g', 3),
                                  {}};
    return {};
}

void paintTitle(QPainter& p, const Plot& plot, const QRectF& rect, const QRectF& area, const Theme& t,
                const PlotFonts& fonts) {
    p.setFont(fonts.title);
    QFontMetricsF fm(fonts.title);
    // Over a narrow square the title may begin further left, rather than be cut.
    const double needed = fm.horizontalAdvance(plot.title)
                          + (plot.note.isEmpty() ? 0 : fm.horizontalAdvance(plot.note) + 24),
                 left = std::max(rect.left(), std::min(area.left(), rect.right() - needed));
    QRectF line(left, rect.top(), rect.right() - left, fm.height());
    double noteWidth = plot.note.isEmpty() ? 0 : fm.horizontalAdvance(plot.note) + 12;
    if (noteWidth > line.width() / 2) noteWidth = 0;
    const auto scale = scaleOf(plot);
    const double taken = noteWidth + (scale ? colorScaleWidth(*scale) + 12 : 0);
    p.setPen(t.muted);
    p.drawText(line.adjusted(0, 0, -taken, 0), Qt::AlignLeft | Qt::AlignVCenter,
               fm.elidedText(plot.title, Qt::ElideRight, line.width() - taken));
    p.setPen(t.dim);
    if (noteWidth > 0) p.drawText(line, Qt::AlignRight | Qt::AlignVCenter, plot.note);
    if (scale) paintColorScale(p, {line.right() - colorScaleWidth(*scale), line.center().y()}, *scale, t);
    if (plot.hasLegend)
        paintLegend(p, plot, {left, line.bottom() + fm.height() * 0.1, rect.right() - left, fm.height()}, t, fonts);
}

double endLabelWidth(const Plot& plot, const QFontMetricsF& fm) {
    double width = 0;
    if (plot.hasEndLabels)
        for (const auto& layer : plot.layers)
            if (const auto* line = dynamic_cast<const LineLayer*>(layer.get()))
                width = std::max(width, fm.horizontalAdvance(line->name));
    return std::min(width, 84.0) + (width > 0 ? 8 : 0);
}

// Each name beside the end of its line, pushed apart where lines end together; what finds no room is left to the table.
void paintEndLabels(QPainter& p, const Plot& plot, const QRectF& rect, const PlotFrame& f, const PlotFonts& fonts) {
    struct Label {
        const LineLayer* line;
        double y;
    };
    std::vector<Label> labels;
    for (const auto& layer : plot.layers) {
        const auto* line = dynamic_cast<const LineLayer*>(layer.get());
        if (!line || line->name.isEmpty()) continue;
        for (auto v = line->points.rbegin(); v != line->points.rend(); ++v)
            if (std::isfinite(v->x()) && std::isfinite(v->y())) {
                labels.push_back({line, f.py(v->y())});
                break;
            }
    }
    std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
    QFontMetricsF fm(fonts.tick);
    const double pitch = fm.height() - 2;
    while (!labels.empty() && double(labels.size()) * pitch > f.area.height() + pitch) labels.pop_back();
    // Down from the top, then up from the bottom, so that all lie inside.
    for (std::size_t i = 0; i < labels.size(); ++i)
        labels[i].y = std::max(labels[i].y, i ? labels[i - 1].y + pitch : f.area.top());
    for (std::size_t i = labels.size(); i-- > 0;)
        labels[i].y = std::min(labels[i].y, i + 1 < labels.size() ? labels[i + 1].y - pitch : f.area.bottom());
    p.setFont(fonts.tick);
    for (const Label& l : labels) {
        p.setPen(l.line->style.color);
        const double left = f.area.right() + 6, width = rect.right() - left;
        p.drawText(QRectF(left, l.y - fm.height() / 2, width, fm.height()), Qt::AlignLeft | Qt::AlignVCenter,
                   fm.elidedText(l.line->name, Qt::ElideRight, width));
    }
}

void paintAxes(QPainter& p, const Plot& plot, const QRectF& rect, const PlotFrame& f, const Theme& t,
               const PlotFonts& fonts) {
    QColor grid = t.line;
    grid.setAlphaF(0.5f);
    QFontMetricsF fm(fonts.tick);
    p.setFont(fonts.tick);
    for (const Tick& tick : plot.y.ticks(f.area.height(), fm.height() * 2.4)) {
        double y = f.py(tick.value);
        if (y < f.area.top() - 1 || y > f.area.bottom() + 1) continue;
        if (plot.hasGrid) {
            p.setPen(QPen(grid, 1));
            p.drawLine(QPointF(f.area.left(), y), QPointF(f.area.right(), y));
        }
        if (plot.hasYTicks && !tick.label.isEmpty()) {
            p.setPen(t.dim);
            p.drawText(QRectF(rect.left(), y - fm.height() / 2, f.area.left() - rect.left() - 6, fm.height()),
                       Qt::AlignRight | Qt::AlignVCenter, tick.label);
        }
    }
    if (plot.hasXTicks)
        for (const Tick& tick :
             plot.x.ticks(f.area.width(), std::max(36.0, fm.horizontalAdvance(QStringLiteral("0.0000"))))) {
            double x = f.px(tick.value);
            if (x < f.area.left() - 1 || x > f.area.right() + 1 || tick.label.isEmpty()) continue;
            double width = fm.horizontalAdvance(tick.label);
            double left = std::clamp(x - width / 2, rect.left(), std::max(rect.left(), rect.right() - width));
            p.setPen(t.dim);
            p.drawText(QRectF(left, f.area.bottom() + 4, width + 1, fm.height()), Qt::AlignCenter, tick.label);
        }
    if (!plot.x.label.isEmpty()) {
        p.setFont(fonts.label);
        p.setPen(t.dim);
        double top = f.area.bottom() + 4 + (plot.hasXTicks ? fm.height() : 0);
        const double half = std::min(f.area.center().x() - rect.left(), rect.right() - f.area.center().x());
        p.drawText(QRectF(f.area.center().x() - half, top, 2 * half, QFontMetricsF(fonts.label).height() + 1),
                   Qt::AlignCenter, plot.x.title());
    }
}

}  // namespace

bool Plot::hasData() const {
    for (const auto& l : layers)
        if (!l->isOverlay() && !l->extent().empty()) return true;
    return false;
}

void Plot::fitX(double margin) {
    double lo = INFINITY, hi = -INFINITY;
    for (const auto& l : layers)
        for (QPointF v : l->extent()) {
            if (!std::isfinite(v.x()) || (x.scale == Axis::Scale::Log && !(v.x() > 0))) continue;
            lo = std::min(lo, v.x());
            hi = std::max(hi, v.x());
        }
    x.fit(lo, hi, margin);
}

void Plot::fitY(double margin) {
    double lo = INFINITY, hi = -INFINITY;
    for (const auto& l : layers)
        for (QPointF v : l->extent()) {
            if (!std::isfinite(v.y()) || (y.scale == Axis::Scale::Log && !(v.y() > 0))) continue;
            lo = std::min(lo, v.y());
            hi = std::max(hi, v.y());
        }
    y.fit(lo, hi, margin);
}

QRectF Plot::area(const QRectF& rect) const {
    PlotFonts fonts;
    QFontMetricsF tick(fonts.tick), titleMetrics(fonts.title);
    double top = title.isEmpty() && note.isEmpty() ? 6 : titleMetrics.height() + 8;
    if (hasLegend) top += titleMetrics.height() + 2;
    double bottom =
        (hasXTicks ? tick.height() + 6 : 4) + (x.label.isEmpty() ? 0 : QFontMetricsF(fonts.label).height() + 2);
    double left = 6;
    if (hasYTicks)
        for (const Tick& t : y.ticks(rect.height() - top - bottom, tick.height() * 2.4))
            left = std::max(left, tick.horizontalAdvance(t.label) + 10);
    QRectF inner = rect.adjusted(left, top, -8 - endLabelWidth(*this, tick), -bottom);
    if (!equalAspect || inner.isEmpty()) return inner;
    double aspect = (x.hi - x.lo) / (y.hi - y.lo);
    double w = std::min(inner.width(), inner.height() * aspect), h = w / aspect;
    return {inner.center().x() - w / 2, inner.center().y() - h / 2, w, h};
}

void Plot::paint(QPainter& p, const QRectF& rect, const Theme& t, PlotPart part) const {
    p.save();
    p.setRenderHint(QPainter::Antialiasing);
    PlotFonts fonts;
    PlotFrame frame{area(rect), x, y};
    if (frame.area.width() < 8 || frame.area.height() < 8) {
        p.restore();
        return;
    }
    if (part != PlotPart::Overlay) {
        paintTitle(p, *this, rect, frame.area, t, fonts);
        if (!hasData() && !empty.isEmpty()) {
            p.setFont(interfaceFont());
            p.setPen(t.muted);
            p.drawText(frame.area, Qt::AlignCenter | Qt::TextWordWrap, empty);
            p.restore();
            return;
        }
        paintAxes(p, *this, rect, frame, t, fonts);
        if (hasEndLabels) paintEndLabels(p, *this, rect, frame, fonts);
    }
    p.setClipRect(frame.area.adjusted(-7, -7, 7, 7));
    for (const auto& layer : layers)
        if (part == PlotPart::All || layer->isOverlay() == (part == PlotPart::Overlay)) layer->paint(p, frame, t);
    p.restore();
}

Table Plot::table() const {
    Table table;
    for (const auto& layer : layers) layer->addRows(table.rows);
    qsizetype columns = 3;
    for (const auto& r : table.rows) columns = std::max(columns, r.size());
    table.head = {QStringLiteral("series"), x.title().isEmpty() ? QStringLiteral("x") : x.title(),
                  y.title().isEmpty() ? QStringLiteral("y") : y.title()};
    if (columns > 3) table.head << QStringLiteral("value");
    return table;
}

QByteArray plotSvg(const Plot& plot, QSize size, const Theme& t) {
    QBuffer buffer;
    QSvgGenerator svg;
    svg.setOutputDevice(&buffer);
    svg.setSize(size);
    svg.setViewBox(QRect({}, size));
    svg.setTitle(plot.title);
    svg.setDescription(QStringLiteral("Meander"));
    QPainter p(&svg);
    p.fillRect(QRect({}, size), t.panel);
    plot.paint(p, QRectF(QPointF(), size).adjusted(8, 8, -8, -8), t);
    p.end();
    return buffer.data();
}

QByteArray plotPdf(const Plot& plot, QSize size, const Theme& t) {
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter pdf(&buffer);
        pdf.setTitle(plot.title);
        pdf.setCreator(QStringLiteral("Meander"));
        pdf.setResolution(96);
        pdf.setPageSize(QPageSize(QSizeF(size) * 0.75, QPageSize::Point));
        pdf.setPageMargins({});
        QPainter p(&pdf);
        p.fillRect(QRect({}, size), t.panel);
        plot.paint(p, QRectF(QPointF(), size).adjusted(8, 8, -8, -8), t);
    }
    return buffer.data();
}

bool exportPlot(const Plot& plot, QSize size, const Theme& t, const QString& path) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly)) return false;
    const QString ending = path.section('.', -1).toLower();
    if (ending == "svg") file.write(plotSvg(plot, size, t));
    else if (ending == "pdf") file.write(plotPdf(plot, size, t));
    else if (ending == "csv") file.write(plot.table().csv().toUtf8());
    else plotImage(plot, size, t).save(&file, "PNG");
    return file.commit();
}

QImage plotImage(const Plot& plot, QSize size, const Theme& t, double scale) {
    QImage image(size * scale, QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(t.panel);
    QPainter p(&image);
    plot.paint(p, QRectF(QPointF(), size).adjusted(8, 8, -8, -8), t);
    return image;
}

}  // namespace meander::gui
