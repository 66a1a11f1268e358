#include "engine/models/analytic/manifold_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/models/checkpoint.h"
#include "kernels/api/philox.h"

namespace meander {

namespace {

constexpr double pi = std::numbers::pi;
constexpr std::uint32_t pointStream = 0x4d414e46;

double softmax(std::vector<double>& logs) {
    const double top = *std::max_element(logs.begin(), logs.end());
    double sum = 0;
    for (double& l : logs) sum += l = std::exp(l - top);
    for (double& l : logs) l /= sum;
    return top + std::log(sum);
}

struct Kind {
    const char *name, *label, *summary;
    ManifoldKind manifold;
    int coordinates;
};
const Kind kinds[] = {
    {"sphere", "Points on a sphere",
     "Four unequal points on the unit sphere: the smallest flow and the smallest mixture of bridges on a curved space, "
     "known exactly.",
     ManifoldKind::Sphere, 3},
    {"torus", "Points on a torus", "Four unequal points on a flat torus of two angles, known exactly.",
     ManifoldKind::Torus, 2},
    {"hyperboloid", "Points on a hyperboloid", "Four unequal points of the hyperbolic plane, known exactly.",
     ManifoldKind::Hyperboloid, 3},
};

// A tetrahedron, four places on the torus, and four directions at distance 1.2 in the hyperbolic plane, with the
// weights 0.4, 0.3, 0.2 and 0.1.
std::vector<double> pointsOf(ManifoldKind kind) {
    const double t = 1 / std::sqrt(3.0), r = std::sinh(1.2), top = std::cosh(1.2);
    if (kind == ManifoldKind::Sphere) return {t, t, t, t, -t, -t, -t, t, -t, -t, -t, t};
    if (kind == ManifoldKind::Torus) return {0.5, 1, -2, 2.5, 3, -1, -1, -2};
    return {top, r, 0, top, 0, r, top, -r, 0, top, 0, -r};
}

}  // namespace

std::optional<double> logContractedPrior(const Manifold& m, std::span<const double> centre, std::span<const double> x,
                                         double kappa) {
    const auto volume = m.logExpansion(centre, x, kappa);
    if (!volume) return {};
    std::vector<double> v(x.size()), far(x.size());
    m.log(centre, x, v);
    const double length = m.distance(centre, x) / kappa;
    if (m.kind() == ManifoldKind::Hyperboloid && length > 300) {
        const double n = m.dimension(int(x.size())), r = length + std::log(centre[0] + v[0] / (length * kappa));
        return *volume - 0.5 * (r * r + n * std::log(2 * pi)) + (n - 1) * (std::log(2 * r) - r);
    }
    for (double& c : v) c /= kappa;
    m.exp(centre, v, far);
    return *volume + m.logPrior(far);
}

ManifoldModel::ManifoldModel(ModelInfo info, std::vector<double> points, std::vector<double> weights, double bridge)
    : m_points(std::move(points)), m_weights(std::move(weights)), m_bridge(bridge) {
    m_info = std::move(info);
    m_info.parametrization = Parametrization::X0;
    m_info.state.type = DType::F64;
    m_info.drawsData = true;
    m_info.bytesPerRow = std::size_t(m_info.state.shape.count()) * 2 * sizeof(double);
}

// x_τ = exp_{x0}(τ log_{x0}(ε)): the density of x given x0 is the prior's at ε times the volume factor of the
// contraction.
void ManifoldModel::meanLog(std::span<const double> x, double tau, std::span<double> v) const {
    const Manifold& m = m_info.process.manifold();
    const std::size_t n = x.size();
    std::vector<double> logs;
    for (std::size_t k = 0; k < m_weights.size(); ++k) {
        const auto density = logContractedPrior(m, std::span(m_points).subspan(k * n, n), x, tau);
        logs.push_back(density && std::isfinite(*density) ? std::log(m_weights[k]) + *density : -INFINITY);
    }
    if (std::all_of(logs.begin(), logs.end(), [](double l) {
            return std::isinf(l);
        }))  // rounding put x outside of every contraction: the nearest point is its own
        for (std::size_t k = 0; k < logs.size(); ++k)
            logs[k] = -1e9 * m.distance(x, std::span(m_points).subspan(k * n, n));
    softmax(logs);
    std::fill(v.begin(), v.end(), 0.0);
    std::vector<double> toward(n);
    for (std::size_t k = 0; k < logs.size(); ++k) {
        if (logs[k] == 0) continue;
        m.log(x, std::span(m_points).subspan(k * n, n), toward);
        for (std::size_t i = 0; i < n; ++i) v[i] += logs[k] * toward[i];
    }
}

std::shared_ptr<const BridgeWeights> ManifoldModel::bridgeWeights(double tau) const {
    constexpr std::size_t most = 1024;
    const std::lock_guard lock(m_mutex);
    if (m_bridgeWeights.size() >= most) m_bridgeWeights.clear();
    auto& weights = m_bridgeWeights[tau];
    const double total = m_bridge * m_bridge;
    if (!weights)
        weights = std::make_shared<const BridgeWeights>(m_info.process.manifold().kind(), total * (1 - tau), total);
    return weights;
}

// Of Brownian bridges from the prior to the points: the drift of each, σ² τ ∇ log K_{T−t}(x, p), weighted by how likely
// a path at x leads there.
void ManifoldModel::bridgeDrift(std::span<const double> x, double tau, std::span<double> v) const {
    const Manifold& m = m_info.process.manifold();
    const std::size_t n = x.size();
    const double s = m_bridge * m_bridge * tau;
    const auto beginning = bridgeWeights(tau);
    std::vector<double> logs;
    std::vector<std::vector<double>> ways;
    for (std::size_t k = 0; k < m_weights.size(); ++k) {
        std::vector<double> way(n);
        m.log(x, std::span(m_points).subspan(k * n, n), way);
        double weight = std::log(m_weights[k]);
        if (m.kind() == ManifoldKind::Torus) {
            for (double& c : way) {  // every angle by itself
                const HeatKernel heat = circleHeat(c, s);
                weight += heat.log + beginning->log(std::abs(c));
                c = -s * heat.slope;
            }
        } else {
            const double angle = std::sqrt(m.product(x, way, way));
            const HeatKernel heat = sphereHeat(angle, s);
            weight += heat.log + beginning->log(angle);
            for (double& c : way) c *= -s * heat.slope / std::max(angle, 1e-12);
        }
        logs.push_back(weight);
        ways.push_back(std::move(way));
    }
    softmax(logs);
    std::fill(v.begin(), v.end(), 0.0);
    for (std::size_t k = 0; k < logs.size(); ++k)
        for (std::size_t i = 0; i < n; ++i) v[i] += logs[k] * ways[k][i];
}

// A state that a flat sampler took off the space is seen from the point of the space below it.
void ManifoldModel::denoise(std::span<const double> state, double tau, std::span<double> x0) const {
    std::vector<double> x(state.begin(), state.end()), v(x.size());
    if (const Manifold& m = m_info.process.manifold(); m.violation(x) > 1e-6) m.retract(x);
    if (m_bridge > 0) bridgeDrift(x, tau, v);
    else meanLog(x, tau, v);
    m_info.process.manifold().exp(x, v, x0);
}

Tensor ManifoldModel::predict(const NetworkBatch& batch) {
    const std::size_t n = std::size_t(m_info.state.shape.count());
    if (std::size_t(batch.x.shape().rowCount()) != n || std::int64_t(batch.taus.size()) != batch.x.rows())
        throw std::invalid_argument("manifold model: the batch " + batch.x.shape().text() + " does not fit");
    const std::vector<double> x = download(batch.x).toDoubles();
    std::vector<double> x0(x.size());
    for (std::size_t r = 0; r * n < x.size(); ++r)
        denoise(std::span(x).subspan(r * n, n), batch.taus[r], std::span(x0).subspan(r * n, n));
    return upload(batch.x.backend(), HostTensor::fromDoubles(batch.x.shape(), x0)).converted(batch.x.type());
}

HostTensor ManifoldModel::drawData(std::int64_t count, std::uint64_t seed, const Prompt&) const {
    const std::size_t n = std::size_t(m_info.state.shape.count());
    std::vector<double> data;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto random =
            kernels::philox4x32(0, 0, std::uint32_t(i), pointStream, std::uint32_t(seed), std::uint32_t(seed >> 32));
        double left = (double(random.v[0]) + 0.5) / 4294967296.0;
        std::size_t k = 0;
        while (k + 1 < m_weights.size() && left >= m_weights[k]) left -= m_weights[k++];
        data.insert(data.end(), m_points.begin() + std::ptrdiff_t(k * n),
                    m_points.begin() + std::ptrdiff_t((k + 1) * n));
    }
    return HostTensor::fromDoubles({count, std::int64_t(n)}, data);
}

std::vector<CatalogEntry> manifoldModels() {
    std::vector<CatalogEntry> entries;
    for (const auto& k : kinds) entries.push_back({std::string("analytic:") + k.name, k.label, k.summary});
    return entries;
}

std::unique_ptr<ManifoldModel> makeManifoldModel(ModelId id) {
    const auto* kind =
        std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return id.name == k.name; });
    if (kind == std::end(kinds)) return nullptr;
    ModelInfo info;
    info.id = id.text;
    info.name = kind->label;
    info.summary = kind->summary;
    info.family = "exact points on a curved space";
    info.state.kind = StateKind::Points;
    info.state.shape = {kind->coordinates};
    info.process = Process::rectifiedFlow().onManifold(Manifold(kind->manifold));
    const double bridge = id.takeNumber("bridge", 0, 0, 20);
    id.finish();
    if (bridge > 0 && kind->manifold == ManifoldKind::Hyperboloid)
        throw Failure("The mixture of bridges of '" + id.text
                      + "' is not known in closed form. Use the sphere or the torus.");
    if (bridge > 0) info.distillation = Distillation::Bridge;
    info.recommended = Json{{"sampler", {{"id", bridge > 0 ? "bridge_mixture" : "riemannian_flow"}}},
                            {"schedule", {{"id", "uniform_t"}}},
                            {"steps", 60},
                            {"images", 512}};
    if (bridge > 0) info.recommended["sampler"]["params"] = {{"sigma", bridge}};
    return std::make_unique<ManifoldModel>(std::move(info), pointsOf(kind->manifold),
                                           std::vector<double>{0.4, 0.3, 0.2, 0.1}, bridge);
}

}  // namespace meander
