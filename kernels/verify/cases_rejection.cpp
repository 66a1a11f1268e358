// Mistakes that belong to one operation: each throws std::invalid_argument with exactly this sentence, on every device.
#include <limits>
#include <stdexcept>

#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {
namespace {

using Attempt = std::function<void(Fixture&, View small, View large)>;  // small (2, 3), large (2, 4, 4, 6), both f32

double rejectionError(Backend& backend, const std::string& sentence, const Attempt& attempt) {
    Fixture t(backend);
    const View small = t.put(random({2, 3}, DType::F32, 1), DType::F32),
               large = t.put(random({2, 4, 4, 6}, DType::F32, 2), DType::F32);
    try {
        attempt(t, small, large);
    } catch (const std::invalid_argument& e) {
        if (e.what() == sentence) return 0;
        throw std::runtime_error(std::string("The sentence is: ") + e.what());
    }
    return std::numeric_limits<double>::infinity();
}

}  // namespace

void addRejectionCases(Cases& cases) {
    const auto add = [&](const std::string& name, const std::string& sentence, Attempt attempt) {
        cases.push_back(
            {"rejects/" + name, DType::F32, 0, [=](Backend& b) { return rejectionError(b, sentence, attempt); }});
    };
    const auto linearWith = [](Fixture& t, std::int64_t in) {
        const HostWeights w(random({5, in}, DType::F32, 3), DType::F32);
        return t.backend.packLinear(w.view, {}, DType::F32);
    };
    add("linear wrong inputs", "linear: x must be (rows, 4) and y (rows, 5); got x f32 (2, 3) and y f32 (2, 5)",
        [=](Fixture& t, View small, View) {
            t.backend.linear(small, *linearWith(t, 4), t.room({2, 5}, DType::F32), {});
        });
    add("linear wrong outputs", "linear: x must be (rows, 3) and y (rows, 5); got x f32 (2, 3) and y f32 (2, 6)",
        [=](Fixture& t, View small, View) {
            t.backend.linear(small, *linearWith(t, 3), t.room({2, 6}, DType::F32), {});
        });
    add("linear mixed types", "linear: x and y must have one type; got x f32 (2, 3) and y bf16 (2, 5)",
        [=](Fixture& t, View small, View) {
            t.backend.linear(small, *linearWith(t, 3), t.room({2, 5}, DType::BF16), {});
        });
    add("linear wrong residual", "linear: residual must have y's shape; got residual f32 (2, 3) and y f32 (2, 5)",
        [=](Fixture& t, View small, View) {
            Epilogue e;
            e.residual = small;
            t.backend.linear(small, *linearWith(t, 3), t.room({2, 5}, DType::F32), e);
        });
    add("packLinear wrong bias", "packLinear: bias must have one value per output, 5; got bias f32 (4)",
        [](Fixture& t, View, View) {
            const HostWeights w(random({5, 3}, DType::F32, 3), DType::F32),
                bias(random({4}, DType::F32, 4), DType::F32);
            t.backend.packLinear(w.view, bias.view, DType::F32);
        });
    add("conv2d wrong output", "conv2d: y must be (2, 4, 4, 5); got x f32 (2, 4, 4, 6) and y f32 (2, 4, 5, 5)",
        [](Fixture& t, View, View large) {
            const HostWeights w(random({5, 6, 3, 3}, DType::F32, 3), DType::F32);
            t.backend.conv2d(large, *t.backend.packConv(w.view, {}, {1, 1}, DType::F32, 4, 4),
                             t.room({2, 4, 5, 5}, DType::F32), {});
        });
    add("conv2d wrong channels", "conv2d: x must be (n, h, w, 7); got x f32 (2, 4, 4, 6)",
        [](Fixture& t, View, View large) {
            const HostWeights w(random({5, 7, 3, 3}, DType::F32, 3), DType::F32);
            t.backend.conv2d(large, *t.backend.packConv(w.view, {}, {1, 1}, DType::F32, 4, 4),
                             t.room({2, 4, 4, 5}, DType::F32), {});
        });
    add("batchedMatmul wrong depth",
        "batchedMatmul: (b, m, k) and (b, k, n) must give (b, m, n); got a f32 (2, 3, 4) and b f32 (2, 5, 6) and y f32 "
        "(2, 3, 6)",
        [](Fixture& t, View, View) {
            t.backend.batchedMatmul(t.room({2, 3, 4}, DType::F32), t.room({2, 5, 6}, DType::F32),
                                    t.room({2, 3, 6}, DType::F32), false);
        });
    add("groupNorm groups", "groupNorm: the channels must be a multiple of the groups, 4; got x f32 (2, 4, 4, 6)",
        [](Fixture& t, View, View large) { t.backend.groupNorm(large, {}, {}, 4, 1e-5f, Activation::None, large); });
    add("layerNorm wrong gamma",
        "layerNorm: gamma must be (c) or (groups, c), with x's rows split evenly; got gamma f32 (2, 3) and x f32 (2, "
        "4, 4, 6)",
        [](Fixture& t, View small, View large) {
            t.backend.layerNorm(large, small, {}, 1e-5f, {}, {}, t.room(large.shape, DType::F32));
        });
    add("rmsNorm wrong output", "rmsNorm: x and y must have the same shape; got x f32 (2, 4, 4, 6) and y f32 (2, 3)",
        [](Fixture& t, View small, View large) { t.backend.rmsNorm(large, {}, 1e-5f, small); });
    add("attention heads",
        "attention: the channels must be a multiple of the heads, 4; got q f32 (1, 4, 6) and v f32 (1, 4, 6)",
        [](Fixture& t, View, View) {
            AttentionArgs a;
            a.q = a.k = a.v = t.room({1, 4, 6}, DType::F32);
            a.heads = 4;
            t.backend.attention(a, t.room({1, 4, 6}, DType::F32));
        });
    add("attention key length", "attention: v must have k's batch and tokens; got k f32 (1, 4, 6) and v f32 (1, 5, 6)",
        [](Fixture& t, View, View) {
            AttentionArgs a;
            a.q = a.k = t.room({1, 4, 6}, DType::F32);
            a.v = t.room({1, 5, 6}, DType::F32);
            t.backend.attention(a, t.room({1, 4, 6}, DType::F32));
        });
    add("softmax wrong output", "softmax: x and y must have the same shape; got x f32 (2, 4, 4, 6) and y f32 (2, 3)",
        [](Fixture& t, View small, View large) { t.backend.softmax(large, small); });
    add("upsampleNearest2 wrong output",
        "upsampleNearest2: x must be (n, h, w, c) and y (n, 2h, 2w, c); got x f32 (2, 4, 4, 6) and y f32 (2, 8, 7, 6)",
        [](Fixture& t, View, View large) {
            t.backend.upsampleNearest2(large, t.room({2, 8, 7, 6}, DType::F32));
        });
    add("downsampleMean2 odd side",
        "downsampleMean2: x must be (n, 2h, 2w, c) and y (n, h, w, c); got y f32 (1, 1, 2, 2) and x f32 (1, 3, 4, 2)",
        [](Fixture& t, View, View) {
            t.backend.downsampleMean2(t.room({1, 3, 4, 2}, DType::F32), t.room({1, 1, 2, 2}, DType::F32));
        });
    add("pixelShuffle channels",
        "pixelShuffle: x must be (n, h, w, c f f) and y (n, h f, w f, c); got x f32 (2, 4, 4, 6) and y f32 (2, 8, 8, "
        "1)",
        [](Fixture& t, View, View large) {
            t.backend.pixelShuffle(large, 2, t.room({2, 8, 8, 1}, DType::F32));
        });
    add("embedding id outside", "embedding: id 2 is outside the table of 2 rows", [](Fixture& t, View small, View) {
        t.backend.embedding(std::vector<std::int32_t>{2}, small, t.room({1, 3}, DType::F32));
    });
    add("unary wrong size", "unary: x and y must have the same shape; got x f32 (2, 4, 4, 6) and y f32 (2, 3)",
        [](Fixture& t, View small, View large) { t.backend.unary(Unary::Silu, large, small); });
    add("binary no broadcast", "binary: b must have a's shape or its last dimensions; got a f32 (2, 3) and b f32 (4)",
        [](Fixture& t, View small, View) { t.backend.binary(Binary::Add, small, t.room({4}, DType::F32), small); });
    add("combineRows factors", "combineRows: there must be one factor per row; got y f32 (2, 3)",
        [](Fixture& t, View small, View) {
            const View values[] = {small};
            const std::vector<double> factors[] = {{1.0}};
            t.backend.combineRows(values, factors, small);
        });
    add("combine types", "combine: value and y must have one type; got value f32 (2, 3) and y f64 (2, 3)",
        [](Fixture& t, View small, View) {
            const Term terms[] = {{1.0, small}};
            t.backend.combine(terms, t.room({2, 3}, DType::F64));
        });
    add("concatLast extents",
        "concatLast: the last extents of a and b must add up to y's, and the rows be the same; got a f32 (2, 3) and b "
        "f32 (2, 3) and y f32 (2, 4, 4, 6)",
        [](Fixture& t, View small, View large) { t.backend.concatLast(small, small, large); });
    add("sliceLast outside", "sliceLast: the slice from 2 must lie in x; got x f32 (2, 3) and y f32 (2, 2)",
        [](Fixture& t, View small, View) {
            t.backend.sliceLast(small, 2, t.room({2, 2}, DType::F32));
        });
    add("normal rows", "normal: y must have one row per address, 1; got y f32 (2, 3)",
        [](Fixture& t, View small, View) { t.backend.normal(std::vector<NoiseAddress>(1), small); });
    add("dotRows shapes", "dotRows: a and b must have the same shape; got a f32 (2, 3) and b f32 (2, 4, 4, 6)",
        [](Fixture& t, View small, View large) { t.backend.dotRows(small, large); });
    add("convert sizes", "convert: x and y must have as many elements; got x f32 (2, 3) and y f32 (2, 4, 4, 6)",
        [](Fixture& t, View small, View large) { t.backend.convert(small, large); });
    add("copy sizes", "copy: from and to must have as many elements; got from f32 (2, 3) and to f32 (2, 4, 4, 6)",
        [](Fixture& t, View small, View large) { t.backend.copy(small, large); });
    add("attention strided heads",
        "attention: the elements of q's last dimension must be neighbours (copy it first); got q f32 (1, 4, 6) with "
        "strides (24, 1, 4)",
        [](Fixture& t, View, View) {
            AttentionArgs a;
            a.q = a.k = a.v = t.room({1, 6, 4}, DType::F32).transposed(1, 2);
            t.backend.attention(a, t.room({1, 4, 6}, DType::F32));
        });
    add("attention no keys", "attention: there must be keys and channels; got q f32 (1, 4, 6) and k f32 (1, 0, 6)",
        [](Fixture& t, View, View) {
            AttentionArgs a;
            a.q = t.room({1, 4, 6}, DType::F32);
            a.k = a.v = t.room({1, 1, 6}, DType::F32).slice(1, 0, 0);
            t.backend.attention(a, t.room({1, 4, 6}, DType::F32));
        });
    add("packConv stride", "packConv: the stride and the expected extents must be positive, the padding not negative",
        [](Fixture& t, View, View) {
            const HostWeights w(random({5, 6, 3, 3}, DType::F32, 3), DType::F32);
            t.backend.packConv(w.view, {}, {0, 1}, DType::F32, 4, 4);
        });
    add("packLinear doubles", "packLinear: weight must be f32, f16 or bf16; got weight f64 (5, 3)",
        [](Fixture& t, View, View) {
            const HostWeights w(random({5, 3}, DType::F64, 3), DType::F64);
            t.backend.packLinear(w.view, {}, DType::F32);
        });
    add("linear other activations", "linear: the weights were packed for f32; got x bf16 (2, 3)",
        [=](Fixture& t, View, View) {
            t.backend.linear(t.room({2, 3}, DType::BF16), *linearWith(t, 3), t.room({2, 5}, DType::BF16), {});
        });
    add("layerNorm different groups",
        "layerNorm: scale and shift must have the same groups; got scale f32 (2, 3) and shift f32 (4, 3)",
        [](Fixture& t, View, View) {
            const View x = t.room({4, 3}, DType::F32);
            t.backend.layerNorm(x, {}, {}, 1e-5f, t.room({2, 3}, DType::F32), t.room({4, 3}, DType::F32), x);
        });
    add("rope axes", "rope: the pairs of the axes, at most six, must add up to those of cos; got cos f32 (4, 3)",
        [](Fixture& t, View, View large) {
            const View angles = t.room({4, 3}, DType::F32);
            t.backend.rope(large, {angles, angles, RopePairing::HalfSplit, {1, 1}}, large);
        });
    add("rope too many pairs",
        "rope: cos and sin must be f32 (t, p) or (b, t, p) with p at most half of the head; got cos f32 (4, 4) and sin "
        "f32 (4, 4) and x f32 (2, 4, 4, 6)",
        [](Fixture& t, View, View large) {
            const View angles = t.room({4, 4}, DType::F32);
            t.backend.rope(large, {angles, angles, RopePairing::Interleaved, {}}, large);
        });
    add("binary repeats across rows",
        "binary: b must have a's shape or its last dimensions; got a f32 (2, 3) and b f32 (2)",
        [](Fixture& t, View small, View) { t.backend.binary(Binary::Add, small, t.room({2}, DType::F32), small); });
    add("timestepEmbedding odd", "timestepEmbedding: y must be (2, 3) with an even last extent; got y f32 (2, 3)",
        [](Fixture& t, View small, View) {
            t.backend.timestepEmbedding(std::vector<double>{1, 2}, 3, true, 0, 1e4, small);
        });
    add("combine nothing", "combine: there must be a term; got y f32 (2, 3)",
        [](Fixture& t, View small, View) { t.backend.combine({}, small); });
    add("upload nothing", "upload: the host memory is missing; got to f32 (2, 3)",
        [](Fixture& t, View small, View) { t.backend.upload(nullptr, small); });
    add("packStoredLinear different widths",
        "packStoredLinear: the parts must be (out, in) with the same in, a whole number of blocks",
        [](Fixture& t, View, View) {
            const std::vector<float> w(12);
            const WeightMatrix parts[] = {{w.data(), WeightFormat::F32, 2, 4, nullptr},
                                          {w.data(), WeightFormat::F32, 2, 6, nullptr}};
            t.backend.packStoredLinear(parts, {}, DType::F32);
        });
    add("packStoredLinear part of a block",
        "packStoredLinear: the parts must be (out, in) with the same in, a whole number of blocks",
        [](Fixture& t, View, View) {
            const std::vector<char> w(1000);
            const WeightMatrix part{w.data(), WeightFormat::Q8_0, 2, 40, nullptr};
            t.backend.packStoredLinear({&part, 1}, {}, DType::F32);
        });
}

}  // namespace meander::kernels::verify
