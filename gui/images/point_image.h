// Points (particles of 1-D and 2-D models) as small images and as paths.
#pragma once
#include <QImage>
#include <QRectF>
#include <cstdint>

#include "engine/run/trajectory.h"
#include "gui/images/state_image.h"
#include "gui/look/theme.h"

namespace meander::gui {

// Particles at an evaluation (−1: at the end); one-dimensional ones get y = 0.
// Not more than `most` of them: views need not convert what they do not draw.
std::vector<QPointF> pointsAt(const Run& run, int evaluation, Quantity quantity, std::size_t most = SIZE_MAX);
// One frame after another for each of at most `count` particles: initial state, then after every step; of very long
// runs at most `mostFrames`, evenly spaced.
struct PointPaths {
    std::vector<int> frames;  // which they are: 0 the initial state, k after step k − 1
    std::vector<std::vector<QPointF>> paths;
};
PointPaths pointPaths(const Run& run, int count, int mostFrames = 400);
// A square that holds the finished points with some room.
QRectF pointBounds(const Run& run);
QImage pointImage(const Run& run, int evaluation, Quantity quantity, int size, const QColor& color, const Theme& theme);

}  // namespace meander::gui
