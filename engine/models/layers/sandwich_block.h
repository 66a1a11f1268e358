// A block of Lumina Image 2 (Qin et al. 2025) and Z-Image (2025): RMS norms before and behind attention and
// feed-forward, SwiGLU, RMS norms of the heads, keys that several heads may share (Ainslie et al. 2023).
//
//   x += tanh(g₁) · n₂(attention(n₁(x) · (1 + s₁)));  x += tanh(g₂) · n₄(ff(n₃(x) · (1 + s₂)))
//
// s and g come from the time; a block of the text alone has none.
#pragma once
#include "engine/models/layers/builder.h"
#include "engine/models/layers/rotary.h"
#include "engine/nn/module.h"
#include "engine/nn/pass.h"

namespace meander {

struct SandwichBlockStyle {
    std::int64_t width = 0, inner = 0;
    int heads = 1, keyHeads = 1, patch = 1;
    std::int64_t vector = 0;  // width of what the modulation is projected from
    float eps = 1e-5f, headEps = 1e-5f;
    struct Names {
        std::string modulation, attentionNorm, q, k, v, queryNorm, keyNorm, out, attentionEndNorm, feedForwardNorm,
            gate, up, down, feedForwardEndNorm;
    } names;
    int headWidth() const { return int(width / heads); }
};

class SandwichBlock final : public nn::Module {
public:
    SandwichBlock(std::string path, NetworkBuilder& b, const SandwichBlockStyle& style, nn::SiteKind attention,
                  bool isModulated);
    // x (rows, tokens, width), written into. Vector 0 of the pass (rows, vector).
    Tensor operator()(const nn::Pass& pass, const Tensor& x, const Rotary& rotary) const;
    // What its attention is given: the norm of x, scaled.
    Tensor start(const nn::Pass& pass, const Tensor& x) const;

private:
    std::vector<Tensor> gammas(const Tensor& vector) const;
    Tensor attention(const nn::Pass& p, const Tensor& h, const Rotary& rotary) const;

    const SandwichBlockStyle m_style;
    const nn::Site &m_block, &m_attention, &m_feedForward;
    Linear m_modulation, m_qkv, m_out, m_gate, m_up, m_down;
    Tensor m_queryNorm, m_keyNorm;
    Tensor m_norms[4];  // before and behind the attention, before and behind the feed-forward
};

}  // namespace meander
