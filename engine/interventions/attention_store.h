// Observes cross-attention: probabilities are reduced on the device before they come to the host. The output of the
// network has the same bits as without.
#pragma once
#include <map>
#include <span>
#include <vector>

#include "engine/nn/hook.h"
#include "engine/taps/taps.h"

namespace meander {

class AttentionStore final : public nn::SiteHook {
public:
    // `sites`: the cross-attentions that are recorded, in execution order. For one network call.
    AttentionStore(AttentionLevel level, std::vector<TapSite> sites);

    bool actsAt(const nn::Site& site) const override;
    bool needsProbabilities(const nn::SiteCall&) const override { return true; }
    void attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor& y) override;

    // One map per site of a row of the call; at level Summary the mean over heads and layers behind them.
    std::vector<AttentionMap> take(std::int64_t row);

private:
    struct Row {
        std::vector<AttentionMap> maps;
        std::vector<double> mean;  // sum over sites at the largest grid (height, width, tokens)
    };
    void addToMean(Row& row, nn::Grid grid, std::int64_t tokens, std::span<const float> headMean) const;

    AttentionLevel m_level;
    std::vector<TapSite> m_sites;
    std::map<std::string, int> m_index;  // of a path in the sites
    nn::Grid m_largest;
    std::map<std::int64_t, Row> m_rows;
};

}  // namespace meander
