// Reuse inside the network: from one evaluation to the next (interventions/step_cache.h), and of tokens for those that
// are alike. What is reused is not computed.
#include "engine/guidance/inside_network.h"
#include "engine/guidance/rule_common.h"
#include "engine/interventions/intervention.h"

namespace meander::guidance {
namespace {

bool isOff(const Params& p) {
    if (p.contains("every")) return integer(p, "every") == 1;
    return real(p, p.contains("ratio") ? "ratio" : "threshold") == 0;
}

template <const char* const& id> std::unique_ptr<GuidanceRun> make(const Params& p, GuidanceSetup& s) {
    return insideNetwork(id, p, s, !isOff(p));
}

std::string idle(const GuidanceContext& c) {
    if (isOff(c.params)) return "It has no effect at these settings: every evaluation is computed whole.";
    return whyWindowIsEmpty(c);
}

constexpr const char *deepCacheId = "deep_cache", *firstBlockId = "first_block_cache", *teaCacheId = "tea_cache",
                     *seaCacheId = "sea_cache", *taylorSeerId = "taylor_seer", *tokenMergingId = "token_merging";

GuidanceRule reusing(const char* id, const char* saves,
                     std::unique_ptr<GuidanceRun> (*make)(const Params&, GuidanceSetup&)) {
    return insideNetwork({.id = id,
                          .label = {},
                          .group = {},
                          .summary = {},
                          .source = {},
                          .cost = std::string("no row; ") + saves,
                          .params = {},
                          .keepsFeatures = std::string(id) != tokenMergingId,
                          .reuses = true,
                          .make = make,
                          .idle = idle});
}

}  // namespace

GuidanceRule deepCache() {
    return reusing(deepCacheId, "saves the inside of the U-Net in all but every n-th evaluation", make<deepCacheId>);
}
GuidanceRule firstBlockCache() {
    return reusing(firstBlockId, "saves all but the first block where it has hardly changed", make<firstBlockId>);
}
GuidanceRule teaCache() {
    return reusing(teaCacheId, "saves the blocks where their input has hardly changed", make<teaCacheId>);
}
GuidanceRule seaCache() {
    return reusing(seaCacheId, "saves the blocks where the image in their input has hardly changed", make<seaCacheId>);
}
GuidanceRule taylorSeer() {
    return reusing(taylorSeerId, "saves the blocks in all but every n-th evaluation", make<taylorSeerId>);
}
GuidanceRule tokenMerging() {
    return reusing(tokenMergingId, "saves most of the self-attention it acts in", make<tokenMergingId>);
}

}  // namespace meander::guidance
