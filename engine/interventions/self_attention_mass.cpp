#include "engine/interventions/self_attention_mass.h"

#include "engine/interventions/attention_means.h"

namespace meander {

void SelfAttentionMass::attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor&) {
    const Tensor& p = a.probabilities;
    const std::int64_t heads = p.shape()[1], tokens = p.shape()[3];
    const std::vector<float> mass = meanOverQueries(p).toFloats();
    for (std::int64_t i = 0; i < call.rows; ++i) {
        std::vector<double> sum(std::size_t(tokens), 0.0);
        for (std::int64_t h = 0; h < heads; ++h)
            for (std::int64_t t = 0; t < tokens; ++t)
                sum[std::size_t(t)] += mass[std::size_t((i * heads + h) * tokens + t)];
        std::vector<float> received(sum.size());
        for (std::size_t t = 0; t < sum.size(); ++t) received[t] = float(sum[t] * double(tokens) / double(heads));
        m_rows[call.first + i] = HostTensor::fromFloats({call.grid.height, call.grid.width}, received);
    }
}

}  // namespace meander
