// Where points of a model's space lie on a flat canvas: the plane as it is, a torus as its square of angles, a sphere
// as it looks from outside (orthographic), the hyperbolic plane as its Poincaré disc.
#pragma once
#include <QPointF>
#include <QPolygonF>
#include <optional>
#include <span>
#include <vector>

#include "engine/models/model.h"

namespace meander::gui {

struct PointChart {
    ManifoldKind kind = ManifoldKind::Euclidean;
    double yaw = 0.6, pitch = 0.45;  // from where a sphere is seen, in radians

    // Flat for spaces of other dimensions than these images have.
    static PointChart of(const ModelInfo& model);
    bool isCurved() const { return kind != ManifoldKind::Euclidean; }
    // Half the side of a square that holds the whole space; none: the plane has no bounds.
    std::optional<double> reach() const;

    struct Place {
        QPointF at;
        double depth = 0;  // of a sphere: below 0 on the far side
    };
    Place place(std::span<const double> point) const;
    // Of a vector of the embedding (a noise, a difference), on the scale of the chart's centre.
    Place placeVector(std::span<const double> vector) const;
    // A path as the lines to be drawn: on a torus it leaves at one edge and comes back at the other.
    std::vector<QPolygonF> pieces(const QPolygonF& path) const;
};

}  // namespace meander::gui
