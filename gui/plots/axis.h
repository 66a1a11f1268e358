// Axes of a plot: value ↔ position, ticks and numbers as text. Pure functions, no painter.
#pragma once
#include <QString>
#include <vector>

namespace meander::gui {

struct Tick {
    double value = 0;
    QString label;  // empty: a minor tick, grid line only
};

class Axis {
public:
    enum class Scale { Linear, Log };

    QString label, unit;
    Scale scale = Scale::Linear;
    double lo = 0, hi = 1;
    bool reversed = false;         // hi at the left (σ and log σ fall while a run goes on)
    bool wholeNumbers = false;     // ticks at integers only
    std::vector<Tick> fixedTicks;  // when not empty, these and no others (categories)

    // Position in [0, 1] along the axis; values outside the range fall outside. Non-positive values on a log axis give
    // −∞'s stand-in, −1.
    double position(double value) const;
    double value(double position) const;
    bool contains(double value) const { return value >= lo && value <= hi; }
    // At most length / spacing labelled ticks at 1, 2, 5 × 10ⁿ (log: at decades, with 2 and 5 when there is room).
    std::vector<Tick> ticks(double length, double spacing = 48) const;
    // Sets the range to hold [from, to] with a share of margin; degenerate ranges are widened.
    void fit(double from, double to, double margin = 0.05);
    QString title() const { return unit.isEmpty() ? label : label + QStringLiteral(" [") + unit + QLatin1Char(']'); }
};

// 1, 2 or 5 × 10ⁿ, the smallest that is not below `raw`.
double niceStep(double raw);
// Three significant digits as a person writes them: "0", "12.4", "0.041", "3.3e-5", "∞".
QString formatNumber(double v, int significant = 3);
// For ticks `step` apart: as many decimals as the step needs, one notation along the axis.
QString formatTick(double v, double step);

}  // namespace meander::gui
