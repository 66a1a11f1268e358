#include "engine/nn/scored_attention.h"

namespace meander::nn {
namespace {

// (n, heads·d) → (heads, n, d), dense.
Tensor byHead(const Tensor& x, std::int64_t heads) {
    return x.reshaped({x.shape()[0], heads, x.shape()[1] / heads}).transposed(0, 1).clone();
}

}  // namespace

Tensor attend(const ScoredAttention& a) {
    Backend& backend = a.q.backend();
    const std::int64_t n = a.q.shape()[0], m = a.k.shape()[0], shared = a.heads / a.keyHeads,
                       d = a.v.shape()[1] / a.keyHeads;
    const Tensor q = byHead(a.q, a.heads), k = byHead(a.k, a.keyHeads), v = byHead(a.v, a.keyHeads);
    Tensor scores(backend, {a.heads, n, m}, q.type());
    // The heads that share a key are further queries of it.
    backend.batchedMatmul(q.reshaped({a.keyHeads, shared * n, q.shape()[2]}), k,
                          scores.reshaped({a.keyHeads, shared * n, m}), true, a.scale / a.cap.value_or(1));
    if (a.cap) {
        backend.unary(kernels::Unary::Tanh, scores, scores);
        scores = combine({{*a.cap, scores}});
    }
    if (a.bias) backend.binary(kernels::Binary::Add, scores, a.bias.converted(scores.type()), scores);
    backend.softmax(scores, scores);
    Tensor y(backend, {a.heads, n, d}, q.type());
    backend.batchedMatmul(scores.reshaped({a.keyHeads, shared * n, m}), v, y.reshaped({a.keyHeads, shared * n, d}),
                          false);
    return y.transposed(0, 1).clone().reshaped({n, a.heads * d});
}

}  // namespace meander::nn
