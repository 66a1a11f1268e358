// x · factor + offset, per channel: pixels in [0, 1] ↔ [−1, 1], latents ↔ states as the denoiser sees them.
#pragma once
#include "engine/models/layers/builder.h"

namespace meander {

class ChannelMap {
public:
    ChannelMap() = default;
    ChannelMap(NetworkBuilder& builder, const std::vector<float>& factors, const std::vector<float>& offsets)
        : m_factors(builder.constant({std::int64_t(factors.size())}, factors)),
          m_offsets(builder.constant({std::int64_t(offsets.size())}, offsets)) {}

    // A new tensor.
    Tensor operator()(const Tensor& x) const {
        Tensor y(x.backend(), x.shape(), x.type());
        x.backend().binary(kernels::Binary::Mul, x, m_factors, y);
        x.backend().binary(kernels::Binary::Add, y, m_offsets, y);
        return y;
    }

private:
    Tensor m_factors, m_offsets;
};

// state = (latent − mean) / deviation, and back.
struct LatentScale {
    ChannelMap toState, toLatent;

    LatentScale() = default;
    LatentScale(NetworkBuilder& builder, const std::vector<double>& mean, const std::vector<double>& deviation) {
        std::vector<float> factor, offset, inverse, shift;
        for (std::size_t c = 0; c < mean.size(); ++c) {
            factor.push_back(float(1 / deviation[c]));
            offset.push_back(float(-mean[c] / deviation[c]));
            inverse.push_back(float(deviation[c]));
            shift.push_back(float(mean[c]));
        }
        toState = {builder, factor, offset};
        toLatent = {builder, inverse, shift};
    }
};

}  // namespace meander
