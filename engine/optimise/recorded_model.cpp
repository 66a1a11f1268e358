#include "engine/optimise/recorded_model.h"

#include <algorithm>
#include <cmath>

#include "engine/analysis/symmetric_eigen.h"

namespace meander {

namespace {

constexpr std::size_t mostDirections = 64;  // of the largest components; the rest shares one number

// What the rows differ from their mean by.
std::vector<State> centred(const ReferencePaths& reference, auto stateOf) {
    std::vector<State> rows;
    for (const ReferencePath& p : reference.paths) rows.push_back(stateOf(p));
    for (std::size_t i = 0; i < rows.front().size(); ++i) {
        double mean = 0;
        for (const State& row : rows) mean += row[i] / double(rows.size());
        for (State& row : rows) row[i] -= mean;
    }
    return rows;
}

// Principal components of rows, by the eigenvectors of their Gram matrix.
std::vector<State> principalDirections(const std::vector<State>& rows) {
    const std::size_t n = std::min(rows.size(), 4 * mostDirections);
    std::vector<double> gram(n * n);
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = 0; b <= a; ++b) gram[a * n + b] = gram[b * n + a] = dot(rows[a], rows[b]);
    const Eigen eigen = symmetricEigen(gram, int(n));
    std::vector<State> directions;
    for (std::size_t k = 0; k < std::min(n, mostDirections); ++k) {
        if (!(eigen.values[k] > 1e-9 * eigen.values[0])) break;
        State direction(rows.front().size(), 0.0);
        for (std::size_t a = 0; a < n; ++a)
            for (std::size_t i = 0; i < direction.size(); ++i)
                direction[i] += eigen.vectors[k][a] / std::sqrt(eigen.values[k]) * rows[a][i];
        directions.push_back(std::move(direction));
    }
    return directions;
}

}  // namespace

RecordedModel::RecordedModel(const ReferencePaths& reference) : m_reference(reference) {
    if (reference.paths.size() < 2) {
        m_shares.assign(std::size_t(reference.intervals()), {1.0});
        findGains();
        return;
    }
    m_directions = principalDirections(centred(reference, [](const auto& p) { return p.states.back(); }));
    for (std::size_t k = 0; k + 1 < reference.levels.size(); ++k) {
        const auto states = centred(reference, [k](const auto&p) { return p.states[k]; }),
                   estimates = centred(reference, [k](const auto&p) { return p.denoised[k]; });
        double together = 0, squares = 0;  // over all directions, then over what is left
        for (std::size_t r = 0; r < states.size(); ++r) {
            together += dot(states[r], estimates[r]);
            squares += dot(states[r], states[r]);
        }
        const double whole = squares > 0 ? together / squares : 1, all = squares;
        std::vector<double> shares;
        for (const State& direction : m_directions) {
            double own = 0, ownSquares = 0;
            for (std::size_t r = 0; r < states.size(); ++r) {
                const double along = dot(states[r], direction);
                own += along * dot(estimates[r], direction);
                ownSquares += along * along;
            }
            shares.push_back(ownSquares > 0 ? own / ownSquares : whole);
            together -= own;
            squares -= ownSquares;
        }
        shares.push_back(squares > 1e-9 * all ? together / squares : whole);
        m_shares.push_back(std::move(shares));
    }
    findGains();
}

void RecordedModel::findGains() {
    const auto last = std::size_t(m_reference.intervals());
    m_gains.assign(last + 1, std::vector<double>(m_directions.size() + 1, 1.0));
    for (std::size_t k = last; k-- > 0;)
        for (std::size_t b = 0; b <= m_directions.size(); ++b) {
            const double ratio = m_reference.levels[k + 1] / m_reference.levels[k],
                         share = ratio > 0 ? (m_shares[k][b] + m_shares[k + 1][b]) / 2 : m_shares[k][b];
            m_gains[k][b] = m_gains[k + 1][b] * (ratio > 0 ? std::pow(ratio, 1 - share) : share);
        }
}

double RecordedModel::rmsAtEnd(const State& displacement, int level) const {
    const std::vector<double>& gains = m_gains[std::size_t(level)];
    double rest = dot(displacement, displacement), sum = 0;
    for (std::size_t b = 0; b < m_directions.size(); ++b) {
        const double along = std::pow(dot(displacement, m_directions[b]), 2);
        sum += gains[b] * gains[b] * along;
        rest -= along;
    }
    sum += gains.back() * gains.back() * std::max(0.0, rest);
    return std::sqrt(sum / double(displacement.size()));
}

void RecordedModel::share(State& displacement, Place at) const {
    const std::size_t next = at.share > 0 ? at.above + 1 : at.above;
    const auto shareOf = [&](std::size_t direction) {
        return (1 - at.share) * m_shares[at.above][direction] + at.share * m_shares[next][direction];
    };
    const double rest = shareOf(m_directions.size());
    std::vector<double> along;
    for (const State& direction : m_directions) along.push_back(dot(displacement, direction));
    for (double& v : displacement) v *= rest;
    for (std::size_t k = 0; k < m_directions.size(); ++k) {
        const double more = (shareOf(k) - rest) * along[k];
        for (std::size_t i = 0; i < displacement.size(); ++i) displacement[i] += more * m_directions[k][i];
    }
}

RecordedModel::Place RecordedModel::placeOf(double tau) const {
    const std::vector<double>& levels = m_reference.levels;
    const auto last = std::size_t(m_reference.intervals()) - 1;  // the last level with an estimate
    if (tau >= levels.front()) return {0, 0};
    if (tau <= levels[last]) return {last, 0};
    const auto below =
        std::size_t(std::upper_bound(levels.begin(), levels.end(), tau, std::greater<>()) - levels.begin());
    return {below - 1, std::log(levels[below - 1] / tau) / std::log(levels[below - 1] / levels[below])};
}

// The cubic through both neighbours with the slopes recorded there (Hermite); straight on beyond the last estimate.
State RecordedModel::stateAt(const ReferencePath& path, Place at, double tau) const {
    const std::size_t k = at.above;
    const double a = m_reference.levels[k];
    const State &y = path.states[k], &d = path.denoised[k];
    State state(y.size());
    if (at.share == 0) {
        for (std::size_t i = 0; i < y.size(); ++i) state[i] = y[i] + (tau - a) * (y[i] - d[i]) / a;
        return state;
    }
    const double b = m_reference.levels[k + 1], h = b - a, u = (tau - a) / h;
    const State &z = path.states[k + 1], &e = path.denoised[k + 1];
    for (std::size_t i = 0; i < y.size(); ++i)
        state[i] = (1 + 2 * u) * (1 - u) * (1 - u) * y[i] + u * (1 - u) * (1 - u) * h * (y[i] - d[i]) / a
                   + u * u * (3 - 2 * u) * z[i] + u * u * (u - 1) * h * (z[i] - e[i]) / b;
    return state;
}

RequestEstimator RecordedModel::estimator() const {
    return [this](const DenoiseRequest& q) {
        const Place at = placeOf(q.tau);
        const std::size_t k = at.above, next = at.share > 0 ? k + 1 : k, d = m_reference.dimensions();
        std::vector<double> values = download(q.x).toDoubles();
        for (std::size_t r = 0; r < m_reference.paths.size(); ++r) {
            const ReferencePath& path = m_reference.paths[r];
            State displacement = stateAt(path, at, q.tau);
            for (std::size_t i = 0; i < d; ++i) displacement[i] = values[r * d + i] - displacement[i];
            share(displacement, at);
            for (std::size_t i = 0; i < d; ++i)
                values[r * d + i] =
                    (1 - at.share) * path.denoised[k][i] + at.share * path.denoised[next][i] + displacement[i];
        }
        return DenoiseResult{upload(q.x.backend(), HostTensor::fromDoubles(q.x.shape(), values)), {}, {}};
    };
}

std::vector<double> predictedErrors(const ReferencePaths& reference, const SamplerInfo& sampler, const Params& params,
                                    const std::vector<double>& levels) {
    const auto backend = kernels::createCpuBackend({1});
    const RecordedModel model(reference);
    const std::size_t d = reference.dimensions();
    const double scale = levels.front() / reference.levels.front();  // the same noise at a lower first level
    std::vector<double> start;
    for (const ReferencePath& p : reference.paths)
        for (const double v : p.states.front()) start.push_back(scale * v);
    const Shape shape{std::int64_t(reference.paths.size()), std::int64_t(d)};
    const std::vector<double> ends =
        solve(sampler, reference.process, levels, upload(*backend, HostTensor::fromDoubles(shape, start)), params,
              model.estimator())
            .values();
    std::vector<double> errors;
    for (std::size_t r = 0; r < reference.paths.size(); ++r) {
        const State& truth = reference.paths[r].states.back();
        double sum = 0;
        for (std::size_t i = 0; i < d; ++i) sum += std::pow(ends[r * d + i] - truth[i], 2);
        errors.push_back(sum / double(d));
    }
    return errors;
}

}  // namespace meander
