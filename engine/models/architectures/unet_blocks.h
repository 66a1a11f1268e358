// Parts of the U-Net. Activations are (rows, h, w, c); tokens are the same memory read as (rows, h·w, c).
#pragma once
#include <string>
#include <vector>

#include "engine/models/layers/attention_capture.h"
#include "engine/models/layers/builder.h"
#include "engine/models/layers/row_interventions.h"

namespace meander {

// What one call of the network hands to its parts.
struct UNetPass {
    Backend& backend;
    DType type;
    const Tensor& time;  // (rows, Σ channels) F32: the time projections of all residual blocks
    const Tensor& text;  // (rows, tokens, Σ 2·channels): keys and values of all cross-attentions
    AttentionCapture* capture;
    const RowInterventions* changes;
};

// Places in the two shared projections, handed out while the network is built.
struct SharedProjections {
    std::vector<NetworkBuilder::Part> time, text;
    std::vector<std::string> sites;  // paths of the cross-attentions, in execution order
    std::int64_t timeWidth = 0, textWidth = 0;
};

struct ResidualBlock {
    ResidualBlock(NetworkBuilder& b, const std::string& name, int in, int out, int groups, float eps, float outputScale,
                  int height, int width, SharedProjections& shared);
    Tensor operator()(const UNetPass& pass, const Tensor& x) const;

    int in, out, groups;
    float eps, outputScale;
    Norm norm1, norm2;
    Conv conv1, conv2;
    Linear shortcut;  // null: identity
    std::int64_t timeOffset;
};

// Self-attention, cross-attention and gated feed-forward, each with a residual (BasicTransformerBlock).
struct TransformerBlock {
    TransformerBlock(NetworkBuilder& b, const std::string& name, int channels, int heads, SharedProjections& shared);
    // tokens (rows, n, c) of a grid of height · width = n, in place.
    void operator()(const UNetPass& pass, Tensor& tokens, int height, int width) const;

    int channels, heads, site;
    std::int64_t textOffset;
    Norm norm1, norm2, norm3;
    Linear qkv, out1, query, out2, gate, value, down;
};

// Transformer2DModel: norm, projection in, blocks, projection out, residual.
struct SpatialTransformer {
    SpatialTransformer(NetworkBuilder& b, const std::string& name, int channels, int heads, int layers, int groups,
                       bool linearProjection, SharedProjections& shared);
    // May write into x.
    Tensor operator()(const UNetPass& pass, const Tensor& x) const;

    int groups;
    Norm norm;
    Linear projectIn, projectOut;
    std::vector<TransformerBlock> blocks;
};

}  // namespace meander
