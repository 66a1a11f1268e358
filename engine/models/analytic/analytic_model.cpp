#include "engine/models/analytic/analytic_model.h"

#include <algorithm>
#include <cmath>

#include "engine/models/analytic/exact_jump.h"

namespace meander {
namespace {

struct ClassConditioning final : Conditioning {
    std::optional<int> classIndex;
};

std::optional<int> classOf(const ConditioningPtr& c) {
    const auto* chosen = dynamic_cast<const ClassConditioning*>(c.get());
    return chosen ? chosen->classIndex : std::nullopt;
}

}  // namespace

AnalyticModel::AnalyticModel(ModelInfo info, Mixture mixture) : m_mixture(std::move(mixture)) {
    m_info = std::move(info);
    m_info.parametrization = Parametrization::X0;
    m_info.state.type = DType::F64;
    m_info.sigmaData = m_mixture.stddev();
    m_info.hasDensity = true;
    m_info.drawsData = true;
    m_info.conditioning = m_info.classes.empty() ? ConditioningKind::None : ConditioningKind::Class;
    m_info.bytesPerRow =
        std::size_t(m_mixture.dimensions()) * 2 * sizeof(double) + std::size_t(m_mixture.components()) * sizeof(double);
}

std::optional<int> AnalyticModel::classOf(const Prompt& prompt) const {
    if (prompt.unconditional || !prompt.classIndex) return std::nullopt;
    const int n = int(m_info.classes.size());
    if (*prompt.classIndex < 0 || *prompt.classIndex >= n)
        throw Failure("The model '" + m_info.name + "' has no class " + std::to_string(*prompt.classIndex)
                      + (n == 0 ? ": it has no classes." : ": its classes are 0 to " + std::to_string(n - 1) + "."));
    return prompt.classIndex;
}

ConditioningPtr AnalyticModel::condition(const Prompt& prompt) {
    auto c = std::make_shared<ClassConditioning>();
    c->classIndex = classOf(prompt);
    return c;
}

Tensor AnalyticModel::predict(const NetworkBatch& batch) {
    const std::size_t rows = std::size_t(batch.x.rows()), d = std::size_t(m_mixture.dimensions());
    if (std::size_t(batch.x.shape().rowCount()) != d || batch.taus.size() != rows || batch.conditioning.size() != rows)
        throw std::invalid_argument("analytic model: the batch " + batch.x.shape().text() + " does not fit states of "
                                    + std::to_string(d) + " numbers");
    const std::vector<double> x = download(batch.x).toDoubles();
    std::vector<double> denoised(x.size());
    for (std::size_t r = 0; r < rows; ++r) {
        if (m_info.distillation != Distillation::None) {
            std::vector<double> y(x.begin() + std::ptrdiff_t(r * d), x.begin() + std::ptrdiff_t((r + 1) * d));
            for (double& v : y) v /= m_info.process.nativeScale(batch.taus[r]);
            exactJump(m_mixture, m_info.process, m_info.distillation, batch.taus[r],
                      r < batch.targets.size() ? batch.targets[r] : std::nan(""), y,
                      std::span(denoised).subspan(r * d, d));
            continue;
        }
        const double s = m_info.process.nativeSignal(batch.taus[r]), n = m_info.process.nativeNoise(batch.taus[r]);
        m_mixture.denoise(std::span(x).subspan(r * d, d), s, n, meander::classOf(batch.conditioning[r]),
                          std::span(denoised).subspan(r * d, d));
    }
    return upload(batch.x.backend(), HostTensor::fromDoubles(batch.x.shape(), denoised)).converted(batch.x.type());
}

std::vector<double> AnalyticModel::logDensity(const HostTensor& x, double tau, const Prompt& prompt) const {
    const std::size_t d = std::size_t(m_mixture.dimensions());
    const std::vector<double> values = x.toDoubles();
    const double s = m_info.process.nativeSignal(tau), n = m_info.process.nativeNoise(tau);
    std::vector<double> logs;
    for (std::size_t at = 0; at + d <= values.size(); at += d)
        logs.push_back(m_mixture.logDensity(std::span(values).subspan(at, d), s, n, classOf(prompt)));
    return logs;
}

HostTensor AnalyticModel::drawData(std::int64_t n, std::uint64_t seed, const Prompt& prompt) const {
    const std::size_t d = std::size_t(m_mixture.dimensions());
    std::vector<double> values(std::size_t(n) * d);
    for (std::int64_t r = 0; r < n; ++r)
        m_mixture.draw(seed, std::uint32_t(r), classOf(prompt), std::span(values).subspan(std::size_t(r) * d, d));
    std::vector<std::int64_t> extents{n};
    extents.insert(extents.end(), m_info.state.shape.extents().begin(), m_info.state.shape.extents().end());
    return HostTensor::fromDoubles(Shape(extents), values);
}

HostTensor AnalyticModel::decode(const HostTensor& state) const {
    if (m_info.state.kind != StateKind::Image) return Model::decode(state);
    std::vector<float> pixels = state.toFloats();
    for (float& p : pixels) p = 0.5f * p + 0.5f;
    return HostTensor::fromFloats(state.shape(), pixels);
}

HostTensor AnalyticModel::encode(const HostTensor& images) const {
    if (m_info.state.kind != StateKind::Image) return Model::encode(images);
    std::vector<double> values = images.toDoubles();
    for (double& v : values) v = 2 * v - 1;
    return HostTensor::fromDoubles(images.shape(), values);
}

}  // namespace meander
