// How a run is drawn: colour, dash and marker together, so that colour is never the only difference.
#pragma once
#include <QColor>
#include <QPainter>
#include <QPen>

#include "gui/look/theme.h"

namespace meander::gui {

enum class Marker { None, Circle, Square, Diamond, Triangle, TriangleDown, Cross, Plus, Ring };

struct RunStyle {
    QColor color;
    QVector<qreal> dash;  // empty: solid; in pen widths
    Marker marker = Marker::Circle;

    QPen pen(double width = 1.8) const;
};

// `index` counts runs of the project from 0 (run number − 1).
RunStyle runStyle(int index, const Theme& theme);
void drawMarker(QPainter& p, Marker marker, QPointF at, double radius, const QColor& color, bool filled = true);

}  // namespace meander::gui
