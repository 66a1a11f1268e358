#include "engine/models/scheduler_config.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace meander {
namespace {

// Schedulers whose training the settings below describe in full. Others (Karras' VE, score SDEs, EDM, cascades with
// fixed β ...) keep the same keys or none of them and mean something else.
const char* const flowSchedulers[] = {"FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler",
                                      "FlowMatchLCMScheduler"};
const char* const diffusionSchedulers[] = {"DDIMScheduler",
                                           "DDIMInverseScheduler",
                                           "DDIMParallelScheduler",
                                           "DDPMScheduler",
                                           "DDPMParallelScheduler",
                                           "DEISMultistepScheduler",
                                           "DPMSolverMultistepInverseScheduler",
                                           "DPMSolverMultistepScheduler",
                                           "DPMSolverSDEScheduler",
                                           "DPMSolverSinglestepScheduler",
                                           "EulerAncestralDiscreteScheduler",
                                           "EulerDiscreteScheduler",
                                           "HeunDiscreteScheduler",
                                           "KDPM2AncestralDiscreteScheduler",
                                           "KDPM2DiscreteScheduler",
                                           "LCMScheduler",
                                           "LMSDiscreteScheduler",
                                           "PNDMScheduler",
                                           "RePaintScheduler",
                                           "SASolverScheduler",
                                           "TCDScheduler",
                                           "UniPCMultistepScheduler"};

// Noise levels of EDM: what the network predicts follows from the scheduler.
const char* const edmSchedulers[] = {"CMStochasticIterativeScheduler", "EDMDPMSolverMultistepScheduler",
                                     "EDMEulerScheduler", "SCMScheduler"};

bool isAmong(std::span<const char* const> list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

void checkScheduler(const std::string& kind, const std::string& what) {
    const std::span<const char* const> lists[] = {diffusionSchedulers, flowSchedulers, edmSchedulers};
    if (std::any_of(std::begin(lists), std::end(lists), [&](const auto& list) { return isAmong(list, kind); })) return;
    std::string known;
    for (const auto& list : lists)
        for (const char* k : list) known.append(known.empty() ? "" : ", ").append(k);
    throw Failure("The scheduler described in " + what + " is " + (kind.empty() ? "not named" : "a '" + kind + "'")
                  + ", so Meander does not know which noise the model was trained on. It knows: " + known + ".");
}

// Settings that change the process itself. Only these values leave it as the others describe it.
void checkProcessSettings(const Json& j, const std::string& what) {
    const auto refuse = [&](const std::string& key, const std::string& value) {
        throw Failure("The scheduler described in " + what + " has the setting '" + key + "': " + value
                      + ", which changes the noise that the model was trained on in a way Meander does not know.");
    };
    if (const std::string type = jsonText(j, "timestep_type", "discrete", what); type != "discrete")
        refuse("timestep_type", type);
    if (const double scale = jsonReal(j, "snr_shift_scale", 1, what); scale != 1)
        refuse("snr_shift_scale", std::to_string(scale));
    if (jsonBool(j, "invert_sigmas", false, what)) refuse("invert_sigmas", "true");
}

// ᾱ of β = σ(u) (last − first) + first with u even from −6 to 6 (GeoDiff; DDPMScheduler of diffusers).
std::vector<double> sigmoidSignal(int steps, double first, double last) {
    std::vector<double> signal;
    double product = 1;
    for (int i = 0; i < steps; ++i) {
        const double u = steps == 1 ? -6 : -6 + 12.0 * i / (steps - 1);
        signal.push_back(product *= 1 - (first + (last - first) / (1 + std::exp(-u))));
    }
    return signal;
}

// What the network predicts: "prediction_type", or in old files "predict_epsilon", which must agree where both stand.
std::string predictionOf(const Json& j, const std::string& what) {
    const bool isEpsilon = jsonBool(j, "predict_epsilon", true, what);
    const std::string predicts = jsonText(j, "prediction_type", isEpsilon ? "epsilon" : "sample", what);
    if (!isEpsilon && predicts == "epsilon")
        throw Failure("The scheduler described in " + what
                      + " says both that the network predicts the noise (prediction_type) and that it does not "
                        "(predict_epsilon). Remove the wrong one.");
    return predicts;
}

// The kind of checkpoint that a scheduler is made for.
Distillation kindOf(const std::string& scheduler) {
    if (scheduler == "LCMScheduler" || scheduler == "FlowMatchLCMScheduler") return Distillation::Lcm;
    return scheduler == "TCDScheduler" ? Distillation::Trajectory : Distillation::None;
}

// The flow of FlowMatch… schedulers, and of others with flow sigmas.
SchedulerMeaning flowMeaning(const std::string& kind, double steps, double shift, const std::string& what) {
    if (!(shift > 0 && shift <= 1000))
        throw Failure("The entry 'shift' of " + what + " must lie above 0 and below 1000. The file may be damaged.");
    return {Process::rectifiedFlow(steps, shift, std::max(2, int(steps))), Parametrization::FlowVelocity, kindOf(kind)};
}

// Levels from "sigma_min" to "sigma_max", and the preconditioning of EDM (Karras et al. 2022), of consistency models
// (Song et al. 2023) or of TrigFlow (Lu & Song 2025).
SchedulerMeaning edmMeaning(const Json& j, const std::string& kind, const std::string& what) {
    const double low = jsonReal(j, "sigma_min", 0.002, what), high = jsonReal(j, "sigma_max", 80, what),
                 data = jsonReal(j, "sigma_data", 0.5, what);
    if (!(low > 0 && low < high && high < 1e6 && data > 0 && data < 1e6))
        throw Failure("The noise levels in " + what + " do not rise from above 0. The file may be damaged.");
    const bool isConsistency = kind == "CMStochasticIterativeScheduler", isTrig = kind == "SCMScheduler";
    const std::string usual = isTrig ? "trigflow" : "epsilon", predicts = jsonText(j, "prediction_type", usual, what);
    if (predicts != usual)
        throw Failure("The scheduler described in " + what + " predicts '" + predicts
                      + "' at noise levels of EDM, which Meander does not know. It knows " + usual + " there.");
    if (isTrig)
        return {Process::varianceExploding(low, high), Parametrization::TrigFlow, Distillation::ContinuousConsistency,
                data};
    return {Process::varianceExploding(low, high), isConsistency ? Parametrization::Consistency : Parametrization::Edm,
            isConsistency ? Distillation::Consistency : Distillation::None, data};
}

bool states(const Json& j, const char* key) { return j.contains(key) && !j[key].is_null(); }

std::vector<std::string> unstated(const Json& j, std::initializer_list<const char*> keys) {
    std::vector<std::string> list;
    for (const char* key : keys)
        if (!states(j, key)) list.emplace_back(key);
    return list;
}

// What follows from the class alone is stated by it.
void addUnstated(SchedulerMeaning& m, const Json& j, const std::string& kind) {
    if (isAmong(flowSchedulers, kind)) return;
    if (isAmong(edmSchedulers, kind)) {
        m.unstatedProcess = unstated(j, {"sigma_min", "sigma_max"});
        return;
    }
    if (!states(j, "predict_epsilon")) m.unstatedPrediction = unstated(j, {"prediction_type"});
    const bool isWhole = states(j, "trained_betas") || m.process.kind() == ProcessKind::RectifiedFlow;
    const bool hasEnds = jsonText(j, "beta_schedule", "linear", "the file") != "squaredcos_cap_v2";
    if (isWhole) return;
    m.unstatedProcess = hasEnds ? unstated(j, {"beta_schedule", "beta_start", "beta_end"}) : std::vector<std::string>();
}

SchedulerMeaning statedMeaning(const Json& j, const std::string& what) {
    const std::string kind = jsonText(j, "_class_name", "", what);
    checkScheduler(kind, what);
    const std::int64_t steps = jsonInteger(j, "num_train_timesteps", 1000, what);
    if (steps < 1 || steps > 1'000'000)
        throw Failure("The entry 'num_train_timesteps' of " + what + " is " + std::to_string(steps)
                      + ", which is not possible. The file may be damaged.");
    checkProcessSettings(j, what);
    if (isAmong(edmSchedulers, kind)) return edmMeaning(j, kind, what);
    if (isAmong(flowSchedulers, kind))
        return flowMeaning(kind, double(steps),
                           jsonBool(j, "use_dynamic_shifting", false, what) ? 1 : jsonReal(j, "shift", 1, what), what);

    const bool isLcm = kind == "LCMScheduler";
    const std::string predicts = predictionOf(j, what);
    const bool hasFlowSigmas = jsonBool(j, "use_flow_sigmas", false, what);
    if (hasFlowSigmas != (predicts == "flow_prediction"))
        throw Failure("The scheduler described in " + what + " predicts '" + predicts + "' "
                      + (hasFlowSigmas ? "with" : "without")
                      + " use_flow_sigmas. The two do not belong together; the file may be damaged.");
    if (hasFlowSigmas) return flowMeaning(kind, double(steps), jsonReal(j, "flow_shift", 1, what), what);
    Parametrization p = Parametrization::Epsilon;
    if (predicts == "v_prediction") p = isLcm ? Parametrization::LcmV : Parametrization::V;
    else if (predicts == "sample" && !isLcm) p = Parametrization::X0;
    else if (predicts == "epsilon") p = isLcm ? Parametrization::LcmEpsilon : Parametrization::Epsilon;
    else
        throw Failure("The scheduler described in " + what + " predicts '" + predicts
                      + "', which Meander does not know.");
    const bool noTerminalSignal = jsonBool(j, "rescale_betas_zero_snr", false, what);
    const auto meaning = [&](Process process) -> SchedulerMeaning {
        return {noTerminalSignal ? process.withZeroTerminalSnr() : std::move(process), p, kindOf(kind)};
    };
    const std::string schedule = jsonText(j, "beta_schedule", "linear", what);
    const double first = jsonReal(j, "beta_start", 1e-4, what), last = jsonReal(j, "beta_end", 0.02, what);
    const auto trained = jsonReals(j, "trained_betas", {}, what);
    if (!trained.empty()) {
        if (std::int64_t(trained.size()) != steps)
            throw Failure("The scheduler described in " + what + " lists " + std::to_string(trained.size())
                          + " noise variances (trained_betas) for " + std::to_string(steps)
                          + " training steps. The file may be damaged.");
        std::vector<double> signal;
        double product = 1;
        for (double beta : trained) {
            if (!(beta > 0 && beta < 1))
                throw Failure("A noise variance in " + what + " is not between 0 and 1. The file may be damaged.");
            signal.push_back(product *= 1 - beta);
        }
        return meaning(Process::variancePreserving(std::move(signal), "trained"));
    }
    if (!(first > 0 && first <= last && last < 1))
        throw Failure("The noise variances in " + what
                      + " do not rise from above 0 to below 1. The file may be damaged.");
    if (schedule == "linear") return meaning(Process::vpLinear(int(steps), first, last));
    if (schedule == "scaled_linear") return meaning(Process::vpScaledLinear(int(steps), first, last));
    if (schedule == "squaredcos_cap_v2") return meaning(Process::vpCosine(int(steps)));
    if (schedule == "sigmoid")
        return meaning(Process::variancePreserving(sigmoidSignal(int(steps), first, last), schedule));
    throw Failure("The scheduler described in " + what + " uses the noise schedule '" + schedule
                  + "', which Meander does not know. It knows linear, scaled_linear, squaredcos_cap_v2 and sigmoid.");
}

}  // namespace

SchedulerMeaning meaningOfScheduler(const Json& j, const std::string& what) {
    SchedulerMeaning m = statedMeaning(j, what);
    addUnstated(m, j, jsonText(j, "_class_name", "", what));
    return m;
}

}  // namespace meander
