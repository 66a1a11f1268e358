// Cross-attention with a tap. Asked first: rows that nobody records take the fused path; for the others the backend
// also writes the probabilities its softmax made, which are reduced on the device before they come to the host. The
// output is the same bits either way.
#pragma once
#include <span>
#include <vector>

#include "engine/taps/taps.h"
#include "engine/tensor/tensor.h"

namespace meander {

class AttentionCapture {
public:
    // `sites` in execution order, for the state's size.
    AttentionCapture(const TapRequest& request, std::vector<TapSite> sites, std::int64_t rows, TapResult& result);

    bool wanted() const { return m_wanted || m_wantsSelf; }
    bool wants(std::int64_t row) const {
        return m_wanted && row < std::int64_t(m_rows.size()) && m_rows[std::size_t(row)];
    }
    // p (n, heads, queries, tokens) F32 of rows [first, first + n).
    void record(int site, std::int64_t firstRow, const Tensor& p);
    // Is the self-attention of this block summed for this row?
    bool wantsSelf(std::int64_t row, int block) const {
        return m_wantsSelf && row < std::int64_t(m_selfBlocks.size()) && m_selfBlocks[std::size_t(row)] == block;
    }
    // p (n, heads, tokens, tokens) F32 of rows [first, first + n), tokens on a grid.
    void recordSelf(std::int64_t firstRow, const Tensor& p, int height, int width);
    // Level Summary: appends the mean over heads and layers of every recorded row.
    void finish();

private:
    void addToMean(std::int64_t row, const TapSite& site, std::span<const float> headMean);

    AttentionLevel m_level;
    std::vector<char> m_rows;
    std::vector<TapSite> m_sites;
    TapResult& m_result;
    bool m_wanted = false, m_wantsSelf = false;
    std::vector<std::optional<int>> m_selfBlocks;
    int m_height = 0, m_width = 0;             // the largest grid
    std::vector<std::vector<double>> m_means;  // per row, sum over sites at the largest grid (height, width, tokens)
};

// y = attention(a); `capture` may be null.
void tappedAttention(Backend& backend, const kernels::AttentionArgs& a, View y, AttentionCapture* capture, int site);

}  // namespace meander
