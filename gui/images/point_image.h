// Points (particles of models of points) as small images and as paths.
#pragma once
#include <QImage>
#include <QRectF>
#include <cstdint>

#include "engine/run/trajectory.h"
#include "gui/images/point_chart.h"
#include "gui/images/state_image.h"
#include "gui/look/theme.h"

namespace meander::gui {

// Particles at an evaluation (−1: at the end), where the chart puts them; one-dimensional ones get y = 0.
// Not more than `most` of them: views need not convert what they do not draw.
std::vector<PointChart::Place> placesAt(const Run& run, int evaluation, Quantity quantity, const PointChart& chart,
                                        std::size_t most = SIZE_MAX);
std::vector<QPointF> pointsAt(const Run& run, int evaluation, Quantity quantity, std::size_t most = SIZE_MAX);
// One state after another of the particles `first` to first + count − 1: the initial one, then that after every step;
// of very long runs at most `mostStates`, evenly spaced.
struct PointPaths {
    std::vector<int> steps;  // 0 the initial state, k after step k − 1
    std::vector<std::vector<QPointF>> paths;
};
PointPaths pointPaths(const Run& run, const PointChart& chart, int first, int count, int mostStates = 400);
// A square that holds the finished points with some room, or the whole of a curved space.
QRectF pointBounds(const Run& run);
QImage pointImage(const Run& run, int evaluation, Quantity quantity, int size, const QColor& color, const Theme& theme);

}  // namespace meander::gui
