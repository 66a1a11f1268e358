#include "engine/models/layers/gated_filter.h"

namespace meander {

DepthwiseFilter::DepthwiseFilter(NetworkBuilder& b, const std::string& name, int channels, int kernel, bool bias)
    : m_kernel(kernel) {
    const Shape shape{channels, 1, kernel, kernel};
    const std::vector<float> w = b.source.read(name + ".weight", shape).floats();
    b.parameters += shape.count();
    b.weightBytes += w.size() * sizeof(float);
    const std::size_t places = std::size_t(kernel) * std::size_t(kernel);
    for (std::size_t place = 0; place < places; ++place) {
        std::vector<float> values;
        for (std::size_t c = 0; c < std::size_t(channels); ++c) values.push_back(w[c * places + place]);
        m_weights.push_back(b.constant({channels}, values));
    }
    if (bias) m_bias = b.table(name + ".bias", {channels});
}

Tensor DepthwiseFilter::operator()(const Tensor& x) const {
    const Shape s = x.shape();
    Backend& backend = x.backend();
    const int border = m_kernel / 2;
    Tensor padded(backend, {s[0], s[1] + 2 * border, s[2] + 2 * border, s[3]}), y(backend, s), part(backend, s);
    backend.fill(padded, 0);
    backend.copy(x.converted(DType::F32), padded.view().slice(1, border, s[1]).slice(2, border, s[2]));
    backend.fill(y, 0);
    for (int dy = 0; dy < m_kernel; ++dy)
        for (int dx = 0; dx < m_kernel; ++dx) {
            backend.binary(kernels::Binary::Mul, padded.view().slice(1, dy, s[1]).slice(2, dx, s[2]),
                           m_weights[std::size_t(dy * m_kernel + dx)], part);
            backend.binary(kernels::Binary::Add, y, part, y);
        }
    if (m_bias) backend.binary(kernels::Binary::Add, y, m_bias, y);
    return y;
}

GatedFilter::GatedFilter(NetworkBuilder& b, const std::string& name, int channels, int inner)
    : m_up(b.linear(name + ".conv_inverted", channels, 2 * inner)),
      m_down(b.linear(name + ".conv_point", inner, channels, false)),
      m_filter(b, name + ".conv_depth", 2 * inner, 3, true) {}

Tensor GatedFilter::operator()(const Tensor& x, const nn::LinearOptions& last) const {
    const Tensor h = m_filter(nn::linear(x, m_up, {.activation = nn::Activation::Silu}));
    const std::int64_t inner = h.shape()[-1] / 2;
    const Tensor value = nn::columns(h, 0, inner), gate = nn::silu(nn::columns(h, inner, inner));
    x.backend().binary(kernels::Binary::Mul, value, gate, value);
    return nn::linear(value.converted(x.type()), m_down, last);
}

}  // namespace meander
