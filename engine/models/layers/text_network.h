// A denoising network that is conditioned on text features through cross-attention.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "engine/nn/hook.h"
#include "engine/nn/module.h"
#include "engine/taps/taps.h"

namespace meander {

class TextNetwork : public nn::Module {
public:
    // Everything that depends on the text only: keys and values of all cross-attentions side by side. features (tokens,
    // width) F32 → context (1, tokens, total).
    virtual Tensor prepareText(const Tensor& features) = 0;
    // x (rows, h, w, c) F32, a time per row, context (rows, tokens, total) of prepareText → network output (rows, h, w,
    // c') F32. `guidance`: the scale per row that a guidance-distilled network is conditioned on; empty: none.
    virtual Tensor forward(const Tensor& x, std::span<const double> times, const Tensor& context,
                           const nn::Hooks& hooks = {}, std::span<const std::optional<double>> guidance = {}) = 0;
    // Estimated activation memory of one row, in bytes.
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
