#include "engine/sampling/gaussian_course.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>

namespace meander {
namespace {

constexpr std::int64_t sources = 4096;  // the first state, and draws of noise
constexpr std::size_t mostSteps = 200, mostRequests = 4000;

double varianceOf(const Tensor& x) {
    double sum = 0;
    for (const double v : download(x).toDoubles()) sum += v * v;
    return sum / double(x.shape().count());
}

// Every draw has a weight of its own; the same draw again is the same.
struct Weights : Sampling::Host {
    Weights(const Process& p, double deviation) : process(p), deviation(deviation) {}

    double exact(double tau) const {
        const double a = process.signal(tau);
        return a * a * deviation * deviation + tau * tau;
    }
    // Of the state's shape, at one source only, with root mean square `size`, as a draw of that deviation has.
    static Tensor unit(const Tensor& like, std::int64_t source, double size = 1) {
        std::vector<double> weights(std::size_t(like.shape().count()));
        weights[std::size_t(source)] = size * std::sqrt(double(weights.size()));
        return upload(like.backend(), HostTensor::fromDoubles(like.shape(), weights));
    }
    Tensor noise(const NoiseRequest& q, const Tensor& like) override {
        const auto [it, isNew] =
            known.emplace(std::array{double(q.step), double(q.draw), q.from, q.to}, std::int64_t(known.size()) + 1);
        if (it->second >= sources) throw Failure("More draws than are followed.");
        return unit(like, it->second);
    }
    void advanced(const Tensor& x, const NoiseLevel& to, bool) override {
        steps.push_back({steps.empty() ? first : steps.back().to, to.tau, varianceOf(x) / exact(to.tau)});
    }
    Tensor denoised(const DenoiseRequest& q) const {
        const double factor = process.signal(q.tau) * deviation * deviation / exact(q.tau);
        return combine({{factor, q.x}});
    }

    const Process& process;
    double deviation, first = 0;
    std::map<std::array<double, 4>, std::int64_t> known;
    std::vector<GaussianStep> steps;
};

// Reflects single values at bounds, which weights of sources have not.
bool keepsInBox(const Params& params) { return params.contains("low") && params.contains("high"); }

}  // namespace

bool controlsError(const SamplerInfo& sampler) {
    for (const ParamSpec& p : sampler.params)
        if (sampler.freeSteps && p.key == "rtol") return true;
    return false;
}

std::vector<double> levelsOf(const std::vector<GaussianStep>& course) {
    std::vector<double> levels{course.front().from};
    for (const GaussianStep& s : course) levels.push_back(s.to);
    return levels;
}

std::optional<std::vector<GaussianStep>> gaussianCourse(const SamplerInfo& sampler, const Params& params,
                                                        const Process& process, const std::vector<double>& levels,
                                                        double deviation) {
    if (controlsError(sampler) || keepsInBox(params) || sampler.needsData || sampler.inverts || sampler.roundTrip
        || !process.manifold().isFlat() || levels.size() > mostSteps + 1)
        return {};
    static thread_local const std::unique_ptr<Backend> backend = kernels::createCpuBackend({1});
    Weights host(process, deviation);
    host.first = levels.front();
    try {
        const Tensor shape = upload(*backend, HostTensor::fromDoubles({1, sources}, std::vector<double>(sources)));
        Sampling s(process, levels, params, Weights::unit(shape, 0, std::sqrt(host.exact(levels.front()))), host);
        SamplerTask task = sampler.run(s);
        std::size_t requests = 0;
        for (task.resume(); !task.done(); task.resume()) {
            for (DenoiseRequest& q : s.pending()) {
                if (++requests > mostRequests) return {};
                q.answer.denoised = q.answer.conditional = q.answer.unconditional = host.denoised(q);
            }
            s.clearPending();
        }
    } catch (const std::exception&) {
        return {};
    }
    if (host.steps.empty()) return {};
    return std::move(host.steps);
}

}  // namespace meander
