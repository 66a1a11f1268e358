#include "engine/models/layers/attention_capture.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

// The same call for rows [first, first + n) only.
kernels::AttentionArgs rowsOf(const kernels::AttentionArgs& a, std::int64_t first, std::int64_t n) {
    kernels::AttentionArgs part = a;
    for (View* v : {&part.q, &part.k, &part.v}) *v = v->rows(first, n);
    if (part.keyBias) part.keyBias = part.keyBias.rows(first, n);
    return part;
}

// Means over queries (n·heads, tokens) of p (n·heads, queries, tokens), as a product with ones.
HostTensor meanOverQueries(const Tensor& p) {
    Backend& b = p.backend();
    const std::int64_t batch = p.shape()[0] * p.shape()[1], queries = p.shape()[2], tokens = p.shape()[3];
    Tensor ones(b, {batch, 1, queries}), mean(b, {batch, 1, tokens});
    b.fill(ones, 1);
    b.batchedMatmul(ones, p.view().reshaped({batch, queries, tokens}), mean, false, 1.0f / float(queries));
    return download(mean);
}

// Means over heads (n, queries·tokens).
Tensor meanOverHeads(const Tensor& p) {
    Backend& b = p.backend();
    const std::int64_t n = p.shape()[0], heads = p.shape()[1], rest = p.shape()[2] * p.shape()[3];
    Tensor ones(b, {n, 1, heads}), mean(b, {n, 1, rest});
    b.fill(ones, 1);
    b.batchedMatmul(ones, p.view().reshaped({n, heads, rest}), mean, false, 1.0f / float(heads));
    return mean.reshaped({n, p.shape()[2], p.shape()[3]});
}

}  // namespace

AttentionCapture::AttentionCapture(const TapRequest& request, std::vector<TapSite> sites, std::int64_t rows,
                                   TapResult& result)
    : m_level(request.attention), m_rows(request.rows), m_sites(std::move(sites)), m_result(result) {
    m_result.attention.clear();
    m_result.selfMass.clear();
    m_selfBlocks = request.selfBlocks;
    m_wantsSelf =
        std::any_of(m_selfBlocks.begin(), m_selfBlocks.end(), [](const auto& block) { return block.has_value(); });
    if (m_wantsSelf) m_result.selfMass.resize(std::size_t(rows));
    m_wanted = m_level != AttentionLevel::Off
               && std::any_of(m_rows.begin(), m_rows.end(), [](char asked) { return asked != 0; });
    if (!m_wanted) return;
    m_result.attention.resize(std::size_t(rows));
    for (const auto& s : m_sites) {
        m_height = std::max(m_height, s.height);
        m_width = std::max(m_width, s.width);
    }
    for (std::int64_t r = 0; r < rows; ++r)
        if (wants(r)) m_result.attention[std::size_t(r)].resize(m_sites.size());
    if (m_level == AttentionLevel::Summary) m_means.resize(std::size_t(rows));
}

void AttentionCapture::record(int site, std::int64_t firstRow, const Tensor& p) {
    const TapSite& s = m_sites[std::size_t(site)];
    const std::int64_t n = p.shape()[0], heads = p.shape()[1], tokens = p.shape()[3];
    const std::vector<double> entropy = p.backend().attentionEntropy(p.view());
    const std::vector<float> mass = meanOverQueries(p).toFloats();
    const bool full = m_level == AttentionLevel::Full;
    const Tensor maps = full ? p : meanOverHeads(p);
    const HostTensor host = download(m_level == AttentionLevel::Summary ? maps : maps.converted(DType::F16));
    const double unit = std::log(std::max<double>(double(tokens), 2));
    for (std::int64_t i = 0; i < n; ++i) {
        AttentionMap& m = m_result.attention[std::size_t(firstRow + i)][std::size_t(site)];
        m.site = site;
        m.heads = full ? int(heads) : 1;
        for (std::int64_t h = 0; h < heads; ++h) m.entropy.push_back(float(entropy[std::size_t(i * heads + h)] / unit));
        m.mass.assign(mass.begin() + i * heads * tokens, mass.begin() + (i + 1) * heads * tokens);
        if (m_level == AttentionLevel::Summary) {
            const std::size_t size = std::size_t(host.shape().rowCount());
            addToMean(firstRow + i, s, host.floats().subspan(std::size_t(i) * size, size));
            continue;
        }
        const HostTensor row = host.rows(i, 1);
        m.probabilities =
            HostTensor({m.heads, s.height, s.width, tokens}, DType::F16, {row.bytes().begin(), row.bytes().end()});
    }
}

void AttentionCapture::recordSelf(std::int64_t firstRow, const Tensor& p, int height, int width) {
    const std::int64_t n = p.shape()[0], heads = p.shape()[1], tokens = p.shape()[3];
    const std::vector<float> mass = meanOverQueries(p).toFloats();
    for (std::int64_t i = 0; i < n; ++i) {
        std::vector<double> sum(std::size_t(tokens), 0.0);
        for (std::int64_t h = 0; h < heads; ++h)
            for (std::int64_t t = 0; t < tokens; ++t)
                sum[std::size_t(t)] += mass[std::size_t((i * heads + h) * tokens + t)];
        std::vector<float> received(sum.size());
        for (std::size_t t = 0; t < sum.size(); ++t) received[t] = float(sum[t] * double(tokens) / double(heads));
        m_result.selfMass[std::size_t(firstRow + i)] = HostTensor::fromFloats({height, width}, received);
    }
}

// Bilinear to the largest grid, pixel centres aligned as in torch's align_corners=False.
void AttentionCapture::addToMean(std::int64_t row, const TapSite& site, std::span<const float> headMean) {
    const std::size_t tokens = std::size_t(site.tokens);
    std::vector<double>& mean = m_means[std::size_t(row)];
    mean.resize(std::size_t(m_height) * std::size_t(m_width) * tokens);
    const auto place = [](int i, int from, int to, int& low, int& high) {
        const double at = std::clamp((i + 0.5) * from / to - 0.5, 0.0, from - 1.0);
        low = int(at);
        high = std::min(low + 1, from - 1);
        return at - low;
    };
    for (int y = 0; y < m_height; ++y) {
        int y0, y1, x0, x1;
        const double fy = place(y, site.height, m_height, y0, y1);
        for (int x = 0; x < m_width; ++x) {
            const double fx = place(x, site.width, m_width, x0, x1);
            const auto corner = [&](int cy, int cx) {
                return headMean.data() + (std::size_t(cy) * std::size_t(site.width) + std::size_t(cx)) * tokens;
            };
            const float *a = corner(y0, x0), *b = corner(y0, x1), *c = corner(y1, x0), *d = corner(y1, x1);
            double* to = mean.data() + (std::size_t(y) * std::size_t(m_width) + std::size_t(x)) * tokens;
            for (std::size_t t = 0; t < tokens; ++t)
                to[t] += (1 - fy) * ((1 - fx) * a[t] + fx * b[t]) + fy * ((1 - fx) * c[t] + fx * d[t]);
        }
    }
}

void AttentionCapture::finish() {
    if (!m_wanted || m_level != AttentionLevel::Summary || m_sites.empty()) return;
    const std::int64_t tokens = m_sites.front().tokens;
    for (std::size_t r = 0; r < m_means.size(); ++r) {
        if (m_means[r].empty()) continue;
        for (double& v : m_means[r]) v /= double(m_sites.size());
        AttentionMap m;
        m.site = -1;
        m.probabilities = HostTensor::fromDoubles({1, m_height, m_width, tokens}, m_means[r]).toF16();
        m_result.attention[r].push_back(std::move(m));
    }
}

void tappedAttention(Backend& backend, const kernels::AttentionArgs& a, View y, AttentionCapture* capture, int site) {
    const std::int64_t rows = a.q.shape[0];
    bool any = false;
    for (std::int64_t r = 0; capture && r < rows; ++r) any = any || capture->wants(r);
    if (!any) return backend.attention(a, y);
    for (std::int64_t first = 0; first < rows;) {
        std::int64_t end = first + 1;
        while (end < rows && capture->wants(end) == capture->wants(first)) ++end;
        kernels::AttentionArgs part = rowsOf(a, first, end - first);
        Tensor p;
        if (capture->wants(first)) {
            p = Tensor(backend, {end - first, a.heads, a.q.shape[1], a.k.shape[1]});
            part.probabilities = p.view();
        }
        backend.attention(part, y.rows(first, end - first));
        if (p) capture->record(site, first, p);
        first = end;
    }
}

}  // namespace meander
