// Named places of a network at which hooks act (hook.h). A network names its sites once; every intervention and every
// recording works on all networks that have such sites.
#pragma once
#include <cstdint>
#include <string>

namespace meander::nn {

// Block, the attentions and FeedForward are residual branches x + f(x), and may be skipped or reused. Skip is where a
// U-Net joins a skip connection to its backbone. Trunk is all that lies between two places of a network, one inside the
// other: of a U-Net what is below a skip connection, of a transformer a block and all blocks behind it; it may be
// reused.
enum class SiteKind : std::uint8_t { Block, SelfAttention, CrossAttention, JointAttention, FeedForward, Skip, Trunk };

// Never derived from √n.
struct Grid {
    int height = 0, width = 0;
    bool operator==(const Grid&) const = default;
};

struct Site {
    SiteKind kind = SiteKind::Block;
    std::string path;  // "mid_block.attentions.0.transformer_blocks.0.attn1"
    // Index of its transformer block in execution order (as ModelInfo::blocks); of a Skip: of its up block; of a Trunk:
    // how many it lies in, the depth.
    int block = 0;
    int heads = 1;
    int stride = 1;            // cells of the state per token along each side: the site's grid is the state's / stride
    std::int64_t context = 0;  // CrossAttention: first column of its keys in a row of the context; its values follow
    double width = 1;          // Skip: channels of the backbone, in those of the first level
    bool isResidual = true;    // Trunk: x + f(x), like a branch; otherwise f(x), whose shape may be another
};

}  // namespace meander::nn
