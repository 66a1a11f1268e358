#include "engine/interventions/attention_means.h"

namespace meander {

// As a product with ones.
HostTensor meanOverQueries(const Tensor& p) {
    Backend& b = p.backend();
    const std::int64_t batch = p.shape()[0] * p.shape()[1], queries = p.shape()[2], tokens = p.shape()[3];
    Tensor ones(b, {batch, 1, queries}), mean(b, {batch, 1, tokens});
    b.fill(ones, 1);
    b.batchedMatmul(ones, p.view().reshaped({batch, queries, tokens}), mean, false, 1.0f / float(queries));
    return download(mean);
}

Tensor meanOverHeads(const Tensor& p) {
    Backend& b = p.backend();
    const std::int64_t n = p.shape()[0], heads = p.shape()[1], rest = p.shape()[2] * p.shape()[3];
    Tensor ones(b, {n, 1, heads}), mean(b, {n, 1, rest});
    b.fill(ones, 1);
    b.batchedMatmul(ones, p.view().reshaped({n, heads, rest}), mean, false, 1.0f / float(heads));
    return mean.reshaped({n, p.shape()[2], p.shape()[3]});
}

}  // namespace meander
