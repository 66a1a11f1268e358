// The table of noise sources, from list.inl, and what they share.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/core/unsigned_param.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/noise/streams.h"
#include "engine/sampling/noise/variation.h"

namespace meander {

namespace noise {
#define NOISE(name) NoiseInfo name();
#include "engine/sampling/noise/list.inl"
#undef NOISE
}  // namespace noise

const std::vector<NoiseInfo>& noiseSources() {
    static const std::vector<NoiseInfo> table = [] {
        std::vector<NoiseInfo> rows = {
#define NOISE(name) noise::name(),
#include "engine/sampling/noise/list.inl"
#undef NOISE
        };
        for (NoiseInfo& row : rows)
            if (row.make)
                for (ParamSpec& s : noise::commonParams()) row.params.push_back(std::move(s));
        return rows;
    }();
    return table;
}

const NoiseInfo* findNoise(const std::string& id) {
    for (const auto& n : noiseSources())
        if (n.id == id) return &n;
    return nullptr;
}

namespace {

const NoiseInfo& known(const Choice& choice) {
    const auto* info = findNoise(choice.id);
    if (!info) throw Failure("There is no noise source named \"" + choice.id + "\".");
    return *info;
}

Params resolved(const Choice& choice) {
    const auto& info = known(choice);
    auto params = resolveParams(info.params, choice.params, info.label);
    if (!params) throw Failure(params.error().text);
    return *params;
}

}  // namespace

std::unique_ptr<NoiseSource> makeNoise(const Choice& choice, NoiseContext context) {
    const auto& info = known(choice);
    if (!info.make)
        throw Failure("The noise \"" + info.label
                      + "\" needs the run that is branched from. Branch from a run, or choose another noise.");
    context.seed = noiseSeed(choice, context.seed);
    return noise::withVariation(info, resolved(choice), context);
}

std::uint64_t noiseSeed(const Choice& choice, std::uint64_t runSeed) {
    return choice.params.contains("seed") ? unsignedInteger(choice.params, "seed") : runSeed;
}

bool sameNoise(const Choice& a, std::uint64_t seedA, const Choice& b, std::uint64_t seedB) {
    if (a.id != b.id || noiseSeed(a, seedA) != noiseSeed(b, seedB)) return false;
    if (!findNoise(a.id)) return a == b;
    Params left = resolved(a), right = resolved(b);
    left.erase("seed");
    right.erase("seed");
    return left == right;
}

Choice recordedNoise(const Choice& parent, std::uint64_t parentSeed) {
    Choice c = parent;
    c.params["seed"] = wholeParam(noiseSeed(parent, parentSeed));
    return c;
}

std::uint32_t drawAddress(const NoiseRequest& q) {
    constexpr std::uint32_t perInterval = 4096, mostIntervals = 1u << 14;
    const auto draw = std::uint32_t(q.draw);
    return (draw / perInterval * mostIntervals + std::uint32_t(q.step)) * perInterval + 1 + draw % perInterval;
}

std::pair<double, double> levelRange(const std::vector<double>& levels) {
    const double high = *std::max_element(levels.begin(), levels.end());
    double low = high;
    for (const double tau : levels)
        if (tau > 0) low = std::min(low, tau);
    return {low < high ? low : 0, high};
}

FirstState firstState(const Choice& noise, const Process& process, double tau, double sigmaData,
                      std::int64_t channels) {
    const Params p = resolved(noise);
    const std::string& rule = text(p, "initial_scale");
    const double a = process.signal(tau);
    if (rule == "unit_variance") return {std::hypot(a, tau), {}};
    if (rule == "comfyui")
        return {process.kind() != ProcessKind::RectifiedFlow && tau >= process.maximum() * (1 - 1e-5)
                    ? std::hypot(1, tau)
                    : tau,
                {}};
    if (rule != "analytic") return {tau, {}};
    FirstState f;
    const double variance = p.contains("data_variance") ? real(p, "data_variance") : sigmaData * sigmaData;
    f.noiseStd = std::sqrt(a * a * variance + tau * tau);
    if (p.contains("data_mean")) f.mean = std::get<std::vector<double>>(p.at("data_mean"));
    if (f.mean.size() == 1) f.mean.assign(std::size_t(channels), f.mean.front());
    if (!f.mean.empty() && std::int64_t(f.mean.size()) != channels)
        throw Failure("The mean of the data has " + std::to_string(f.mean.size())
                      + " numbers, but the model's states have " + std::to_string(channels)
                      + " channels. Give one number, or one for each.");
    for (double& m : f.mean) m *= a;
    return f;
}

Tensor makeFirstState(const FirstState& f, const Tensor& unit) {
    if (f.mean.empty()) return combine({{f.noiseStd, unit}});
    std::vector<double> values(std::size_t(unit.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = f.mean[i % f.mean.size()];
    const Tensor mean = upload(unit.backend(), HostTensor::fromDoubles(unit.shape(), values)).converted(unit.type());
    return combine({{f.noiseStd, unit}, {1, mean}});
}

bool drawsNoise(const SamplerInfo& info, const Params& params) {
    if (info.draws) return info.draws(params);
    bool isSet = false;
    for (const char* key : {"eta", "s_churn", "churn"})
        if (params.contains(key)) {
            isSet = true;
            if (real(params, key) > 0) return true;
        }
    return !isSet && info.stochastic;
}

std::string noiseProblem(const Choice& choice, const NoiseSituation& s) {
    const bool isResized = choice.params.contains("resize_height") || choice.params.contains("resize_width");
    if (isResized && !s.isImage)
        return "The noise of another size needs images; particles have none. Remove resize_height and resize_width.";
    const Params& p = choice.params;
    if (choice.id == "brownian" && p.contains("high") && p.contains("low") && !(real(p, "low") < real(p, "high")))
        return "The Brownian path leads from level " + display(real(p, "high")) + " to " + display(real(p, "low"))
               + ", which is no way down. Put its upper end (high) above the lower (low), or remove both to have the "
                 "run's own levels.";
    return {};
}

std::vector<std::string> noiseAdvice(const Choice& choice, const NoiseSituation& s) {
    const Params p = resolved(choice);
    const NoiseInfo& info = known(choice);
    std::vector<std::string> notes;
    const auto is = [&](const char* key, const char* value) { return p.contains(key) && text(p, key) == value; };
    const auto number = [&](const char* key) { return p.contains(key) ? real(p, key) : 0.0; };
    if (!s.draws) {
        if (choice.id == "brownian")
            notes.push_back("The Brownian path has no effect: " + s.samplerLabel
                            + " draws no noise on its way, so only the first noise counts.");
        if (p.contains("step_noise") && !is("step_noise", "continue"))
            notes.push_back("The noise of steps has no effect: " + s.samplerLabel + " draws none.");
    }
    if (s.draws && s.drawsBesidePath && choice.id == "brownian")
        notes.push_back("The Brownian path has no effect: " + s.samplerLabel
                        + " draws at one level or on a climb, and the path leads down; those draws are independent.");
    if (number("step_seed_delta") != 0 && is("step_noise", "continue"))
        notes.push_back(
            "The seed delta of steps has no effect while the same generator goes on; let steps have a new generator.");
    if (choice.id == "moving" && !s.isImage)
        notes.push_back("Particles have no place in an image: noise that moves with it is the addressed noise here.");
    if (p.contains("per") && !is("per", "image") && s.images > 1)
        notes.push_back("One generator for the whole batch: an image depends on how many are drawn beside it.");
    if (choice.id == "torch_cuda" || choice.id == "torch_cpu") {
        const bool onGpu = choice.id == "torch_cuda" || is("step_noise", "gpu");
        const std::int64_t threads = info.params.empty() || !onGpu ? 0 : noise::gpuThreads(p),
                           drawn = s.stateShape.count() * (is("per", "batch") ? s.images : 1);
        if (onGpu && drawn <= threads)
            notes.push_back("A draw of " + std::to_string(drawn)
                            + " numbers is the same on every GPU with at least as many threads (this one: "
                            + std::to_string(threads) + ").");
    }
    if (number("variation_strength") > 0 && s.images > 1)
        notes.push_back("With a variation every image varies the noise of the first.");
    if (s.restarted && p.contains("per"))
        notes.push_back(
            "The sampler restarts at the branch, so its noise goes on as if each step before had drawn once.");
    return notes;
}

}  // namespace meander
