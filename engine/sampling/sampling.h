// Samplers are coroutines. A sampler reads like the algorithm in its paper and says `co_await s.denoise(x, level)`; the
// driver answers, from the live network, a record, several guidance branches or a batch shared with other runs.
#pragma once
#include <algorithm>
#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/params.h"
#include "engine/process/distillation.h"
#include "engine/process/process.h"
#include "engine/tensor/sum.h"

namespace meander {

// A point of the schedule.
struct NoiseLevel {
    double tau = 0;
    int index = 0;  // position in the schedule
    bool isClean() const { return tau == 0; }
    operator double() const { return tau; }
};
struct Interval {
    NoiseLevel from, to;
};

// The combined x̂0 that the sampler steps with, and its parts for rules that use them inside the step (CFG++).
struct DenoiseResult {
    Tensor denoised;  // combined x̂0
    Tensor conditional,
        unconditional;  // its parts; unconditional is empty when neither guidance nor the sampler uses it
    operator const Tensor&() const { return denoised; }
};

struct DenoiseRequest {
    Tensor x;
    double tau = 0;
    double target = 0;  // τ stepped to, for models conditioned on it; τ itself: no step, the velocity
    std::optional<double> networkTau = {};  // the network is conditioned on the time of this level instead of τ's
    int step = 0;
    DenoiseResult answer = {};
};

// Which fresh noise: the draw-th of an interval, and the levels it bridges (for sources that are paths, such as a
// Brownian motion).
struct NoiseRequest {
    int step = 0;             // interval of the schedule, from 0
    int draw = 0;             // several in one interval: 0, 1, 2 ...
    double from = 0, to = 0;  // τ
};

class SamplerTask {
public:
    struct promise_type {
        std::exception_ptr error;
        SamplerTask get_return_object() {
            return SamplerTask(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { error = std::current_exception(); }
    };
    SamplerTask() = default;
    explicit SamplerTask(std::coroutine_handle<promise_type> h) : m_handle(h) {}
    SamplerTask(SamplerTask&& o) noexcept : m_handle(std::exchange(o.m_handle, {})) {}
    SamplerTask& operator=(SamplerTask&& o) noexcept {
        if (this != &o) {
            if (m_handle) m_handle.destroy();
            m_handle = std::exchange(o.m_handle, {});
        }
        return *this;
    }
    ~SamplerTask() {
        if (m_handle) m_handle.destroy();
    }
    bool done() const { return !m_handle || m_handle.done(); }
    // Runs to the next request or the end; rethrows what the sampler threw.
    void resume() {
        m_handle.resume();
        if (m_handle.done() && m_handle.promise().error) std::rethrow_exception(m_handle.promise().error);
    }

private:
    std::coroutine_handle<promise_type> m_handle;
};

// What a sampler sees of its run. Lives in the driver, at a fixed address, longer than the coroutine.
class Sampling {
public:
    struct Host {
        virtual ~Host() = default;
        // Standard normals shaped as `like`.
        virtual Tensor noise(const NoiseRequest& request, const Tensor& like) = 0;
        virtual void advanced(const Tensor& x, const NoiseLevel& to, bool stochastic) = 0;
    };
    Sampling(const Process& p, std::vector<double> levels, Params params, Tensor initial, Host& host, int firstStep = 0)
        : x(std::move(initial)),
          process(p),
          params(std::move(params)),
          m_levels(std::move(levels)),
          m_host(host),
          m_first(firstStep) {}
    Sampling(const Sampling&) = delete;

    Tensor x;      // the state y in integration coordinates
    Tensor clean;  // x0 that the run starts from; empty when it starts from noise
    const Process& process;
    const Params params;

    // Intervals still to do, noisiest first (an inverting sampler runs on a rising list).
    std::vector<Interval> intervals() const;
    int steps() const { return int(m_levels.size()) - 1; }
    const std::vector<double>& levels() const { return m_levels; }

    // Awaitable: the denoised estimate at (x, tau). `target`: where the step is headed, by default the end of the
    // interval.
    struct Denoise {
        Sampling& s;
        std::vector<DenoiseRequest> requests;
        bool await_ready() const noexcept { return requests.empty(); }
        void await_suspend(std::coroutine_handle<>) { s.m_pending = requests; }
        DenoiseResult await_resume() { return std::move(requests.front().answer); }
    };
    struct DenoiseAll : Denoise {
        std::vector<DenoiseResult> await_resume() {
            std::vector<DenoiseResult> answers;
            for (auto& q : requests) answers.push_back(std::move(q.answer));
            return answers;
        }
    };
    struct Query {
        Tensor x;
        double tau = 0;
        std::optional<double> target = {};
        std::optional<int> step = {};           // interval of the record, by default the current one
        std::optional<double> networkTau = {};  // see DenoiseRequest
    };
    Denoise denoise(const Tensor& state, double tau, std::optional<double> target = {}) {
        return {*this, {request({state, tau, target, {}, {}})}};
    }
    Denoise denoise(const Query& query) { return {*this, {request(query)}}; }
    // Several at once: they share network calls (parallel-in-time sweeps, particles).
    DenoiseAll denoiseAll(const std::vector<Query>& queries) {
        std::vector<DenoiseRequest> list;
        for (const auto& q : queries) list.push_back(request(q));
        return {{*this, std::move(list)}};
    }

    // dy/dτ = (y − D)/τ of the probability-flow ODE, the same in all integration coordinates.
    static Sum slope(const Tensor& state, const Tensor& denoised, double tau) { return (state - denoised) / tau; }
    // ε̂ = (y − a D)/τ
    Sum noiseEstimate(const Tensor& state, const Tensor& denoised, double tau) const {
        return (state - signal(tau) * denoised) / tau;
    }
    double signal(double tau) const { return process.signal(tau); }
    // half log-SNR: log(a/τ), the λ of DPM-Solver; −∞ at pure noise of a flow, +∞ at 0. And back.
    double halfLogSnr(double tau) const { return 0.5 * process.logSnr(tau); }
    double tauOfHalfLogSnr(double lambda) const { return process.tauOfLogSnr(2 * lambda); }

    // A step to `to` that is partly denoising, partly fresh noise: deterministic to sigmaDown, then y' = scale · y +
    // noiseStd · z.
    struct AncestralStep {
        double sigmaDown, scale, noiseStd;
    };
    // sigmaDown = τ' √(1 − η² (1 − (τ'/τ)²)); η = 1 is the ancestral step (k-diffusion's σ_down, and ComfyUI's for
    // flow), η = 0 deterministic.
    AncestralStep ancestral(double from, double to, double eta) const;
    // The step through a given sigmaDown ≤ to.
    AncestralStep ancestralVia(double sigmaDown, double to) const;

    // Standard normals for the interval that is being done; `draw` distinguishes several inside one interval.
    Tensor noise(int draw = 0) { return noise(m_levels[std::size_t(m_step)], m_levels[std::size_t(m_step) + 1], draw); }
    // The same for a part of it, or for levels a sampler chose itself.
    Tensor noise(double from, double to, int draw) {
        m_stochastic = true;
        return m_host.noise({m_step, draw, from, to}, x);
    }
    // noiseStd · z with fresh z; nothing, and nothing is drawn, where noiseStd is 0.
    Sum freshNoise(double noiseStd, int draw = 0) { return noiseStd != 0 ? noiseStd * noise(draw) : Sum(); }
    Sum freshNoise(double noiseStd, double from, double to, int draw = 0) {
        return noiseStd != 0 ? noiseStd * noise(from, to, draw) : Sum();
    }
    // The second half of an ancestral step: y at sigmaDown, noised up to the target.
    Sum addNoise(const Sum& y, const AncestralStep& step, double noiseScale = 1) {
        return step.scale * y + freshNoise(noiseScale * step.noiseStd);
    }
    // Clean data noised to τ: a x0 + τ z.
    Sum addNoise(const Tensor& clean, double tau) { return signal(tau) * clean + freshNoise(tau); }

    // The interval is done: `next` is the state at `to`.
    void advance(Tensor next, const NoiseLevel& to) {
        x = std::move(next);
        m_host.advanced(x, to, m_stochastic);
        m_stochastic = false;
        m_step = std::min(to.index, steps() - 1);
    }
    // For samplers that choose their own steps (SamplerInfo::freeSteps): the next state is at τ, wherever that lies
    // before the last level. Levels of the schedule that were to come are dropped, except the last, which finish()
    // reaches.
    void advanceFreely(Tensor next, double tau) {
        dropComing();
        m_levels.insert(m_levels.end() - 1, tau);
        advance(std::move(next), NoiseLevel{tau, m_step + 1});
    }
    void finish(Tensor next) {
        dropComing();
        advance(std::move(next), NoiseLevel{m_levels.back(), steps()});
    }

    // Requests that wait for their answers, in order; empty when the sampler is done.
    std::span<DenoiseRequest> pending() const { return m_pending; }
    void clearPending() { m_pending = {}; }

private:
    DenoiseRequest request(const Query& q) const {
        const double end = m_levels[std::size_t(m_step) + 1];
        return {q.x, q.tau, q.target.value_or(end), q.networkTau, q.step.value_or(m_step)};
    }
    void dropComing() { m_levels.erase(m_levels.begin() + m_step + 1, m_levels.end() - 1); }
    std::vector<double> m_levels;
    Host& m_host;
    int m_first = 0, m_step = m_first;
    bool m_stochastic = false;
    std::span<DenoiseRequest> m_pending;
};

// Requests per interval of most samplers: one, or two in all intervals but the last.
inline int oncePerStep(int, int, const Params&) { return 1; }
inline int twiceButLast(int step, int steps, const Params&) { return step + 1 < steps ? 2 : 1; }

// The run that a sampler's refusals and advice depend on.
struct SamplerSituation {
    const Params& params;
    const Process& process;
    const std::vector<double>& levels;
    std::int64_t elements = 0;  // of one state
    int images = 1;
    bool isImage = false;  // states are (height, width, channels)
};

// One row of the table of samplers (samplers/list.inl): what form, command line, file format, documentation and tests
// need to know.
struct SamplerInfo {
    std::string id, label, summary, source;  // source: paper, algorithm or equation
    std::string group;                       // heading in a long list: "One step", "Multistep", "Stochastic" ...
    std::vector<ParamSpec> params = {};
    int order = 1;            // of convergence on smooth problems at its default settings; 0: not an ODE solver
    bool stochastic = false;  // draws noise at its default settings
    std::vector<Distillation> madeFor = {};  // kinds of checkpoint it suits; empty: all that follow the ODE
    // Uses the unconditional estimate inside its step (CFG++), so it is evaluated even at scale 1. A model without a
    // condition answers with its only estimate.
    bool unconditional = false;
    bool freeSteps = false;     // chooses its own steps between the first and the last level
    bool inverts = false;       // runs from clean to noise, on rising levels
    bool roundTrip = false;     // climbs from clean data to the run's first level and comes back down
    bool needsData = false;     // starts from given data (Sampling::clean)
    bool unitVariance = false;  // its checkpoints start from native noise of variance 1 at whatever level
    bool curved = false;        // steps on curved spaces too (Process::manifold); others leave them
    // Draws at one level or for a climb (churn, restarts, Langevin), never on the way down: a Brownian path between the
    // levels has no part in it.
    bool drawsBesidePath = false;
    SamplerTask (*run)(Sampling&) = nullptr;
    // Requests it makes in interval `step` of `steps` (the first at its start, a second at its end).
    int (*requestsInStep)(int step, int steps, const Params&) = oncePerStep;
    // For rules with levels of their own (segments, lists of times): the levels in place of the schedule's, strictly
    // falling from its first to its last.
    std::vector<double> (*ownLevels)(const Process&, const std::vector<double>& schedule, const Params&) = nullptr;
    // A sentence with its remedy where parameters that are valid one by one do not fit together, else empty; null: they
    // always do.
    std::string (*problem)(const Params&) = nullptr;
    // The same where they do not fit the model or the levels of a run.
    std::string (*misfit)(const SamplerSituation&) = nullptr;
    // Whether it draws noise with these (resolved) parameters; null: where its eta or churn is above 0, without either
    // as `stochastic`.
    bool (*draws)(const Params&) = nullptr;
    // A sentence where these settings sample another law than a user expects, else empty; null: never.
    std::string (*advice)(const SamplerSituation&) = nullptr;
};

const std::vector<SamplerInfo>& samplers();
const SamplerInfo* findSampler(const std::string& id);
// For resolveParams: the sentence for a setting of randomness given to a deterministic sampler; null for the others.
ParamHint paramHint(const SamplerInfo& sampler);
// Defaults filled in and checked, one by one and together (SamplerInfo::problem).
Result<Params> resolveParams(const SamplerInfo& sampler, const Params& given);

}  // namespace meander
