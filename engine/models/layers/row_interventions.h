// Network changes of one call, row by row, and the attention that obeys them. Rows without a change take the plain path
// and give the same bits as in a call without any.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/models/layers/attention_capture.h"
#include "engine/taps/intervention.h"
#include "engine/tensor/tensor.h"

namespace meander {

class RowInterventions {
public:
    // `rows`: per row, null: none. `avoided`: what NAG's rows attend to instead of their text, (rows, tokens, total) as
    // the network's text; empty when no row avoids.
    RowInterventions(std::vector<InterventionPtr> rows, Tensor avoided)
        : m_rows(std::move(rows)), m_avoided(std::move(avoided)) {}

    const Intervention* of(std::int64_t row) const {
        return row < std::int64_t(m_rows.size()) ? m_rows[std::size_t(row)].get() : nullptr;
    }
    const Intervention::AttentionEdit* attention(std::int64_t row, int block) const;
    bool skips(std::int64_t row, int block, Intervention::Part part) const;
    const Intervention::Nag* nag(std::int64_t row) const;
    const Intervention::FreeU* freeU(std::int64_t row) const;
    const Tensor& avoided() const { return m_avoided; }
    // What the network is told, for rows that say so.
    std::optional<double> guidance(std::int64_t row) const;

private:
    std::vector<InterventionPtr> m_rows;
    Tensor m_avoided;
};

// Self-attention of one transformer block. `fused` (rows, n, 3c): queries, keys and values side by side; the tokens lie
// on a grid of height · width = n.
struct SelfAttention {
    View fused;
    int heads = 1, block = 0, height = 0, width = 0;
};
// y (rows, n, c); `changes` and `capture` may be null.
void selfAttention(Backend& backend, const SelfAttention& s, View y, const RowInterventions* changes,
                   AttentionCapture* capture);

// Cross-attention `a` with its tap, then NAG in the rows that avoid a prompt: `offset` is where keys and values of this
// layer begin in a row of the text.
void crossAttention(Backend& backend, const kernels::AttentionArgs& a, View y, const RowInterventions* changes,
                    std::int64_t offset, AttentionCapture* capture, int site);

// Keeps the tokens (rows, n, c) of the rows that skip this part, to be put back when the part is done.
class SkippedRows {
public:
    SkippedRows(const Tensor& tokens, const RowInterventions* changes, int block, Intervention::Part part);
    void restore() const;

private:
    Tensor m_tokens;
    std::vector<std::pair<std::int64_t, Tensor>> m_kept;
};

}  // namespace meander
