// What the laboratory measures, as values: requests, answers, and their tables. No widgets; the work runs in a thread
// of its own.
#pragma once
#include <QString>
#include <functional>
#include <vector>

#include "engine/analysis/convergence_lab.h"
#include "engine/analysis/stability.h"
#include "gui/plots/layer.h"

namespace meander::gui {

struct LabRequest {
    std::string model;
    std::vector<Choice> samplers;
    Choice schedule;
    std::vector<int> budgets;  // evaluations
    int particles = 64;
};

// One sampler: its cells so far and the order fitted to them.
struct LabCurve {
    Choice sampler;
    std::vector<LabCell> cells;
    OrderFit fit;
    QString problem() const;  // of the first cell that has one
};

QString choiceText(const Choice& sampler);  // "Heun", "LMS (Order 4)": what differs from the defaults
// "1.02 ± 0.04", the interval of 95 %; empty: too few points.
QString orderText(const OrderFit& fit);
Table tableOf(const std::vector<LabCurve>& curves, const Choice& schedule);

// Segments (two points each) along which a grid of values crosses `level`, by linear interpolation between cell
// centres; cells with values that are no numbers have none.
std::vector<QPointF> contour(const StabilityRegion& region, double level);
Table tableOf(const StabilityRegion& region);

}  // namespace meander::gui
