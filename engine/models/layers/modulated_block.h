// A block of a diffusion transformer: self-attention and feed-forward, each on a layer norm that the time (and class)
// scales and shifts, each added back through a gate (adaLN-Zero, Peebles & Xie 2023); between them an optional
// cross-attention to text (PixArt-α, Chen et al. 2023).
#pragma once
#include "engine/models/layers/builder.h"
#include "engine/nn/module.h"
#include "engine/nn/pass.h"

namespace meander {

// Names of the weights of a block, and where its six vectors come from: columns of Pass::vectors(0) from `first` on,
// or, with a table (6, width), Pass::vectors(0) … (5), to which its rows are added.
struct ModulatedBlockNames {
    std::vector<std::string> qkv;  // one fused matrix or three that are stacked
    std::string attention, selfOut, query, crossAttention, crossOut, feedForward, up, down, table;
    float secondEps = 1e-6f;  // of the norm before the feed-forward
};

class ModulatedBlock final : public nn::Module {
public:
    // A block without cross-attention has no names for it. `context`: first column of its keys in the context.
    ModulatedBlock(std::string path, NetworkBuilder& b, const ModulatedBlockNames& names, std::int64_t width, int heads,
                   int patch, std::int64_t first, std::int64_t context = 0);
    // x (rows, n, width), may be written into.
    Tensor operator()(const nn::Pass& pass, const Tensor& x) const;
    // What its self-attention is given: the norm of x, scaled and shifted.
    Tensor start(const nn::Pass& pass, const Tensor& x) const { return modulated(pass, x, 0, 1e-6f); }

private:
    // Vector i (rows, width) of shift, scale, gate of the attention, then of the feed-forward.
    Tensor vector(const nn::Pass& pass, int i) const;
    Tensor modulated(const nn::Pass& pass, const Tensor& x, int i, float eps) const;

    std::int64_t m_width, m_first;
    float m_secondEps;
    const nn::Site &m_block, &m_selfAttention, *m_crossAttention, &m_feedForward;
    Linear m_qkv, m_selfOut, m_query, m_crossOut, m_up, m_down;
    Tensor m_table;
};

}  // namespace meander
