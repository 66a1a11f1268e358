// One attention layer by itself: 2 rows, a 4 × 3 grid, 2 heads of 4, and a description of the model that has it.
#pragma once
#include "engine/nn/pass.h"
#include "tests/engine/interventions/network_bench.h"

namespace meander::bench {

class LayerBench {
protected:
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    static constexpr int rows = 2, height = 4, width = 3, tokens = 12, channels = 8, heads = 2;
    const nn::Site m_self{nn::SiteKind::SelfAttention, "attn1", 0, heads},
        m_cross{nn::SiteKind::CrossAttention, "attn2", 0, heads};
    ModelInfo m_info = [] {
        ModelInfo info;
        info.blocks = {{"block", heads, height, width, tokens}};
        info.attention = {{"block.attn2", heads, height, width, 5}};
        return info;
    }();

    Tensor randomTensor(Shape s, std::uint32_t seed) {
        return upload(*m_backend, HostTensor::fromFloats(s, random(std::size_t(s.count()), seed)));
    }
    Tensor fused() { return randomTensor({rows, tokens, 3 * channels}, 1); }
    nn::SiteHookPtr hook(const Choice& c, Tensor avoided = {}) {
        return makeHook(c, {m_info, [&](const Prompt&) {
                                auto prepared = std::make_shared<Conditioning>();
                                prepared->conditions.tensors[condition::context] = avoided;
                                return prepared;
                            }});
    }
    HostTensor attend(const nn::Site& site, const Tensor& q, const Tensor& k, const Tensor& v,
                      const std::vector<Acting>& acting = {}) {
        nn::Hooks hooks;
        for (const Acting& a : acting) hooks.add(a.hook, a.first, a.rows);
        const nn::Pass pass({height, width}, {Tensor(*m_backend, {rows, 1})}, {}, hooks);
        return download(pass.attend(site, q, k, v));
    }
    HostTensor attend(const Tensor& f, const std::vector<Acting>& acting = {}) {
        const auto [q, k, v] = nn::chunk<3>(f);
        return attend(m_self, q, k, v, acting);
    }
};

}  // namespace meander::bench
