// The blocks of a transformer one after the other, each with all behind it a trunk (nn::SiteKind::Trunk).
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

inline nn::Site trunkSite(int depth, int patch) {
    return {nn::SiteKind::Trunk, "trunk." + std::to_string(depth), depth, 1, patch, 0, 1, true};
}

// Blocks i, i + 1 … of x.
inline Tensor runTrunk(const nn::Pass& pass, const TrunkBlocks& blocks, const Tensor& x, std::size_t i = 0) {
    if (i == blocks.sites.size()) return x;
    return pass.trunk(
        *blocks.sites[i], x,
        [&](const nn::Pass& p, const Tensor& rows) { return runTrunk(p, blocks, blocks.run(i, p, rows), i + 1); },
        [&](const nn::Pass& p, const Tensor& rows) { return blocks.start(i, p, rows); });
}

}  // namespace meander
