// Values that follow a curve over the steps: which parameters of guidance rules can, shapes to begin with, and their
// text both ways. Pure functions; a curve is a list of values spread evenly over the steps with straight lines between
// (as many as steps: one each).
#pragma once
#include <string>
#include <vector>

#include "engine/core/params.h"

namespace meander {

// A parameter of a rule with the list that replaces it.
struct CurveParam {
    std::string rule, constant, curve;
    std::string symbol;  // "w", "φ", "η"
    double neutral = 1;  // the value at which it does nothing
    bool costs = false;  // at the neutral value the unconditional branch is not evaluated
};
const std::vector<CurveParam>& curveParams();
std::vector<CurveParam> curveParamsOf(const std::string& rule);

namespace weights {

// The value at step `step` of `steps`; `values` is not empty.
double at(const std::vector<double>& values, int step, int steps);
// One value per step.
std::vector<double> perStep(const std::vector<double>& values, int steps);

// The curve of a rule in a recipe, one value per step: its list, else its constant.
std::vector<double> curveOf(const Params& params, const CurveParam& which, int steps);
// Writes a curve; one value throughout is written as the constant. `values` is not empty.
void setCurve(Params& params, const CurveParam& which, const std::vector<double>& values);

// A shape: the share between a low and a high value over u from 0 (noise) to 1 (clean).
struct Shape {
    std::string id, label, source;
    double (*at)(double u);
};
const std::vector<Shape>& shapes();
std::vector<double> shaped(const Shape& shape, int steps, double low, double high);

// Noise levels outside which a rule does not act (low < σ ≤ high), with where they come from.
struct IntervalPreset {
    std::string label, source;
    double low = 0, high = 0;
};
const std::vector<IntervalPreset>& intervalPresets();

enum class TextForm : std::uint8_t {
    List,  // "4, 4, 3.5"
    Json,  // "[4, 4, 3.5]"
    SdCpp  // "3.5x1+4x2": <value>x<steps>, beginning with the last steps (stable-diffusion.cpp, guidance_schedule)
};
std::string textOf(const std::vector<double>& values, TextForm form);
// Any of the three. A sd.cpp text that is shorter than `steps` leaves `otherwise` to the first steps, a longer one
// loses its end, as there; the others give a list of any length.
Result<std::vector<double>> valuesFromText(const std::string& text, int steps, double otherwise);

}  // namespace weights
}  // namespace meander
