// The training steps that the reference library visits for N steps: leading and linspace as DDIM and DDPM, trailing
// after Lin et al. 2024, lcm the subset of the teacher's steps that latent consistency models were distilled on.
// "Exact" takes whole steps with the process's own 64-bit levels, so the network is told whole steps; the diffusers
// dialects reproduce its rounding, its linear interpolation of σ between steps and its 32-bit levels.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

std::vector<double> lcmSteps(int trained, int n, int teacher) {
    teacher = std::min(teacher, trained);
    if (n > teacher)
        throw Failure("A latent consistency model was distilled on " + std::to_string(teacher)
                      + " steps; ask for at most that many, or raise \"teacher_steps\".");
    std::vector<double> steps;
    for (int i = 0; i < n; ++i)
        steps.push_back(double(teacher - int(std::floor(double(i) * teacher / n))) * (trained / teacher) - 1);
    return steps;
}

std::vector<double> exactSteps(const std::string& spacing, int trained, int n, int offset) {
    auto steps = diffusersSteps("ddim", spacing, trained, n, offset);
    steps.resize(std::size_t(n));  // without the extra step that 32-bit ranges make for some n
    if (n == 1 && spacing == "linspace") steps.front() = trained - 1;
    return steps;
}

std::vector<double> fromDiffusers(const ScheduleContext& c, const std::string& family,
                                  const std::vector<double>& steps) {
    const auto sigmas = sigmas32(c.process);
    std::vector<double> levels;
    if (text(c.params, "interpolation")
        == "log_linear") {  // Euler's other option: N + 1 levels even in log σ, which end at the lowest
        if (family != "euler")
            throw Failure("Only the Euler family of diffusers interpolates log σ. Choose the dialect "
                          "\"diffusers_euler\" or the interpolation \"linear\".");
        const double from = std::log(sigmas.back()), to = std::log(sigmas.front());
        for (int i = 0; i <= c.steps; ++i) levels.push_back(double(float(std::exp(from + i * (to - from) / c.steps))));
        return levels;
    }
    for (const double step : steps) {
        const auto k = std::size_t(std::min(std::floor(step), double(sigmas.size() - 2)));
        levels.push_back(double(float(sigmas[k] + (step - double(k)) * (sigmas[k + 1] - sigmas[k]))));
    }
    levels.push_back(text(c.params, "final") == "zero" ? 0 : sigmas.front());
    return levels;
}

std::vector<double> make(const ScheduleContext& c) {
    const int trained = c.process.trainingSteps(), n = c.steps;
    if (trained == 0)
        throw Failure("\"Model steps\" needs a model with discrete training steps; this one has continuous time. "
                      "Choose \"Uniform in t\" instead.");
    if (n > trained)
        throw Failure("The model was trained with " + std::to_string(trained) + " steps; ask for at most that many.");
    const std::string &spacing = text(c.params, "spacing"), &dialect = text(c.params, "dialect");
    const int offset = offsetOf(c, spacing);
    const bool isExact = dialect == "exact";
    const std::string family = isExact ? "" : dialect.substr(dialect.find('_') + 1);
    const auto steps = spacing == "lcm" ? lcmSteps(trained, n, int(integer(c.params, "teacher_steps")))
                       : isExact        ? exactSteps(spacing, trained, n, offset)
                                        : diffusersSteps(family, spacing, trained, n, offset);
    if (!isExact) return fromDiffusers(c, family, steps);
    std::vector<double> levels;
    for (const double step : steps) levels.push_back(c.process.tauOfStep(std::min(step, double(trained - 1))));
    levels.push_back(text(c.params, "final") == "zero" ? 0 : c.process.minimum());
    return levels;
}

}  // namespace

ScheduleInfo modelSteps() {
    return {.id = "model_steps",
            .label = "Model steps",
            .summary = "Exact training steps of the model",
            .source = "Song et al. 2021; Lin et al. 2024, table 2; diffusers, timestep_spacing",
            .group = "Training steps",
            .params = {spacingParam("trailing", true), offsetParam(),
                       dialectParam({{"exact", "Whole steps, 64 bit"},
                                     {"diffusers_ddim", "diffusers DDIM, DDPM, PNDM"},
                                     {"diffusers_euler", "diffusers Euler, Heun, KDPM2, LMS"},
                                     {"diffusers_dpmpp", "diffusers DPM++, UniPC, DEIS, SA"}},
                                    "How steps are rounded and turned into noise levels; the dialects of diffusers "
                                    "have its 32-bit levels."),
                       advanced(choiceParam(
                           "interpolation", "Interpolation",
                           {{"linear", "σ linear in the step"}, {"log_linear", "Even in log σ"}},
                           "diffusers' Euler family: levels between whole training steps (interpolation_type).")),
                       advanced(choiceParam("final", "Last level", {{"zero", "0"}, {"sigma_min", "Lowest level"}},
                                            "What the last step ends at (final_sigmas_type).")),
                       advanced(integerParam(
                           "teacher_steps", "Teacher steps", 50, 1, 10000,
                           "Spacing LCM: number of steps the model was distilled on (original_inference_steps)."))},
            .make = make};
}

}  // namespace meander::schedule
