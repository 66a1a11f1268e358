// What was measured, behind a curve that is edited: bars with an axis of their own, from the foot of the plot to its
// top for the largest one.
#pragma once
#include "gui/plots/layer.h"

namespace meander::gui {

class EvidenceLayer : public Layer {
public:
    struct Bar {
        double from = 0, to = 0;  // on the horizontal axis
        double value = 0;
    };
    std::vector<Bar> bars;
    QColor color;
    double opacity = 0.2;
    double height = 0.92;  // of the plot, for the largest value
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    void addRows(QVector<QStringList>& rows) const override;
    double largest() const;
};

}  // namespace meander::gui
