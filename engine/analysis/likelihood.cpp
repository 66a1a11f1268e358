#include "engine/analysis/likelihood.h"

#include <cmath>
#include <numbers>

namespace meander {

namespace {

using Values = std::vector<double>;
constexpr double smallestShare = 1e-9, smallestDifference = 1e-9;

// Directions of the trace, each shaped as y: unit vectors of every coordinate, or random signs.
std::vector<Tensor> directions(const Tensor& y, const LikelihoodOptions& o) {
    const auto rows = y.rows(), n = y.shape().rowCount();
    std::vector<Tensor> all;
    for (std::int64_t k = 0; k < (o.probes > 0 ? o.probes : n); ++k) {
        Values v(std::size_t(y.count()), 0.0);
        if (o.probes == 0) {
            for (std::int64_t r = 0; r < rows; ++r) v[std::size_t(r * n + k)] = 1;
        } else {
            Tensor z(y.backend(), y.shape(), DType::F64);
            std::vector<kernels::NoiseAddress> addresses;
            for (std::int64_t r = 0; r < rows; ++r)
                addresses.push_back({o.seed, std::uint32_t(r), std::uint32_t(k), 0});
            y.backend().normal(addresses, z);
            v = download(z).toDoubles();
            for (double& x : v) x = x < 0 ? -1 : 1;
        }
        all.push_back(upload(y.backend(), HostTensor::fromDoubles(y.shape(), v)).converted(y.type()));
    }
    return all;
}

Values gaussianPrior(const Tensor& y, double tau) {
    const double n = double(y.shape().rowCount());
    Values log = y.backend().reduceRows(kernels::Reduction::SumSquares, y);
    for (double& v : log) v = -0.5 * v / (tau * tau) - n * std::log(tau) - 0.5 * n * std::log(2 * std::numbers::pi);
    return log;
}

// dy/d(log τ) = y − D, and per row d(log q)/d(log τ) = −(n − tr ∂D/∂y).
struct Slope {
    Tensor state;
    Values log;
};
class Flow {
public:
    Flow(const RequestEstimator& estimator, const Tensor& y, const LikelihoodOptions& o)
        : m_estimator(estimator),
          m_directions(directions(y, o)),
          m_isExact(o.probes == 0),
          m_difference(o.difference.value_or(y.type() == DType::F64 ? 1e-4 : 1e-2)) {}
    Slope at(const Tensor& y, double tau) const {
        const double h = m_difference * tau;
        std::vector<Tensor> asked{y};
        for (const Tensor& v : m_directions) {
            asked.push_back(combine({{1, y}, {h, v}}));
            asked.push_back(combine({{1, y}, {-h, v}}));
        }
        const Tensor d = m_estimator({stackRows(asked), tau, tau, std::nan(""), 0, {}}).denoised;
        const std::int64_t rows = y.rows();
        Values trace(std::size_t(rows), 0.0);
        const double share = m_isExact ? 1 : 1 / double(m_directions.size());
        for (std::size_t k = 0; k < m_directions.size(); ++k) {
            const auto along =
                y.backend().dotRows(m_directions[k], combine({{1, d.slice(std::int64_t(2 * k + 1) * rows, rows)},
                                                              {-1, d.slice(std::int64_t(2 * k + 2) * rows, rows)}}));
            for (std::size_t r = 0; r < trace.size(); ++r) trace[r] += share * along[r] / (2 * h);
        }
        for (double& t : trace) t -= double(y.shape().rowCount());
        return {combine({{1, y}, {-1, d.slice(0, rows)}}), trace};
    }
    int evaluations() const { return 1 + 2 * int(m_directions.size()); }

private:
    const RequestEstimator& m_estimator;
    std::vector<Tensor> m_directions;
    bool m_isExact;
    double m_difference;
};

}  // namespace

namespace {

// Rows of the estimator over the whole path. What would take years is refused, not begun.
void checkCost(const Tensor& y, const LikelihoodOptions& o) {
    constexpr double mostNumbers = 1e13, mostAtOnce = 4e9;
    const double evaluations = 1 + 2 * double(o.probes > 0 ? o.probes : y.shape().rowCount()),
                 atOnce = evaluations * double(y.count()), all = 4.0 * o.steps * atOnce;
    if (atOnce > mostAtOnce || all > mostNumbers)
        throw Failure("The likelihood of these " + std::to_string(y.rows()) + " points in "
                      + std::to_string(y.shape().rowCount()) + " dimensions would take "
                      + display(4.0 * o.steps * evaluations * double(y.rows()))
                      + " evaluations of the network. Take fewer points or steps, or random directions (probes).");
}

// Numbers that are not finite stay so: the rest of the path would be walked for nothing.
void checkFinite(const Values& values) {
    for (double v : values)
        if (!std::isfinite(v))
            throw Failure("The log-likelihood is not a number: the network's answers are not finite, as with damaged "
                          "weights, or the steps are too long. Check the model, or take more steps.");
}

}  // namespace

double lowestLevel(const Process& process, const LikelihoodOptions& options) {
    return options.low ? *options.low : process.minimum() > 0 ? process.minimum() : 1e-3 * process.maximum();
}

Likelihood logLikelihood(const Process& process, const RequestEstimator& estimator, const Tensor& start,
                         const LikelihoodOptions& o) {
    if (!process.manifold().isFlat())
        throw Failure("The likelihood along the probability flow is that of flat space; this process lives on the "
                      + std::string(nameOf(process.manifold().kind())) + ".");
    const double low = lowestLevel(process, o), high = process.maximum(), step = std::log(high / low) / o.steps;
    // Below, differences of the network vanish in rounding.
    if (o.low && !(low >= smallestShare * high && low < high))
        throw Failure("The level of the data must lie from " + display(smallestShare * high) + " to below the highest, "
                      + display(high) + ".");
    if (o.difference && !(*o.difference >= smallestDifference && *o.difference <= 1))
        throw Failure("The difference must lie from " + display(smallestDifference) + " to 1, in units of the level.");
    checkFinite(start.backend().reduceRows(kernels::Reduction::SumAbs, start));
    checkCost(start, o);
    const Flow flow(estimator, start, o);
    Tensor y = start;
    Values gained(std::size_t(y.rows()), 0.0);  // log q at the end less that at the start
    for (int k = 0; k < o.steps; ++k) {
        const double u = std::log(low) + k * step;
        const auto tau = [&](double part) { return std::exp(u + part * step); };
        const Slope a = flow.at(y, tau(0)), b = flow.at(combine({{1, y}, {step / 2, a.state}}), tau(0.5)),
                    c = flow.at(combine({{1, y}, {step / 2, b.state}}), tau(0.5)),
                    d = flow.at(combine({{1, y}, {step, c.state}}), tau(1));
        y = combine({{1, y}, {step / 6, a.state}, {step / 3, b.state}, {step / 3, c.state}, {step / 6, d.state}});
        for (std::size_t r = 0; r < gained.size(); ++r)
            gained[r] += step / 6 * (a.log[r] + 2 * b.log[r] + 2 * c.log[r] + d.log[r]);
        checkFinite(gained);
    }
    Likelihood result{{}, o.prior ? o.prior(y, high) : gaussianPrior(y, high), y, 4 * o.steps * flow.evaluations()};
    // y is x/scale, so densities of x are smaller by scale^n.
    const double native = double(y.shape().rowCount()) * std::log(process.nativeScale(low));
    for (std::size_t r = 0; r < gained.size(); ++r) result.logDensity.push_back(result.prior[r] - gained[r] - native);
    checkFinite(result.logDensity);
    return result;
}

}  // namespace meander
