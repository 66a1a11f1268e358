#include "engine/models/layers/row_interventions.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

using Edit = Intervention::AttentionEdit;

// Reflected at the border without repeating the edge, as torch's pad mode "reflect".
int reflected(int i, int n) {
    if (n == 1) return 0;
    const int period = 2 * (n - 1), at = ((i % period) + period) % period;
    return at < n ? at : period - at;
}

// (n, n): row i holds the weights with which position i gathers its neighbours. The kernel has ⌈6σ⌉ taps, made odd, at
// most as many as the side (SEG's official code).
std::vector<float> blurMatrix(int n, double sigma) {
    std::vector<float> m(std::size_t(n) * std::size_t(n), std::isinf(sigma) ? 1.0f / float(n) : 0.0f);
    if (std::isinf(sigma)) return m;
    int taps = int(std::ceil(6 * sigma));
    taps = std::min(taps + 1 - taps % 2, n - (n % 2 - 1));
    const int half = taps / 2;
    std::vector<double> weights(std::size_t(2 * half + 1));
    double sum = 0;
    for (int o = -half; o <= half; ++o)
        sum += weights[std::size_t(o + half)] = std::exp(-0.5 * (o / sigma) * (o / sigma));
    for (int i = 0; i < n; ++i)
        for (int o = -half; o <= half; ++o)
            m[std::size_t(i) * std::size_t(n) + std::size_t(reflected(i + o, n))] +=
                float(weights[std::size_t(o + half)] / sum);
    return m;
}

// `copies` of a blur matrix below each other, for a batched product.
Tensor blurBatch(Backend& b, int n, double sigma, std::int64_t copies, DType type) {
    const auto one = blurMatrix(n, sigma);
    std::vector<float> all;
    all.reserve(one.size() * std::size_t(copies));
    for (std::int64_t i = 0; i < copies; ++i) all.insert(all.end(), one.begin(), one.end());
    return upload(b, HostTensor::fromFloats({copies, n, n}, all)).converted(type);
}

// q (rows, height·width, c), blurred along both sides of the grid.
Tensor blurred(const Tensor& q, double sigma, int height, int width) {
    Backend& b = q.backend();
    const std::int64_t rows = q.shape()[0], c = q.shape()[2];
    Tensor tall(b, q.shape(), q.type()), both(b, q.shape(), q.type());
    b.batchedMatmul(blurBatch(b, height, sigma, rows, q.type()), q.view().reshaped({rows, height, width * c}),
                    tall.view().reshaped({rows, height, width * c}), false);
    b.batchedMatmul(blurBatch(b, width, sigma, rows * height, q.type()),
                    tall.view().reshaped({rows * height, width, c}), both.view().reshaped({rows * height, width, c}),
                    false);
    return both;
}

// Does the call before `end` go on in row `end`?
template <class Same> std::int64_t runEnd(std::int64_t first, std::int64_t rows, Same same) {
    std::int64_t end = first + 1;
    while (end < rows && same(first, end)) ++end;
    return end;
}

void attend(Backend& b, const SelfAttention& s, std::int64_t first, std::int64_t n, const Edit* edit, View y,
            AttentionCapture* capture) {
    const View fused = s.fused.rows(first, n);
    const std::int64_t tokens = fused.shape[1], c = fused.shape[2] / 3;
    if (edit && edit->kind == Intervention::Attention::Identity) return b.copy(fused.columns(2 * c, c), y);
    kernels::AttentionArgs a;
    a.q = fused.columns(0, c);
    a.k = fused.columns(c, c);
    a.v = fused.columns(2 * c, c);
    a.heads = s.heads;
    a.scale = 1.0f / std::sqrt(float(c / s.heads));
    Tensor queries, p;
    if (edit && edit->blur > 0) {
        queries = Tensor(b, {n, tokens, c}, fused.type);
        b.copy(a.q, queries);
        queries = blurred(queries, edit->blur, s.height, s.width);
        a.q = queries;
    }
    if (capture) {
        p = Tensor(b, {n, s.heads, tokens, tokens});
        a.probabilities = p;
    }
    b.attention(a, y);
    if (capture) capture->recordSelf(first, p, s.height, s.width);
}

// z (tokens, c) guided away from w, in place of y; all of one row. L1 norms per token are taken on the host.
void applyNag(Backend& b, View z, View w, const Intervention::Nag& a) {
    const auto wide = [&](View v) {
        Tensor t(b, v.shape, DType::F32);
        b.convert(v, t);
        return t;
    };
    const Tensor positive = wide(z), negative = wide(w),
                 guided = combine({{a.scale, positive}, {1 - a.scale, negative}});
    const auto own = b.reduceRows(kernels::Reduction::SumAbs, positive),
               norms = b.reduceRows(kernels::Reduction::SumAbs, guided);
    std::vector<double> onGuided(own.size()), onOwn(own.size(), 1 - a.alpha);
    for (std::size_t i = 0; i < own.size(); ++i) {
        const double ratio = std::max(norms[i], 1e-6) / std::max(own[i], 1e-6);
        onGuided[i] = a.alpha * std::min(ratio, a.tau) / ratio;
    }
    const Tensor values[] = {guided, positive};
    const std::vector<double> factors[] = {onGuided, onOwn};
    b.convert(combineRows(values, factors), z);
}

}  // namespace

const Edit* RowInterventions::attention(std::int64_t row, int block) const {
    if (const Intervention* change = of(row))
        for (const Edit& e : change->attention)
            if (e.block == block) return &e;
    return nullptr;
}

bool RowInterventions::skips(std::int64_t row, int block, Intervention::Part part) const {
    const Intervention* change = of(row);
    return change && std::any_of(change->skipped.begin(), change->skipped.end(), [&](const auto& s) {
               return s.block == block && s.part == part;
           });
}

const Intervention::Nag* RowInterventions::nag(std::int64_t row) const {
    const Intervention* change = of(row);
    return change && change->nag ? &*change->nag : nullptr;
}

const Intervention::FreeU* RowInterventions::freeU(std::int64_t row) const {
    const Intervention* change = of(row);
    return change && change->freeU ? &*change->freeU : nullptr;
}

std::optional<double> RowInterventions::guidance(std::int64_t row) const {
    const Intervention* change = of(row);
    return change ? change->guidance : std::nullopt;
}

void selfAttention(Backend& backend, const SelfAttention& s, View y, const RowInterventions* changes,
                   AttentionCapture* capture) {
    const std::int64_t rows = s.fused.shape[0];
    const auto edit = [&](std::int64_t r) { return changes ? changes->attention(r, s.block) : nullptr; };
    const auto tapped = [&](std::int64_t r) { return capture && capture->wantsSelf(r, s.block); };
    const auto same = [&](std::int64_t a, std::int64_t b) {
        const Edit *left = edit(a), *right = edit(b);
        return tapped(a) == tapped(b) && (left == right || (left && right && *left == *right));
    };
    for (std::int64_t first = 0, end = 0; first < rows; first = end) {
        end = runEnd(first, rows, same);
        attend(backend, s, first, end - first, edit(first), y.rows(first, end - first),
               tapped(first) ? capture : nullptr);
    }
}

void crossAttention(Backend& backend, const kernels::AttentionArgs& a, View y, const RowInterventions* changes,
                    std::int64_t offset, AttentionCapture* capture, int site) {
    tappedAttention(backend, a, y, capture, site);
    const std::int64_t rows = a.q.shape[0], tokens = a.q.shape[1], c = a.q.shape[2];
    for (std::int64_t r = 0; changes && r < rows; ++r) {
        const Intervention::Nag* nag = changes->nag(r);
        if (!nag) continue;
        const View text = changes->avoided().view().rows(r, 1);
        kernels::AttentionArgs other = a;
        other.q = a.q.rows(r, 1);
        other.k = text.columns(offset, c);
        other.v = text.columns(offset + c, c);
        other.probabilities = {};
        Tensor away(backend, {1, tokens, c}, a.q.type);
        backend.attention(other, away);
        applyNag(backend, y.rows(r, 1).reshaped({tokens, c}), away.view().reshaped({tokens, c}), *nag);
    }
}

SkippedRows::SkippedRows(const Tensor& tokens, const RowInterventions* changes, int block, Intervention::Part part)
    : m_tokens(tokens) {
    if (!changes) return;
    for (std::int64_t r = 0; r < tokens.rows(); ++r)
        if (changes->skips(r, block, part)) m_kept.emplace_back(r, tokens.slice(r, 1).clone());
}

void SkippedRows::restore() const {
    for (const auto& [row, tokens] : m_kept) m_tokens.backend().copy(tokens, m_tokens.view().rows(row, 1));
}

}  // namespace meander
