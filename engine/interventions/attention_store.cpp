#include "engine/interventions/attention_store.h"

#include <algorithm>
#include <cmath>

#include "engine/interventions/attention_means.h"

namespace meander {

AttentionStore::AttentionStore(AttentionLevel level, std::vector<TapSite> sites)
    : m_level(level), m_sites(std::move(sites)) {
    for (const TapSite& s : m_sites) {
        m_index.emplace(s.path, int(m_index.size()));
        m_largest = {std::max(m_largest.height, s.height), std::max(m_largest.width, s.width)};
    }
}

bool AttentionStore::actsAt(const nn::Site& site) const {
    return site.kind == nn::SiteKind::CrossAttention && m_index.contains(site.path);
}

void AttentionStore::attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor&) {
    const Tensor& p = a.probabilities;
    const int site = m_index.at(call.site.path);
    const std::int64_t heads = p.shape()[1], tokens = p.shape()[3];
    const std::vector<double> entropy = p.backend().attentionEntropy(p);
    const std::vector<float> mass = meanOverQueries(p).toFloats();
    const bool isFull = m_level == AttentionLevel::Full, isSummary = m_level == AttentionLevel::Summary;
    const Tensor maps = isFull ? p : meanOverHeads(p);
    const HostTensor host = download(isSummary ? maps : maps.converted(DType::F16));
    const double unit = std::log(std::max<double>(double(tokens), 2));
    for (std::int64_t i = 0; i < call.rows; ++i) {
        Row& row = m_rows[call.first + i];
        row.maps.resize(m_sites.size());
        AttentionMap& m = row.maps[std::size_t(site)];
        m.site = site;
        m.heads = isFull ? int(heads) : 1;
        for (std::int64_t h = 0; h < heads; ++h) m.entropy.push_back(float(entropy[std::size_t(i * heads + h)] / unit));
        m.mass.assign(mass.begin() + i * heads * tokens, mass.begin() + (i + 1) * heads * tokens);
        if (isSummary) {
            const std::size_t size = std::size_t(host.shape().rowCount());
            addToMean(row, call.grid, tokens, host.floats().subspan(std::size_t(i) * size, size));
            continue;
        }
        const HostTensor one = host.rows(i, 1);
        m.probabilities = HostTensor({m.heads, call.grid.height, call.grid.width, tokens}, DType::F16,
                                     {one.bytes().begin(), one.bytes().end()});
    }
}

// Bilinear to the largest grid, pixel centres aligned as in torch's align_corners=False.
void AttentionStore::addToMean(Row& row, nn::Grid grid, std::int64_t tokenCount,
                               std::span<const float> headMean) const {
    const std::size_t tokens = std::size_t(tokenCount);
    const auto [height, width] = m_largest;
    std::vector<double>& mean = row.mean;
    mean.resize(std::size_t(height) * std::size_t(width) * tokens);
    const auto place = [](int i, int from, int to, int& low, int& high) {
        const double at = std::clamp((i + 0.5) * from / to - 0.5, 0.0, from - 1.0);
        low = int(at);
        high = std::min(low + 1, from - 1);
        return at - low;
    };
    for (int y = 0; y < height; ++y) {
        int y0, y1, x0, x1;
        const double fy = place(y, grid.height, height, y0, y1);
        for (int x = 0; x < width; ++x) {
            const double fx = place(x, grid.width, width, x0, x1);
            const auto corner = [&](int cy, int cx) {
                return headMean.data() + (std::size_t(cy) * std::size_t(grid.width) + std::size_t(cx)) * tokens;
            };
            const float *a = corner(y0, x0), *b = corner(y0, x1), *c = corner(y1, x0), *d = corner(y1, x1);
            double* to = mean.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * tokens;
            for (std::size_t t = 0; t < tokens; ++t)
                to[t] += (1 - fy) * ((1 - fx) * a[t] + fx * b[t]) + fy * ((1 - fx) * c[t] + fx * d[t]);
        }
    }
}

std::vector<AttentionMap> AttentionStore::take(std::int64_t row) {
    const auto found = m_rows.find(row);
    if (found == m_rows.end()) return {};
    Row taken = std::move(found->second);
    m_rows.erase(found);
    if (m_level != AttentionLevel::Summary || taken.mean.empty()) return std::move(taken.maps);
    const std::int64_t height = m_largest.height, width = m_largest.width,
                       tokens = std::int64_t(taken.mean.size()) / (height * width);
    for (double& v : taken.mean) v /= double(m_sites.size());
    AttentionMap mean;
    mean.site = -1;
    mean.probabilities = HostTensor::fromDoubles({1, height, width, tokens}, taken.mean).toF16();
    taken.maps.push_back(std::move(mean));
    return std::move(taken.maps);
}

}  // namespace meander
