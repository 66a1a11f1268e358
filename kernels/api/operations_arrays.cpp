// The contracts of operations on plain arrays: memory, elementwise, layout, noise, reductions. Each function checks the
// arguments and calls the device.
#include "kernels/api/contract.h"

namespace meander::kernels {
namespace {

// b's dimensions are the last ones of a, leading extents of 1 aside.
bool repeatsIn(const Shape& b, const Shape& a) {
    int rank = b.rank();
    while (rank > 0 && b[b.rank() - rank] == 1) --rank;
    if (rank > a.rank()) return false;
    for (int i = 1; i <= rank; ++i)
        if (b[-i] != a[-i]) return false;
    return true;
}

// Images of one type, the large one `factor` times as high and wide, with 1 / channelFactor of the channels.
void requireScaled(const Contract& c, const Argument& small, const Argument& large, std::int64_t factor,
                   std::int64_t channelFactor, const char* rule) {
    c.dense({small, large});
    c.sameType(small, large);
    const Shape &s = small.view.shape, &l = large.view.shape;
    c.require(factor >= 1 && s.rank() == 4 && l.rank() == 4 && l[0] == s[0] && l[1] == s[1] * factor
                  && l[2] == s[2] * factor && s[3] == l[3] * channelFactor,
              rule, {small, large});
}

void requireTransposed(const Contract& c, const Argument& first, const Argument& last) {
    c.dense({first, last});
    c.sameType(first, last);
    const Shape &f = first.view.shape, &l = last.view.shape;
    bool fits = f.rank() >= 2 && l.rank() == f.rank() && f[0] == l[0] && f[1] == l[-1];
    for (int i = 2; fits && i < f.rank(); ++i) fits = f[i] == l[i - 1];
    c.require(fits, std::string(first.name) + " must be (n, c, rest...) and " + last.name + " (n, rest..., c)",
              {first, last});
}

}  // namespace

void Backend::upload(const void* host, View to) {
    const Contract c(*this, Operation::Upload);
    c.dense({{"to", to}});
    c.require(host || to.count() == 0, "the host memory is missing", {{"to", to}});
    if (to.count() > 0) doUpload(host, to);
}

void Backend::download(View from, void* host) {
    const Contract c(*this, Operation::Download);
    c.dense({{"from", from}});
    c.require(host || from.count() == 0, "the host memory is missing", {{"from", from}});
    if (from.count() > 0) doDownload(from, host);
}

void Backend::copy(View from, View to) {
    const Contract c(*this, Operation::Copy);
    c.given({{"from", from}, {"to", to}});
    c.sameType({"from", from}, {"to", to});
    c.sameCount({"from", from}, {"to", to});
    if (!from.isDense() || !to.isDense()) c.sameShape({"from", from}, {"to", to});
    if (from.count() > 0) doCopy(from, to);
}

void Backend::convert(View x, View y) {
    const Contract c(*this, Operation::Convert);
    c.dense({{"x", x}, {"y", y}});
    c.floats({{"x", x}, {"y", y}});
    c.sameCount({"x", x}, {"y", y});
    if (x.count() == 0) return;
    if (x.type != y.type) doConvert(x, y);
    else if (x.data != y.data) doCopy(x.reshaped({x.count()}), y.reshaped({y.count()}));
}

void Backend::fill(View y, double value) {
    const Contract c(*this, Operation::Fill);
    c.dense({{"y", y}});
    if (y.count() > 0) doFill(y, value);
}

void Backend::unary(Unary op, View x, View y) {
    const Contract c(*this, Operation::Unary);
    c.denseRows({{"x", x}, {"y", y}});
    c.activations({{"x", x}, {"y", y}});
    c.sameShape({"x", x}, {"y", y});
    if (x.count() > 0) doUnary(op, x, y);
}

void Backend::binary(kernels::Binary op, View a, View b, View y) {
    const Contract c(*this, Operation::Binary);
    c.denseRows({{"a", a}, {"y", y}});
    c.dense({{"b", b}});
    c.activations({{"a", a}, {"b", b}, {"y", y}});
    c.sameCount({"a", a}, {"y", y});
    if (!a.isDense() || !y.isDense()) c.sameShape({"a", a}, {"y", y});
    c.require(repeatsIn(b.shape, a.shape), "b must have a's shape or its last dimensions", {{"a", a}, {"b", b}});
    if (a.count() > 0) doBinary(op, a, b, y);
}

void Backend::combine(std::span<const Term> terms, View y) {
    const Contract c(*this, Operation::Combine);
    c.dense({{"y", y}});
    c.floats({{"y", y}});
    c.require(!terms.empty(), "there must be a term", {{"y", y}});
    for (const Term& t : terms) {
        c.dense({{"value", t.value}});
        c.sameType({"value", t.value}, {"y", y});
        c.sameShape({"value", t.value}, {"y", y});
    }
    if (y.count() > 0) doCombine(terms, y);
}

void Backend::combineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) {
    const Contract c(*this, Operation::CombineRows);
    c.dense({{"y", y}});
    c.floats({{"y", y}});
    c.require(y.shape.rank() >= 1, "y must have rows", {{"y", y}});
    c.require(!values.empty() && values.size() == factors.size(), "there must be a value, and factors for each",
              {{"y", y}});
    for (std::size_t i = 0; i < values.size(); ++i) {
        c.dense({{"value", values[i]}});
        c.sameType({"value", values[i]}, {"y", y});
        c.sameShape({"value", values[i]}, {"y", y});
        c.require(std::int64_t(factors[i].size()) == y.shape[0], "there must be one factor per row", {{"y", y}});
    }
    if (y.count() > 0) doCombineRows(values, factors, y);
}

void Backend::normal(std::span<const NoiseAddress> addresses, View y) {
    const Contract c(*this, Operation::Normal);
    c.dense({{"y", y}});
    c.require(y.type == DType::F32 || y.type == DType::F64, "y must be f32 or f64", {{"y", y}});
    c.require(y.shape.rank() >= 1 && y.shape[0] == std::int64_t(addresses.size()),
              "y must have one row per address, " + std::to_string(addresses.size()), {{"y", y}});
    if (y.count() > 0) doNormal(addresses, y);
}

void Backend::upsampleNearest2(View x, View y) {
    requireScaled({*this, Operation::UpsampleNearest2}, {"x", x}, {"y", y}, 2, 1,
                  "x must be (n, h, w, c) and y (n, 2h, 2w, c)");
    if (y.count() > 0) doUpsampleNearest2(x, y);
}

void Backend::downsampleMean2(View x, View y) {
    const Contract c(*this, Operation::DownsampleMean2);
    requireScaled(c, {"y", y}, {"x", x}, 2, 1, "x must be (n, 2h, 2w, c) and y (n, h, w, c)");
    c.floats({{"x", x}});
    if (y.count() > 0) doDownsampleMean2(x, y);
}

void Backend::pixelShuffle(View x, int factor, View y) {
    requireScaled({*this, Operation::PixelShuffle}, {"x", x}, {"y", y}, factor, std::int64_t(factor) * factor,
                  "x must be (n, h, w, c f f) and y (n, h f, w f, c)");
    if (y.count() > 0) doPixelShuffle(x, factor, y);
}

void Backend::pixelUnshuffle(View x, int factor, View y) {
    requireScaled({*this, Operation::PixelUnshuffle}, {"y", y}, {"x", x}, factor, std::int64_t(factor) * factor,
                  "x must be (n, h f, w f, c) and y (n, h, w, c f f)");
    if (y.count() > 0) doPixelUnshuffle(x, factor, y);
}

void Backend::concatLast(View a, View b, View y) {
    const Contract c(*this, Operation::ConcatLast);
    const Arguments all = {{"a", a}, {"b", b}, {"y", y}};
    c.dense(all);
    c.sameType({"a", a}, {"y", y});
    c.sameType({"b", b}, {"y", y});
    c.require(lastExtent(a) + lastExtent(b) == lastExtent(y) && leadingCount(a) == leadingCount(y)
                  && leadingCount(b) == leadingCount(y),
              "the last extents of a and b must add up to y's, and the rows be the same", all);
    if (y.count() > 0) doConcatLast(a, b, y);
}

void Backend::sliceLast(View x, std::int64_t first, View y) {
    const Contract c(*this, Operation::SliceLast);
    c.dense({{"x", x}, {"y", y}});
    c.sameType({"x", x}, {"y", y});
    c.require(leadingCount(x) == leadingCount(y), "x and y must have the same rows", {{"x", x}, {"y", y}});
    c.require(first >= 0 && first + lastExtent(y) <= lastExtent(x),
              "the slice from " + std::to_string(first) + " must lie in x", {{"x", x}, {"y", y}});
    if (y.count() > 0) doSliceLast(x, first, y);
}

void Backend::channelsLast(View x, View y) {
    requireTransposed({*this, Operation::ChannelsLast}, {"x", x}, {"y", y});
    if (y.count() > 0) doChannelsLast(x, y);
}

void Backend::channelsFirst(View x, View y) {
    requireTransposed({*this, Operation::ChannelsFirst}, {"y", y}, {"x", x});
    if (y.count() > 0) doChannelsFirst(x, y);
}

std::vector<double> Backend::reduceRows(Reduction r, View x) {
    const Contract c(*this, Operation::ReduceRows);
    c.dense({{"x", x}});
    c.floats({{"x", x}});
    c.require(x.shape.rank() >= 1, "x must have rows", {{"x", x}});
    return doReduceRows(r, x);
}

std::vector<double> Backend::dotRows(View a, View b) {
    const Contract c(*this, Operation::DotRows);
    c.dense({{"a", a}, {"b", b}});
    c.floats({{"a", a}});
    c.sameType({"a", a}, {"b", b});
    c.sameShape({"a", a}, {"b", b});
    c.require(a.shape.rank() >= 1, "a and b must have rows", {{"a", a}, {"b", b}});
    return doDotRows(a, b);
}

std::vector<double> Backend::attentionEntropy(View p) {
    const Contract c(*this, Operation::AttentionEntropy);
    c.dense({{"p", p}});
    c.require(p.type == DType::F32 && p.shape.rank() == 4, "p must be f32 (b, heads, tq, tk)", {{"p", p}});
    return doAttentionEntropy(p);
}

}  // namespace meander::kernels
