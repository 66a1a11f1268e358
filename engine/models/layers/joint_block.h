// Blocks of transformers whose tokens are a text and behind it an image (Esser et al. 2024; Flux.1, 2024). Both attend
// to both. In a joint block the text and the image have weights of their own; a parallel block has one set for all
// tokens and computes attention and feed-forward from the same norm.
//
//   joint:     x += g₁ · out(attention(m₁(x)));  x += g₂ · ff(m₂(x))
//   parallel:  h = m(x);  x += g · (out(attention(h)) + down(ff(h)))
//
// with m(x) = norm(x) · (1 + scale) + shift; scale, shift and gate g come from the time (adaLN, Peebles & Xie 2023).
#pragma once
#include "engine/models/layers/builder.h"
#include "engine/models/layers/rotary.h"
#include "engine/nn/module.h"
#include "engine/nn/pass.h"

namespace meander {

// Sizes and switches of all blocks of a network.
struct JointBlockStyle {
    int heads = 1, headWidth = 1;
    int patch = 1;           // cells of the state per token along each side
    std::int64_t inner = 0;  // of the feed-forward
    bool hasBias = true;
    bool hasHeadNorms = true;       // RMS norm of every head of q and k
    bool isGated = false;           // feed-forward SwiGLU, its gate stored before its factor; otherwise GELU
    bool sharesModulation = false;  // see vectors of the blocks
    std::int64_t width() const { return std::int64_t(heads) * headWidth; }
};

// Names of the weights of the image's or the text's part of a joint block, within the block.
struct StreamNames {
    std::string modulation, q, k, v, queryNorm, keyNorm, out, up, down;
};

// What the blocks of one call share.
struct JointTokens {
    std::int64_t text = 0;           // tokens of the text; those of the image follow
    const Rotary* rotary = nullptr;  // null: no rotary positions
};

class JointBlock final : public nn::Module {
public:
    struct Kind {
        StreamNames image, text;
        bool hasSecondAttention = false;  // "attn2", of the image to itself (Stable Diffusion 3.5 medium)
        bool endsText = false;            // the text gives keys and values only: nothing reads it afterwards
    };
    JointBlock(std::string path, NetworkBuilder& b, const JointBlockStyle& style, const Kind& kind);
    // x (rows, tokens, width), written into. Vectors of the pass: 0, what the modulation is projected from (rows,
    // width); where it is shared, 1 and 2: those of the image and of the text (rows, 6 · width), shift, scale and gate
    // of the attention and of the feed-forward.
    Tensor operator()(const nn::Pass& pass, const Tensor& x, const JointTokens& tokens) const;
    // What its attention is given of the image: the norm of its tokens, scaled and shifted.
    Tensor start(const nn::Pass& pass, const Tensor& x, const JointTokens& tokens) const;

private:
    struct Stream {
        Linear modulation, qkv, out, gate, up, down;
        Tensor queryNorm, keyNorm;
    };
    Stream read(NetworkBuilder& b, const StreamNames& names, int vectors, bool ends) const;
    Tensor modulation(const nn::Pass& pass, const Stream& s, std::size_t shared) const;
    void project(const Stream& s, const Tensor& h, const Tensor& to) const;
    Tensor attention(const nn::Pass& p, const Tensor& x, const JointTokens& tokens) const;
    Tensor secondAttention(const nn::Pass& p, const Tensor& x, const JointTokens& tokens) const;
    Tensor feedForward(const nn::Pass& p, const Tensor& x, const JointTokens& tokens) const;

    const JointBlockStyle m_style;
    const Kind m_kind;
    const nn::Site &m_block, &m_attention, *m_secondAttention, &m_feedForward;
    Stream m_image, m_text, m_second;
};

class ParallelBlock final : public nn::Module {
public:
    struct Names {
        std::string modulation, q, k, v, queryNorm, keyNorm, up, out;
        std::string all;  // where q, k, v, gate and up are one matrix
    };
    ParallelBlock(std::string path, NetworkBuilder& b, const JointBlockStyle& style, const Names& names);
    // As JointBlock; where the modulation is shared, vector 3 (rows, 3 · width): shift, scale, gate.
    Tensor operator()(const nn::Pass& pass, const Tensor& x, const JointTokens& tokens) const;
    Tensor start(const nn::Pass& pass, const Tensor& x, const JointTokens& tokens) const;

private:
    const JointBlockStyle m_style;
    const nn::Site &m_block, &m_attention, &m_feedForward;
    Linear m_modulation, m_qkv, m_out, m_gate, m_up, m_down;
    Tensor m_queryNorm, m_keyNorm;
};

}  // namespace meander
