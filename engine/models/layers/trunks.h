// Trunks of a network (nn::SiteKind::Trunk): of a transformer each block with all behind it, of a U-Net all that is
// below each of its skip connections.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/nn/pass.h"

namespace meander {

struct TrunkBlocks {
    std::vector<const nn::Site*> sites;  // one per block
    // Block i of x (rows, tokens, width), which may be written into; and what it gives to its attention
    // (SiteCall::start).
    std::function<Tensor(std::size_t i, const nn::Pass&, const Tensor&x)> run, start;
};

// A U-Net's skip connections, outermost first; each lies in the one before it. down(i): the layers between connections
// i − 1 and i. middle: those below the innermost. up(i): from where connection i joins x to the next.
struct TrunkLevels {
    std::vector<const nn::Site*> sites;  // one per skip connection
    std::function<Tensor(std::size_t i, const nn::Pass&, const Tensor& x)> down;
    std::function<Tensor(const nn::Pass&, const Tensor& x)> middle;
    std::function<Tensor(std::size_t i, const nn::Pass&, Tensor x, Tensor skip)> up;
};

inline nn::Site trunkSite(int depth, int patch) {
    return {nn::SiteKind::Trunk, "trunk." + std::to_string(depth), depth, 1, patch, 0, 1, true};
}
inline nn::Site trunkBelowSkip(int depth, int stride) {
    return {nn::SiteKind::Trunk, "trunk." + std::to_string(depth), depth, 1, stride, 0, 1, false};
}

// Blocks i, i + 1 … of x.
inline Tensor runTrunk(const nn::Pass& pass, const TrunkBlocks& blocks, const Tensor& x, std::size_t i = 0) {
    if (i == blocks.sites.size()) return x;
    return pass.trunk(
        *blocks.sites[i], x,
        [&](const nn::Pass& p, const Tensor& rows) { return runTrunk(p, blocks, blocks.run(i, p, rows), i + 1); },
        [&](const nn::Pass& p, const Tensor& rows) { return blocks.start(i, p, rows); });
}

// Everything between skip connection i, whose tensor is x, and its end on the way up.
inline Tensor runTrunk(const nn::Pass& pass, const TrunkLevels& levels, Tensor x, std::size_t i = 0) {
    Tensor inner = pass.trunk(
        *levels.sites[i], x,
        [&](const nn::Pass& p, const Tensor& skip) {
            if (i + 1 == levels.sites.size()) return levels.middle(p, skip);
            return runTrunk(p, levels, levels.down(i + 1, p, skip), i + 1);
        },
        [](const nn::Pass&, const Tensor& skip) { return skip.clone(); });
    return levels.up(i, pass, std::move(inner), std::move(x));
}

}  // namespace meander
