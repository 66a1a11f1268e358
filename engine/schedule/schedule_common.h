// What the schedule files share: parameters that several have, ranges, ramps, the tables of training levels that other
// tools walk, and their 32-bit values.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/core/param_specs.h"
#include "engine/schedule/schedule.h"

namespace meander::schedule {

// The tools whose variant of a rule is meant; the first is the default.
ParamSpec dialectParam(std::vector<ParamChoice> tools,
                       const char* help = "Whose variant of the rule: tools give the same name to different numbers.");
// Optional "max" and "min": where sampling starts and the last level above clean.
std::vector<ParamSpec> withRange(std::vector<ParamSpec> first = {});
ParamSpec shiftOfTable();  // optional "shift" of StepTable
ParamSpec tokensParam();   // optional "tokens"

std::optional<double> optionalReal(const Params& p, const char* key);
// The parameter "tokens", or what the model's image has. Throws Failure where neither is known.
int tokensOf(const ScheduleContext& c, const char* rule);
bool isDialect(const ScheduleContext& c, const char* id);
// Throws Failure unless the process is a rectified flow.
void requireFlow(const ScheduleContext& c, const char* rule);

// The part of the clock that is visited: the model's own range unless the parameters say otherwise. For rectified flow
// the clock t plays the part of σ, as in the tools that offer these rules for flow models.
struct Range {
    double top, bottom;
};
Range rangeOf(const ScheduleContext& c);

// n values at the positions 0, 1/(n−1) … 1 (only 0 when n = 1), then 0 (clean).
std::vector<double> ramp(int n, auto valueAt) {
    std::vector<double> levels;
    for (int i = 0; i < n; ++i) levels.push_back(valueAt(n == 1 ? 0.0 : double(i) / (n - 1)));
    levels.push_back(0);
    return levels;
}

// t' = s t / (1 + (s − 1) t) (Esser et al. 2024, eq. 23). s = e^µ is FLUX's exponential shift, s = µ the linear one.
inline double shifted(double t, double s) { return s * t / (1 + (s - 1) * t); }
inline double unshifted(double t, double s) { return t / (s - (s - 1) * t); }
// Stretches 1 − t so that the last level above 0 becomes `terminal` (LTX-Video; shift_terminal of diffusers). In place;
// a final 0 stays.
void stretchToTerminal(std::vector<double>& levels, double terminal);
// Log-linear interpolation of falling positive numbers to `points` of them (Sabour et al. 2024).
std::vector<double> resampleLog(const std::vector<double>& values, int points);
// The same with the 32-bit positions of sd.cpp, which are running sums.
std::vector<double> resampleLog32(const std::vector<double>& values, int points);

// The levels of training as the tools tabulate them, and the tools' clock between them.
//   ComfyUI  VP: step index, log σ interpolated. Flow: t' of N table entries k/N; its time is t' itself, so a time
//       taken from a level is shifted twice.
//            Continuous σ: 1000 entries even in log σ, time ¼ ln σ.
//   sd.cpp   VP as above. Flow: t' of (step + 1)/N. Continuous σ: exp(4 step/1000), whatever the range.
class StepTable {
public:
    enum class Tool : std::uint8_t { ComfyUi, SdCpp };
    // Reads the optional parameter "shift".
    StepTable(const ScheduleContext& c, Tool tool);
    int size() const { return m_size; }
    double level(int step) const;      // τ of a training step, 0 the least noisy
    double atTime(double time) const;  // τ
    double timeOf(double tau) const;
    double first() const { return timeOf(level(m_size - 1)); }  // the tool's time of the noisiest level
    double last() const { return timeOf(level(0)); }

private:
    const Process& m_process;
    Tool m_tool;
    int m_size;
    double m_shift = 1;
};

// σ of every training step in 32-bit arithmetic as diffusers computes it from 32-bit β (σ_0 of Stable Diffusion is
// 0.02916753 there, 0.02916716 in 64 bit).
std::vector<double> sigmas32(const Process& process);

// The training steps that diffusers visits. `family`: "ddim" (DDIM, DDPM, PNDM: whole steps), "euler" (Euler, Heun,
// KDPM2, LMS, DPM SDE: linspace is fractional) or "dpmpp" (DPM++, UniPC, DEIS, SA: N + 1 points of which the last is
// dropped).
std::vector<double> diffusersSteps(const std::string& family, const std::string& spacing, int trained, int n,
                                   int offset);
ParamSpec spacingParam(const char* value, bool withLcm);
ParamSpec offsetParam();
int offsetOf(const ScheduleContext& c, const std::string& spacing);
// The ends of the levels that diffusers' Euler family starts from before it applies a Karras, exponential or beta rule;
// of FlowMatchEuler for a flow.
Range diffusersRange(const ScheduleContext& c);
// FlowMatchEuler without its final 0: N even times from 1 to the shifted 1/1000, shifted again (its static shift is
// applied twice).
std::vector<double> flowMatchEuler(const ScheduleContext& c, double shift);

}  // namespace meander::schedule
