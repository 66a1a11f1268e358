#include "engine/sampling/solve.h"

#include <cmath>

namespace meander {

namespace {

struct FunctionHost : Sampling::Host {
    const NoiseFunction& draw;
    std::vector<Tensor> states;
    explicit FunctionHost(const NoiseFunction& f) : draw(f) {}
    Tensor noise(const NoiseRequest& request, const Tensor& like) override {
        if (!draw) throw Failure("The sampler draws noise and no noise source was given. Choose one.");
        return draw(request, like);
    }
    void advanced(const Tensor& x, const NoiseLevel&, bool) override { states.push_back(x); }
};

// factor · y + offset
Tensor affine(const Tensor& y, double factor, double offset) {
    auto values = download(y).toDoubles();
    for (double& v : values) v = factor * v + offset;
    return upload(y.backend(), HostTensor::fromDoubles(y.shape(), values)).converted(y.type());
}

}  // namespace

Solution solve(const SamplerInfo& info, const Process& process, const std::vector<double>& levels, const Tensor& start,
               const Params& params, const Estimator& estimator, const NoiseFunction& noise, int firstStep) {
    return solve(info, process, levels, start, params,
                 RequestEstimator([&](const DenoiseRequest& q) { return estimator(q.x, q.tau); }), noise, firstStep);
}

Solution solve(const SamplerInfo& info, const Process& process, const std::vector<double>& levels, const Tensor& start,
               const Params& params, const RequestEstimator& estimator, const NoiseFunction& noise, int firstStep,
               const Tensor& clean) {
    auto full = resolveParams(info, params);
    if (!full) throw Failure(full.error().text);
    Solution result;
    FunctionHost host(noise);
    Sampling s(process, levels, std::move(*full), start, host, firstStep);
    s.clean = clean;
    SamplerTask task = info.run(s);
    task.resume();
    while (!task.done()) {
        ++result.rounds;
        for (DenoiseRequest& q : s.pending()) {
            ++result.requests;
            q.answer = estimator(q);
            if (!q.answer.conditional) q.answer.conditional = q.answer.denoised;
            if (!q.answer.unconditional && info.unconditional) q.answer.unconditional = q.answer.denoised;
        }
        s.clearPending();
        task.resume();
    }
    result.state = s.x;
    result.levels = s.levels();
    result.advances = int(host.states.size());
    result.states = std::move(host.states);
    return result;
}

Tensor denoise(const Gaussian& g, const Process& process, const Tensor& y, double tau) {
    const double a = process.signal(tau), v = g.stddev * g.stddev, gain = a * v / (a * a * v + tau * tau);
    return affine(y, gain, g.mean * (1 - gain * a));
}

Estimator gaussianEstimator(const Process& process, Gaussian g) {
    return [&process, g](const Tensor& y, double tau) { return DenoiseResult{denoise(g, process, y, tau), {}, {}}; };
}

Estimator gaussianEstimator(const Process& process, GaussianPair pair) {
    return [&process, pair](const Tensor& y, double tau) {
        DenoiseResult a;
        a.conditional = denoise(pair.conditional, process, y, tau);
        a.unconditional = denoise(pair.unconditional, process, y, tau);
        a.denoised = combine({{pair.scale, a.conditional}, {1 - pair.scale, a.unconditional}});
        return a;
    };
}

Tensor exactFlow(const Gaussian& g, const Process& process, const Tensor& y, double from, double to) {
    const auto spread = [&](double tau) { return std::hypot(process.signal(tau) * g.stddev, tau); };
    const double factor = spread(to) / spread(from);
    return affine(y, factor, g.mean * (process.signal(to) - factor * process.signal(from)));
}

}  // namespace meander
