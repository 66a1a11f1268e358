// The contracts of a network's operations: products, convolutions, attention, norms, positions. Each function checks
// the arguments, notes the trace and calls the device.
#include <algorithm>
#include <numeric>

#include "kernels/api/contract.h"

namespace meander::kernels {

std::unique_ptr<LinearWeights> Backend::packLinear(View weight, View bias, DType compute) {
    const Contract c(*this, Operation::PackLinear);
    c.given({{"weight", weight}});
    c.require(weight.shape.rank() == 2 && weight.count() > 0, "weight must be (out, in)", {{"weight", weight}});
    c.hostWeights(weight, bias, compute);
    auto packed = doPackLinear(weight, bias, compute);
    packed->compute = compute;
    packed->owner = this;
    return packed;
}

std::unique_ptr<LinearWeights> Backend::packStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                         DType compute) {
    const Contract c(*this, Operation::PackStoredLinear);
    c.require(!parts.empty(), "there must be a weight", {});
    std::int64_t out = 0;
    for (const WeightMatrix& p : parts) {
        c.require(p.data && p.out > 0 && p.in > 0 && p.in == parts[0].in && p.in % infoOf(p.format).blockElements == 0,
                  "the parts must be (out, in) with the same in, a whole number of blocks", {});
        out += p.out;
    }
    c.hostBias(bias, out);
    c.computable(compute);
    auto packed = doPackStoredLinear(parts, bias, compute);
    packed->compute = compute;
    packed->owner = this;
    return packed;
}

void Backend::linear(View x, const LinearWeights& w, View y, const Epilogue& e) {
    const Contract c(*this, Operation::Linear);
    const Argument from{"x", x}, to{"y", y};
    c.denseRows({from});
    c.dense({to});
    c.activations({from, to});
    c.packedHere(w.owner, w.compute, from);
    const std::int64_t rows = leadingCount(x);
    if (x.shape.rank() < 1 || x.shape[-1] != w.in || y.shape.rank() < 1 || y.shape[-1] != w.out
        || leadingCount(y) != rows)
        c.reject("x must be (rows, " + std::to_string(w.in) + ") and y (rows, " + std::to_string(w.out) + ")",
                 {from, to});
    c.epilogue(e, y);
    if (y.count() == 0) return;
    note({Operation::Linear, y.type, {rows, w.in, w.out}, 2.0 * double(rows) * double(w.in) * double(w.out)});
    doLinear(x, w, y, e);
}

void Backend::batchedMatmul(View a, View b, View y, bool transposeB, float scale) {
    const Contract c(*this, Operation::BatchedMatmul);
    const Arguments all = {{"a", a}, {"b", b}, {"y", y}};
    c.dense(all);
    c.activations(all);
    c.require(a.shape.rank() == 3 && b.shape.rank() == 3 && y.shape.rank() == 3, "a, b and y must have three extents",
              all);
    const std::int64_t batch = a.shape[0], m = a.shape[1], k = a.shape[2], n = b.shape[transposeB ? 1 : 2];
    c.require(b.shape[0] == batch && b.shape[transposeB ? 2 : 1] == k && y.shape == Shape({batch, m, n}),
              transposeB ? "(b, m, k) and (b, n, k) must give (b, m, n)"
                         : "(b, m, k) and (b, k, n) must give (b, m, n)",
              all);
    if (y.count() > 0) doBatchedMatmul(a, b, y, transposeB, scale);
}

std::unique_ptr<ConvWeights> Backend::packConv(View weight, View bias, ConvGeometry g, DType compute, int height,
                                               int width) {
    const Contract c(*this, Operation::PackConv);
    c.given({{"weight", weight}});
    c.require(weight.shape.rank() == 4 && weight.count() > 0 && weight.shape[2] == weight.shape[3],
              "weight must be (out, in, k, k)", {{"weight", weight}});
    c.hostWeights(weight, bias, compute);
    c.require(g.stride >= 1 && g.padding >= 0 && height > 0 && width > 0,
              "the stride and the expected extents must be positive, the padding not negative", {});
    auto packed = doPackConv(weight, bias, g, compute, height, width);
    packed->compute = compute;
    packed->owner = this;
    return packed;
}

void Backend::conv2d(View x, const ConvWeights& w, View y, const Epilogue& e) {
    const Contract c(*this, Operation::Conv2d);
    const Arguments both = {{"x", x}, {"y", y}};
    c.dense(both);
    c.activations(both);
    c.packedHere(w.owner, w.compute, {"x", x});
    c.require(x.shape.rank() == 4 && x.shape[3] == w.in, "x must be (n, h, w, " + std::to_string(w.in) + ")",
              {{"x", x}});
    const std::int64_t tall = x.shape[1] + 2 * w.padding - w.kernel, wide = x.shape[2] + 2 * w.padding - w.kernel;
    const Shape wanted{x.shape[0], tall / w.stride + 1, wide / w.stride + 1, w.out};
    c.require(tall >= 0 && wide >= 0, "x must be at least as large as the filter", {{"x", x}});
    if (!(y.shape == wanted)) c.reject("y must be " + wanted.text(), both);
    c.epilogue(e, y);
    if (y.count() == 0) return;
    note({Operation::Conv2d,
          y.type,
          {x.shape[0], x.shape[1], x.shape[2], w.in, w.out, w.kernel, w.stride, w.padding},
          2.0 * double(y.count()) * double(w.in * w.kernel * w.kernel)});
    doConv2d(x, w, y, e);
}

void Backend::attention(const AttentionArgs& a, View y) {
    const Contract c(*this, Operation::Attention);
    const Argument q{"q", a.q}, k{"k", a.k}, v{"v", a.v}, to{"y", y};
    c.denseRows({q, k, v, to});
    c.activations({q, k, v, to});
    c.require(a.q.shape.rank() == 3 && a.k.shape.rank() == 3 && a.v.shape.rank() == 3 && y.shape.rank() == 3,
              "q, k, v and y must be (b, t, c)", {q, k, v, to});
    const std::int64_t batch = a.q.shape[0], queries = a.q.shape[1], keys = a.k.shape[1];
    c.require(a.heads > 0 && a.q.shape[2] % a.heads == 0 && a.v.shape[2] % a.heads == 0,
              "the channels must be a multiple of the heads, " + std::to_string(a.heads), {q, v});
    c.require(a.k.shape == Shape({batch, keys, a.q.shape[2]}), "k must have q's batch and channels", {q, k});
    c.require(a.v.shape[0] == batch && a.v.shape[1] == keys, "v must have k's batch and tokens", {k, v});
    c.require(y.shape == Shape({batch, queries, a.v.shape[2]}), "y must have q's batch and tokens and v's channels",
              {q, v, to});
    if (a.keyBias) {
        c.dense({{"keyBias", a.keyBias}});
        c.require(a.keyBias.type == DType::F32 && a.keyBias.count() == batch * keys, "keyBias must be f32 (b, tk)",
                  {{"keyBias", a.keyBias}, k});
    }
    if (a.probabilities) {
        c.dense({{"probabilities", a.probabilities}});
        c.require(a.probabilities.type == DType::F32 && a.probabilities.count() == batch * a.heads * queries * keys,
                  "probabilities must be f32 (b, heads, tq, tk)", {{"probabilities", a.probabilities}, q, k});
    }
    if (y.count() == 0) return;
    c.require(keys > 0 && a.q.shape[2] > 0, "there must be keys and channels", {q, k});
    const std::int64_t d = a.q.shape[2] / a.heads, dv = a.v.shape[2] / a.heads;
    note({Operation::Attention,
          y.type,
          {batch, queries, keys, a.heads, d, dv},
          2.0 * double(batch * a.heads) * double(queries) * double(keys) * double(d + dv)});
    doAttention(a, y);
}

void Backend::softmax(View x, View y) {
    const Contract c(*this, Operation::Softmax);
    c.dense({{"x", x}, {"y", y}});
    c.activations({{"x", x}, {"y", y}});
    c.sameShape({"x", x}, {"y", y});
    if (x.count() > 0) doSoftmax(x, y);
}

void Backend::groupNorm(View x, View gamma, View beta, int groups, float eps, Activation a, View y) {
    const Contract c(*this, Operation::GroupNorm);
    c.dense({{"x", x}, {"y", y}});
    c.activations({{"x", x}, {"y", y}});
    c.sameShape({"x", x}, {"y", y});
    c.require(x.shape.rank() >= 2, "x must be (n, ..., c)", {{"x", x}});
    c.require(groups > 0 && x.shape[-1] % groups == 0,
              "the channels must be a multiple of the groups, " + std::to_string(groups), {{"x", x}});
    c.channelVector({"gamma", gamma}, {"x", x});
    c.channelVector({"beta", beta}, {"x", x});
    if (x.count() == 0) return;
    note({Operation::GroupNorm, x.type, {x.shape[0], x.shape.rowCount() / x.shape[-1], x.shape[-1], groups}});
    doGroupNorm(x, gamma, beta, groups, eps, a, y);
}

void Backend::layerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) {
    const Contract c(*this, Operation::LayerNorm);
    c.denseRows({{"x", x}, {"y", y}});
    c.activations({{"x", x}, {"y", y}});
    c.sameShape({"x", x}, {"y", y});
    c.channelVector({"gamma", gamma}, {"x", x});
    c.channelVector({"beta", beta}, {"x", x});
    c.groupedVectors({"scale", scale}, {"x", x});
    c.groupedVectors({"shift", shift}, {"x", x});
    c.require(!scale || !shift || scale.count() == shift.count(), "scale and shift must have the same groups",
              {{"scale", scale}, {"shift", shift}});
    if (x.count() == 0) return;
    note({Operation::LayerNorm, x.type, {leadingCount(x), lastExtent(x)}});
    doLayerNorm(x, gamma, beta, eps, scale, shift, y);
}

void Backend::rmsNorm(View x, View gamma, float eps, View y) {
    const Contract c(*this, Operation::RmsNorm);
    c.denseRows({{"x", x}, {"y", y}});
    c.activations({{"x", x}, {"y", y}});
    c.sameShape({"x", x}, {"y", y});
    c.channelVector({"gamma", gamma}, {"x", x});
    if (x.count() == 0) return;
    note({Operation::RmsNorm, x.type, {leadingCount(x), lastExtent(x)}});
    doRmsNorm(x, gamma, eps, y);
}

void Backend::rope(View x, const RopeArgs& r, View y) {
    const Contract c(*this, Operation::Rope);
    c.denseRows({{"x", x}, {"y", y}});
    c.activations({{"x", x}, {"y", y}});
    c.sameShape({"x", x}, {"y", y});
    c.require(x.shape.rank() == 4, "x must be (b, t, heads, d)", {{"x", x}});
    c.dense({{"cos", r.cos}, {"sin", r.sin}});
    c.sameShape({"cos", r.cos}, {"sin", r.sin});
    const std::int64_t b = x.shape[0], t = x.shape[1], pairs = lastExtent(r.cos);
    c.require(r.cos.type == DType::F32 && r.sin.type == DType::F32
                  && (r.cos.shape == Shape({t, pairs}) || r.cos.shape == Shape({b, t, pairs}))
                  && 2 * pairs <= x.shape[3],
              "cos and sin must be f32 (t, p) or (b, t, p) with p at most half of the head",
              {{"cos", r.cos}, {"sin", r.sin}, {"x", x}});
    const bool arePositive = std::all_of(r.axes.begin(), r.axes.end(), [](std::int64_t n) { return n > 0; });
    c.require(r.axes.empty()
                  || (arePositive && r.axes.size() <= std::size_t(Shape::maxRank)
                      && std::accumulate(r.axes.begin(), r.axes.end(), std::int64_t(0)) == pairs),
              "the pairs of the axes, at most six, must add up to those of cos", {{"cos", r.cos}});
    if (x.count() > 0) doRope(x, r, y);
}

void Backend::embedding(std::span<const std::int32_t> ids, View table, View y) {
    const Contract c(*this, Operation::Embedding);
    const Arguments all = {{"table", table}, {"y", y}};
    c.dense(all);
    c.sameType({"table", table}, {"y", y});
    c.floats({{"table", table}});
    c.require(table.shape.rank() == 2 && y.shape.rank() >= 1 && y.shape[-1] == table.shape[1]
                  && y.count() == std::int64_t(ids.size()) * table.shape[1],
              "table (n, c) must give y (ids, c)", all);
    const auto outside =
        std::find_if(ids.begin(), ids.end(), [&](std::int32_t id) { return id < 0 || id >= table.shape[0]; });
    if (outside != ids.end())
        c.reject("id " + std::to_string(*outside) + " is outside the table of " + std::to_string(table.shape[0])
                     + " rows",
                 {});
    if (y.count() > 0) doEmbedding(ids, table, y);
}

void Backend::timestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift, double maxPeriod,
                                View y) {
    const Contract c(*this, Operation::TimestepEmbedding);
    c.dense({{"y", y}});
    c.floats({{"y", y}});
    c.require(dim >= 2 && dim % 2 == 0 && lastExtent(y) == dim && y.count() == std::int64_t(times.size()) * dim,
              "y must be (" + std::to_string(times.size()) + ", " + std::to_string(dim) + ") with an even last extent",
              {{"y", y}});
    if (y.count() > 0) doTimestepEmbedding(times, dim, cosFirst, shift, maxPeriod, y);
}

}  // namespace meander::kernels
