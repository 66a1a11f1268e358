// Samplers are coroutines. A sampler reads like the algorithm in its paper and says `co_await s.denoise(x, level)`; who answers (the live network, a
// record, several guidance branches, a batch shared with other runs) is the driver's business.
#pragma once
#include <coroutine>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/params.h"
#include "engine/process/process.h"
#include "engine/tensor/tensor.h"

namespace meander {

// A point of the schedule.
struct Level {
    double tau = 0;
    int index = 0;  // position in the schedule
    bool isClean() const { return tau == 0; }
    operator double() const { return tau; }
};
struct Interval {
    Level from, to;
};

struct Answer {
    Tensor denoised;                    // combined x̂0
    Tensor conditional, unconditional;  // its parts; unconditional is empty when guidance did not ask
};

struct DenoiseRequest {
    Tensor x;
    double tau = 0;
    double target = std::numeric_limits<double>::quiet_NaN();  // τ stepped to, for models that are told
    int step = 0;
    Answer* answer = nullptr;
};

class SamplerTask {
public:
    struct promise_type {
        std::exception_ptr error;
        SamplerTask get_return_object() { return SamplerTask(std::coroutine_handle<promise_type>::from_promise(*this)); }
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
        // Normals for what is added between two levels; the same address always gives the same bits.
        virtual Tensor noise(int draw, const Tensor& like) = 0;
        virtual void advanced(const Tensor& x, const Level& to, bool stochastic) = 0;
    };
    Sampling(const Process& p, std::vector<double> levels, Params params, Tensor initial, Host& host, int firstStep = 0)
        : x(std::move(initial)), process(p), params(std::move(params)), m_levels(std::move(levels)), m_host(host), m_first(firstStep) {}
    Sampling(const Sampling&) = delete;

    Tensor x;  // the state y in integration coordinates
    const Process& process;
    const Params params;

    // Intervals still to do, noisiest first.
    std::vector<Interval> intervals() const;
    int steps() const { return int(m_levels.size()) - 1; }

    // Awaitable: the denoised estimate at (x, tau). `target`: where the step is headed.
    struct Denoise {
        Sampling& s;
        DenoiseRequest request;
        Answer answer;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<>) {
            request.answer = &answer;
            s.m_pending = &request;
        }
        Answer await_resume() { return std::move(answer); }
    };
    Denoise denoise(const Tensor& state, double tau, std::optional<double> target = {}) {
        return Denoise{*this, {state, tau, target ? *target : std::numeric_limits<double>::quiet_NaN(), m_step, nullptr}, {}};
    }
    // dy/dτ = (y − D)/τ of the probability-flow ODE, the same in all integration coordinates.
    static Tensor slope(const Tensor& state, const Tensor& denoised, double tau) {
        return combine({{1 / tau, state}, {-1 / tau, denoised}});
    }
    double signal(double tau) const { return process.signal(tau); }
    // half log-SNR: log(a/τ), the λ of DPM-Solver
    double halfLogSnr(double tau) const;
    // Standard normals for the interval that is being done; `n` distinguishes several draws inside one interval.
    Tensor noise(int n = 0) {
        m_stochastic = true;
        return m_host.noise(m_step * 4 + 1 + n, x);
    }
    // The interval is done: `next` is the state at `to`.
    void advance(Tensor next, const Level& to) {
        x = std::move(next);
        m_host.advanced(x, to, m_stochastic);
        m_stochastic = false;
        m_step = to.index;
    }

    DenoiseRequest* pending() const { return m_pending; }
    void clearPending() { m_pending = nullptr; }

private:
    std::vector<double> m_levels;
    Host& m_host;
    int m_first = 0, m_step = m_first;
    bool m_stochastic = false;
    DenoiseRequest* m_pending = nullptr;
};

struct SamplerInfo {
    std::string id, label, summary, source;  // source: paper, algorithm
    std::vector<ParamSpec> params;
    int order = 1;              // of convergence on smooth problems; 0: not an ODE solver
    bool stochastic = false;    // draws noise at its default settings
    bool fewStep = false;       // meant for consistency-type models
    SamplerTask (*run)(Sampling&);
    // Requests it makes in interval `step` of `steps` (the first at its start, a second at its end).
    int (*requestsInStep)(int step, int steps, const Params&);
};

const std::vector<SamplerInfo>& samplers();
const SamplerInfo* findSampler(const std::string& id);

}  // namespace meander
