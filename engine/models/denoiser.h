// A denoising network of images: what a model calls at every evaluation. Architectures (architectures/architecture.h)
// build them.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "engine/models/conditions.h"
#include "engine/nn/hook.h"
#include "engine/nn/module.h"
#include "engine/taps/taps.h"

namespace meander {

struct DenoiserInput {
    Tensor x;                       // (rows, h, w, c) F32
    std::span<const double> times;  // per row, as the network was trained (Conversion::time)
    const Conditions& conditions;   // prepared, of all rows
    const nn::Hooks& hooks;
    // Per row: the scale that a guidance-distilled network is conditioned on; empty: none.
    std::span<const std::optional<double>> guidance = {};
};

class Denoiser : public nn::Module {
public:
    // Everything that depends on the conditions only, for one prompt: raw → as `forward` takes them. Throws Failure
    // when a width does not fit the network.
    virtual Conditions prepare(const Conditions& raw) = 0;
    // The raw output (rows, h, w, c') F32. Throws Failure for a size that the network cannot take.
    virtual Tensor forward(const DenoiserInput& in) = 0;
    // Estimated activation memory of one row, in bytes, for a state of height · width.
    virtual std::size_t bytesPerRow(int height, int width) const = 0;
    // The cross-attentions in execution order, for a state of height · width and a text of `tokens`.
    std::vector<TapSite> crossAttentions(int height, int width, int tokens) const {
        std::vector<TapSite> found;
        for (const nn::Site* s : sites())
            if (s->kind == nn::SiteKind::CrossAttention)
                found.push_back({s->path, s->heads, height / s->stride, width / s->stride, tokens});
        return found;
    }

    std::int64_t parameters = 0;
    std::size_t weightBytes = 0;
};

}  // namespace meander
