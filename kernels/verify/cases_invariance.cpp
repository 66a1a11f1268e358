// Promises of the CPU: an image has the same bits alone and in a batch.
#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {
namespace {

constexpr std::int64_t batch = 8;

// Runs `operation` on all rows and on each row alone; counts elements whose bits differ.
template <class Operation>
double aloneError(Backend& backend, Shape xShape, Shape yShape, DType type, const Operation& operation) {
    Fixture t(backend);
    const View x = t.put(random(xShape, type, 1), type), y = t.room(yShape, type), alone = t.room(yShape, type);
    operation(x, y);
    for (std::int64_t i = 0; i < batch; ++i) operation(x.rows(i, 1), alone.rows(i, 1));
    return differing(t.get(alone), t.get(y));
}

double linearAlone(Backend& backend, std::int64_t tokens, std::int64_t in, std::int64_t out, DType type) {
    const HostWeights w(random({out, in}, type, 2), DType::F32), bias(random({out}, type, 3), DType::F32);
    const auto packed = backend.packLinear(w.view, bias.view, type);
    return aloneError(backend, {batch, tokens, in}, {batch, tokens, out}, type,
                      [&](View x, View y) { backend.linear(x, *packed, y, {}); });
}

double convolutionAlone(Backend& backend, std::int64_t side, std::int64_t in, std::int64_t out, DType type) {
    const HostWeights w(random({out, in, 3, 3}, type, 2), DType::F32), bias(random({out}, type, 3), DType::F32);
    const auto packed = backend.packConv(w.view, bias.view, {1, 1}, type, int(side), int(side));
    return aloneError(backend, {batch, side, side, in}, {batch, side, side, out}, type,
                      [&](View x, View y) { backend.conv2d(x, *packed, y, {}); });
}

double attentionAlone(Backend& backend, std::int64_t tokens, int heads, std::int64_t d, DType type) {
    const Shape shape{batch, tokens, heads * d};
    return aloneError(backend, shape, shape, type, [&](View x, View y) {
        AttentionArgs a;
        a.q = a.k = a.v = x;
        a.heads = heads;
        a.scale = 0.3f;
        backend.attention(a, y);
    });
}

}  // namespace

void addInvarianceCases(Cases& cases) {
    const auto add = [&](const std::string& name, DType type, std::function<double(Backend&)> error) {
        cases.push_back({"alone or in a batch/" + std::string(kernels::nameOf(type)) + " " + name, type, 0,
                         std::move(error), true});
    };
    for (DType type : {DType::F32, DType::BF16}) {
        add("linear 1 token 256 -> 512", type, [=](Backend& b) { return linearAlone(b, 1, 256, 512, type); });
        add("linear 64 tokens 96 -> 384", type, [=](Backend& b) { return linearAlone(b, 64, 96, 384, type); });
        add("linear 77 tokens 768 -> 320", type, [=](Backend& b) { return linearAlone(b, 77, 768, 320, type); });
        add("conv2d 16x16 3 -> 48", type, [=](Backend& b) { return convolutionAlone(b, 16, 3, 48, type); });
        add("conv2d 8x8 64 -> 64", type, [=](Backend& b) { return convolutionAlone(b, 8, 64, 64, type); });
        add("conv2d 32x32 64 -> 64", type, [=](Backend& b) { return convolutionAlone(b, 32, 64, 64, type); });
        add("attention 64 tokens", type, [=](Backend& b) { return attentionAlone(b, 64, 4, 32, type); });
        add("groupNorm 16x16x64", type, [=](Backend& b) {
            return aloneError(b, {batch, 16, 16, 64}, {batch, 16, 16, 64}, type,
                              [&](View x, View y) { b.groupNorm(x, {}, {}, 8, 1e-5f, Activation::Silu, y); });
        });
        add("layerNorm 64x96", type, [=](Backend& b) {
            return aloneError(b, {batch, 64, 96}, {batch, 64, 96}, type,
                              [&](View x, View y) { b.layerNorm(x, {}, {}, 1e-5f, {}, {}, y); });
        });
    }
}

}  // namespace meander::kernels::verify
