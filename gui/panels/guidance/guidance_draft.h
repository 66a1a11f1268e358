// The guidance of the draft as curves that can be edited: which parameters can follow one, the interval in which a rule
// acts as positions over the steps, and what all that costs.
#pragma once
#include <QString>
#include <optional>
#include <vector>

#include "engine/guidance/guidance.h"
#include "engine/guidance/weight_curve.h"
#include "gui/document/document.h"

namespace meander::gui {

// A curve of a rule of the draft.
struct DraftCurve {
    std::size_t rule = 0;  // in Recipe::guidance
    CurveParam param;
    QString label;  // "Classifier-free guidance · scale w"
    double minimum = 0, maximum = 1;
    bool hasInterval = false;
};
std::vector<DraftCurve> draftCurves(const Recipe& recipe);

// The steps in which a rule acts: those k with first ≤ k < end. Between steps, so that no level lies on an edge.
struct StepInterval {
    double first = -0.5, end = 0;
    bool operator==(const StepInterval&) const = default;
};
StepInterval intervalOf(const Params& params, const Process& process, const std::vector<double>& levels);
// As limits of the noise level; one at the ends of the run is left out.
void setInterval(Params& params, const StepInterval& interval, const Process& process,
                 const std::vector<double>& levels);
// σ at a position between steps: even in ln σ.
double sigmaAtStep(double position, const Process& process, const std::vector<double>& levels);
double stepAtSigma(double sigma, const Process& process, const std::vector<double>& levels);

struct GuidanceCost {
    int evaluations = 0;  // per image
    int saved = 0;        // against the same rule over all steps, away from its neutral value
};
// Of a plan whose recipe has these parameters in a rule instead; nothing where that cannot be planned.
std::optional<GuidanceCost> guidanceCost(const Plan& plan, const DraftCurve& curve, const Params& params);

}  // namespace meander::gui
