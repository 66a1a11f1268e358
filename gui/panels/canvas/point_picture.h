// Points (particles of 1-D and 2-D models) as small pictures and as paths.
#pragma once
#include <QImage>
#include <QRectF>

#include "engine/run/trajectory.h"
#include "gui/app/theme.h"
#include "gui/panels/canvas/state_picture.h"

namespace meander::gui {

// Particles at an evaluation (−1: at the end); one-dimensional ones get y = 0.
std::vector<QPointF> pointsAt(const Run& run, int evaluation, Quantity quantity);
// One frame after another for each of at most `count` particles: initial state, then after every step.
std::vector<std::vector<QPointF>> pointPaths(const Run& run, int count);
// A square that holds the finished points with some room.
QRectF pointBounds(const Run& run);
QImage pointPicture(const Run& run, int evaluation, Quantity quantity, int size, const QColor& color, const Theme& theme);

}  // namespace meander::gui
