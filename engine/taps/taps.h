// What is recorded inside a network while it runs. Taps are asked first: where nobody looks, the fused path runs.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/tensor/tensor.h"

namespace meander {

// Off: nothing. Summary: per layer and head the entropy and the token mass, and one head-and-layer-mean map per token.
// Layers: the mean over heads per layer. Full: every head.
enum class AttentionLevel : std::uint8_t { Off, Summary, Layers, Full };

const char* nameOf(AttentionLevel l);

// A layer that can be tapped, in execution order.
struct TapSite {
    std::string path;  // "down_blocks.0.attentions.0.transformer_blocks.0.attn2"
    int heads = 1;
    int height = 0, width = 0;  // query grid; never derived from √n
    int tokens = 0;             // keys that are text tokens
};

// Cross-attention of one layer for one evaluation and one row (image, branch). Probabilities are softmax over *all*
// keys of the text side, raw; every other normalisation is applied when shown and named there.
struct AttentionMap {
    int site = 0;   // index into the run's sites; −1: mean over heads and layers (the one map of level Summary)
    int heads = 1;  // 1 for head means
    HostTensor probabilities;    // (heads, height, width, tokens) F16
    std::vector<float> entropy;  // per head, mean over queries, in units of log(tokens): 0 = one token, 1 = uniform
    std::vector<float> mass;     // (heads, tokens): mean over queries
};

struct TapRequest {
    AttentionLevel attention = AttentionLevel::Off;
    std::vector<char> rows;  // per row of the call: record it?
    // Per row: the transformer block (index into ModelInfo::blocks) whose self-attention is summed for SAG; empty:
    // nobody asked.
    std::vector<std::optional<int>> selfBlocks;
};
struct TapResult {
    // [row][site]; rows that were not asked for are empty
    std::vector<std::vector<AttentionMap>> attention;
    // [row] (height, width) F32: what each token receives of all queries together, mean over heads; 1 on average. Empty
    // where nobody asked.
    std::vector<HostTensor> selfMass;
};

}  // namespace meander
