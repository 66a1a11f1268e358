#include "engine/models/text/emphasis.h"

#include <algorithm>
#include <numeric>

namespace meander {
namespace {

double meanOf(std::span<const float> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

}  // namespace

Tensor emphasised(const Tensor& states, std::span<const float> weights, PromptDialect dialect,
                  const std::function<Tensor()>& empty) {
    if (std::all_of(weights.begin(), weights.end(), [](float w) { return w == 1; })) return states;
    std::vector<float> z = download(states).toFloats();
    const std::size_t width = std::size_t(states.shape()[1]);
    const double mean = meanOf(z);
    std::vector<float> base;
    if (dialect == PromptDialect::ComfyUi) base = download(empty()).toFloats();
    for (std::size_t i = 0; i < z.size(); ++i) {
        const float w = weights[i / width];
        if (base.empty()) z[i] *= w;
        else if (w != 1) z[i] = base[i] + w * (z[i] - base[i]);
    }
    if (dialect == PromptDialect::A1111)
        if (const double now = meanOf(z); now != 0)
            for (float& v : z) v = float(v * (mean / now));
    return upload(states.backend(), HostTensor::fromFloats(states.shape(), z));
}

}  // namespace meander
