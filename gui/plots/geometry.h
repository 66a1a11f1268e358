// Geometry of curves on screen: decimation and hit tests. Pure functions, tested without a window.
#pragma once
#include <QPointF>
#include <optional>
#include <span>
#include <vector>

namespace meander::gui {

// For points whose x never falls: keeps first, last, lowest and highest of each pixel column, so a curve of a million
// points looks the same and costs four points per pixel. Returned as it is when it is already small or x falls
// somewhere.
std::vector<QPointF> decimate(std::vector<QPointF> points);
// The nearest point not farther than `reach` pixels.
std::optional<int> nearestPoint(std::span<const QPointF> points, QPointF at, double reach);
// The nearest in x, however far.
std::optional<int> nearestX(std::span<const double> xs, double x);

}  // namespace meander::gui
