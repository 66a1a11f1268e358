// Records of attention: what a run keeps of it (interventions/attention_store.h makes them).
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

// An attention layer or a transformer block, as a run stores it.
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

}  // namespace meander
