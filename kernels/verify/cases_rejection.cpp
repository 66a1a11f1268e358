// Wrong arguments: every one must throw std::invalid_argument with the operation's name, and nothing else may happen.
#include <limits>
#include <stdexcept>

#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {
namespace {

using Attempt = std::function<void(Fixture&, View small, View large)>;  // small (2, 3), large (2, 4, 4, 6), both f32

double rejectionError(Backend& backend, const std::string& operation, const Attempt& attempt) {
    Fixture t(backend);
    const View small = t.put(random({2, 3}, DType::F32, 1), DType::F32),
               large = t.put(random({2, 4, 4, 6}, DType::F32, 2), DType::F32);
    try {
        attempt(t, small, large);
    } catch (const std::invalid_argument& e) {
        return std::string(e.what()).find(operation) == std::string::npos ? 1 : 0;
    }
    return std::numeric_limits<double>::infinity();
}

}  // namespace

void addRejectionCases(Cases& cases) {
    const auto add = [&](const std::string& operation, const std::string& why, Attempt attempt) {
        cases.push_back({"rejects/" + operation + " " + why, DType::F32, 0,
                         [=](Backend& b) { return rejectionError(b, operation, attempt); }});
    };
    const auto linearWith = [](Fixture& t, std::int64_t in) {
        const HostWeights w(random({5, in}, DType::F32, 3), DType::F32);
        return t.backend.packLinear(w.view, {}, DType::F32);
    };
    add("linear", "wrong inputs", [=](Fixture& t, View small, View) {
        t.backend.linear(small, *linearWith(t, 4), t.room({2, 5}, DType::F32), {});
    });
    add("linear", "wrong outputs", [=](Fixture& t, View small, View) {
        t.backend.linear(small, *linearWith(t, 3), t.room({2, 6}, DType::F32), {});
    });
    add("linear", "mixed types", [=](Fixture& t, View small, View) {
        t.backend.linear(small, *linearWith(t, 3), t.room({2, 5}, DType::BF16), {});
    });
    add("linear", "wrong residual", [=](Fixture& t, View small, View) {
        Epilogue e;
        e.residual = small;
        t.backend.linear(small, *linearWith(t, 3), t.room({2, 5}, DType::F32), e);
    });
    add("packLinear", "wrong bias", [](Fixture& t, View, View) {
        const HostWeights w(random({5, 3}, DType::F32, 3), DType::F32), bias(random({4}, DType::F32, 4), DType::F32);
        t.backend.packLinear(w.view, bias.view, DType::F32);
    });
    add("conv2d", "wrong output", [](Fixture& t, View, View large) {
        const HostWeights w(random({5, 6, 3, 3}, DType::F32, 3), DType::F32);
        t.backend.conv2d(large, *t.backend.packConv(w.view, {}, {1, 1}, DType::F32, 4, 4),
                         t.room({2, 4, 5, 5}, DType::F32), {});
    });
    add("conv2d", "wrong channels", [](Fixture& t, View, View large) {
        const HostWeights w(random({5, 7, 3, 3}, DType::F32, 3), DType::F32);
        t.backend.conv2d(large, *t.backend.packConv(w.view, {}, {1, 1}, DType::F32, 4, 4),
                         t.room({2, 4, 4, 5}, DType::F32), {});
    });
    add("batchedMatmul", "wrong depth", [](Fixture& t, View, View) {
        t.backend.batchedMatmul(t.room({2, 3, 4}, DType::F32), t.room({2, 5, 6}, DType::F32),
                                t.room({2, 3, 6}, DType::F32), false);
    });
    add("groupNorm", "groups",
        [](Fixture& t, View, View large) { t.backend.groupNorm(large, {}, {}, 4, 1e-5f, Activation::None, large); });
    add("layerNorm", "wrong gamma", [](Fixture& t, View small, View large) {
        t.backend.layerNorm(large, small, {}, 1e-5f, {}, {}, t.room(large.shape, DType::F32));
    });
    add("rmsNorm", "wrong output",
        [](Fixture& t, View small, View large) { t.backend.rmsNorm(large, {}, 1e-5f, small); });
    add("attention", "heads", [](Fixture& t, View, View) {
        AttentionArgs a;
        a.q = a.k = a.v = t.room({1, 4, 6}, DType::F32);
        a.heads = 4;
        t.backend.attention(a, t.room({1, 4, 6}, DType::F32));
    });
    add("attention", "key length", [](Fixture& t, View, View) {
        AttentionArgs a;
        a.q = a.k = t.room({1, 4, 6}, DType::F32);
        a.v = t.room({1, 5, 6}, DType::F32);
        t.backend.attention(a, t.room({1, 4, 6}, DType::F32));
    });
    add("softmax", "wrong output", [](Fixture& t, View small, View large) { t.backend.softmax(large, small); });
    add("upsampleNearest2", "wrong output", [](Fixture& t, View, View large) {
        t.backend.upsampleNearest2(large, t.room({2, 8, 7, 6}, DType::F32));
    });
    add("downsampleMean2", "odd side", [](Fixture& t, View, View) {
        t.backend.downsampleMean2(t.room({1, 3, 4, 2}, DType::F32), t.room({1, 1, 2, 2}, DType::F32));
    });
    add("pixelShuffle", "channels", [](Fixture& t, View, View large) {
        t.backend.pixelShuffle(large, 2, t.room({2, 8, 8, 1}, DType::F32));
    });
    add("embedding", "id outside", [](Fixture& t, View small, View) {
        Host ids({1}, 2);
        t.backend.embedding(t.put(ids, DType::I32), small, t.room({1, 3}, DType::F32));
    });
    add("unary", "wrong size", [](Fixture& t, View small, View large) { t.backend.unary(Unary::Silu, large, small); });
    add("binary", "no broadcast",
        [](Fixture& t, View small, View) { t.backend.binary(Binary::Add, small, t.room({4}, DType::F32), small); });
    add("combineRows", "factors", [](Fixture& t, View small, View) {
        const View values[] = {small};
        const std::vector<double> factors[] = {{1.0}};
        t.backend.combineRows(values, factors, small);
    });
    add("combine", "types", [](Fixture& t, View small, View) {
        const Term terms[] = {{1.0, small}};
        t.backend.combine(terms, t.room({2, 3}, DType::F64));
    });
    add("concatLast", "extents", [](Fixture& t, View small, View large) { t.backend.concatLast(small, small, large); });
    add("sliceLast", "outside", [](Fixture& t, View small, View) {
        t.backend.sliceLast(small, 2, t.room({2, 2}, DType::F32));
    });
    add("normal", "rows", [](Fixture& t, View small, View) { t.backend.normal(std::vector<NoiseAddress>(1), small); });
    add("dotRows", "shapes", [](Fixture& t, View small, View large) { t.backend.dotRows(small, large); });
    add("convert", "sizes", [](Fixture& t, View small, View large) { t.backend.convert(small, large); });
    add("copy", "sizes", [](Fixture& t, View small, View large) { t.backend.copy(small, large); });
}

}  // namespace meander::kernels::verify
