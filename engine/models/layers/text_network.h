// A denoising network that is conditioned on text features through cross-attention.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/models/layers/attention_capture.h"
#include "engine/models/layers/row_interventions.h"
#include "engine/tensor/tensor.h"

namespace meander {

class TextNetwork {
public:
    virtual ~TextNetwork() = default;

    // Everything that depends on the text only: keys and values of all cross-attentions side by side. features (tokens,
    // width) F32 → (1, tokens, total).
    virtual Tensor prepareText(const Tensor& features) = 0;
    // x (rows, h, w, c) F32, a time per row, text (rows, tokens, total) of prepareText → network output (rows, h, w,
    // c') F32. `capture` and `changes` may be null.
    virtual Tensor forward(const Tensor& x, std::span<const double> times, const Tensor& text,
                           AttentionCapture* capture, const RowInterventions* changes) = 0;
    virtual std::vector<TapSite> sites(int height, int width, int tokens) const = 0;
    // Estimate of the activation memory of one row.
    virtual std::size_t bytesPerRow(int height, int width) const = 0;

    std::int64_t parameters = 0;
    std::size_t weightBytes = 0;
};

}  // namespace meander
