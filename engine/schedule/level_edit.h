// The levels of a schedule as points that are moved by hand: strictly falling whatever is done to them, a final 0
// (clean) kept where it was. Pure functions on levels τ; what they make is the list of a "custom" schedule.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/core/monotone_cubic.h"
#include "engine/process/process.h"

namespace meander::levels {

// What a level is read as on the axis of a curve.
enum class Reading : std::uint8_t {
    Sigma,       // σ = n/s; even units are ln σ
    HalfLogSnr,  // λ = ln(s/n), half the log-SNR
    Time,        // the network's time: training step, t of a flow, σ where a network is told σ
};
double valueOf(double tau, Reading r, const Process& p);
double levelOf(double value, Reading r, const Process& p);  // inverse of valueOf, within limitsOf
// Along an axis of even units (ln σ for Sigma), rising with the noise. σ counts from 1e-6 to 999, where a flow's t is
// 0.999.
double coordinateOf(double tau, Reading r, const Process& p);
double levelAt(double coordinate, Reading r, const Process& p);

// Lowest and highest level above 0 that editing reaches.
struct Limits {
    double lowest = 0, highest = 0;
};
Limits limitsOf(const Process& p);

// At least two levels, finite, at least 0, strictly falling.
bool isFalling(const std::vector<double>& levels);
bool endsClean(const std::vector<double>& levels);
// Levels above 0.
int movableCount(const std::vector<double>& levels);

// How far each level above 0 follows a drag: 1 in the selection, falling to 0 at `radius` steps from it (a bell,
// (1 − (d/r)²)²; radius 0: the selection alone). Locked ends, the first and the last above 0, stay.
std::vector<double> followWeights(const std::vector<double>& levels, const std::vector<int>& selection, double radius,
                                  bool endsLocked);
// Every level shifted by its weight times `by` along the axis, as far as all stay falling and within limits. Levels of
// weight 0 keep every bit.
std::vector<double> moved(const std::vector<double>& levels, const std::vector<double>& weights, double by, Reading r,
                          const Process& p);
// One level set to a value, between its neighbours.
std::vector<double> placed(std::vector<double> levels, int index, double tau, const Process& p);
// One level more between `index` and the next, halfway in ln τ; before a final 0 the list goes on as it fell. As it was
// where there is no room.
std::vector<double> withOneAfter(std::vector<double> levels, int index, const Process& p);
// Without some levels above 0; two levels stay at least, and locked ends.
std::vector<double> without(const std::vector<double>& levels, const std::vector<int>& indices, bool endsLocked);
// With a final 0, or without.
std::vector<double> withClean(std::vector<double> levels, bool isClean);

// Control points: x from 0 at the first level to 1 at the last above 0, y the axis coordinate, strictly falling.
struct ControlCurve {
    std::vector<CurvePoint> points;
    Reading reading = Reading::Sigma;
    bool operator==(const ControlCurve&) const = default;
};
ControlCurve controlsOf(const std::vector<double>& levels, Reading r, const Process& p, int most = 6);
// `intervals` + 1 levels on the curve, the last one 0 where `isClean`.
std::vector<double> sampled(const ControlCurve& curve, int intervals, bool isClean, const Process& p);
// A control point to (x, y), between its neighbours; the ends keep their x, and their y where locked.
ControlCurve movedPoint(ControlCurve curve, int index, double x, double y, bool endsLocked, const Process& p);
ControlCurve withPointAt(ControlCurve curve, double x);  // on the curve; as it was beside an old one
ControlCurve withoutPoint(ControlCurve curve, int index);

// The level of the model's own training nearest to τ; none where its time is continuous.
std::optional<double> nearestOwnLevel(double tau, const Process& p);

}  // namespace meander::levels
