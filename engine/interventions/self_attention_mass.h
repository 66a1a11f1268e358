// Observes the self-attention of one transformer block: what each token receives of all queries together, mean over
// heads, 1 on average (Hong et al. 2023, SAG). The output of the network has the same bits as without.
#pragma once
#include <map>

#include "engine/nn/hook.h"

namespace meander {

class SelfAttentionMass final : public nn::SiteHook {
public:
    // `block`: index into ModelInfo::blocks. For one network call.
    explicit SelfAttentionMass(int block) : m_block(block) {}

    bool actsAt(const nn::Site& site) const override {
        return site.kind == nn::SiteKind::SelfAttention && site.block == m_block;
    }
    bool needsProbabilities(const nn::SiteCall&) const override { return true; }
    void attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor& y) override;

    // (height, width) F32 of a row of the call; empty where the block was not computed.
    HostTensor take(std::int64_t row) { return m_rows[row]; }

private:
    int m_block;
    std::map<std::int64_t, HostTensor> m_rows;
};

}  // namespace meander
