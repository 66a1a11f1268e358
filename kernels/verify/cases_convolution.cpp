#include <array>

#include "kernels/verify/epilogue_case.h"
#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

struct Size {
    std::int64_t n, h, w, in, out;
    int kernel, stride, padding;
};

double convolutionError(Backend& backend, Size s, DType type, const EpilogueCase& c) {
    Fixture t(backend);
    const std::int64_t h = (s.h + 2 * s.padding - s.kernel) / s.stride + 1,
                       w = (s.w + 2 * s.padding - s.kernel) / s.stride + 1;
    const Host x = random({s.n, s.h, s.w, s.in}, type, 1),
               filter = random({s.out, s.in, s.kernel, s.kernel}, type, 2,
                               1 / std::sqrt(double(s.in * s.kernel * s.kernel)));
    const HostEpilogue parts(c, s.n * h * w, s.out, s.n, type);

    Host want({s.n, h, w, s.out});
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t oy = 0; oy < h; ++oy)
            for (std::int64_t ox = 0; ox < w; ++ox)
                for (std::int64_t o = 0; o < s.out; ++o) {
                    double sum = 0;
                    for (int ky = 0; ky < s.kernel; ++ky)
                        for (int kx = 0; kx < s.kernel; ++kx) {
                            const std::int64_t iy = oy * s.stride + ky - s.padding, ix = ox * s.stride + kx - s.padding;
                            if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
                            for (std::int64_t i = 0; i < s.in; ++i)
                                sum += x[((n * s.h + iy) * s.w + ix) * s.in + i]
                                       * filter[((o * s.in + i) * s.kernel + ky) * s.kernel + kx];
                        }
                    const std::int64_t row = (n * h + oy) * w + ox;
                    want[row * s.out + o] = parts.finished(sum, row, o, s.n * h * w, s.out);
                }

    const HostWeights weight(filter, DType::F32), bias(parts.bias, DType::F32);
    const auto packed = backend.packConv(weight.view, bias.view, {s.stride, s.padding}, type, int(s.h), int(s.w));
    const View y = t.room(want.shape, type);
    backend.conv2d(t.put(x, type), *packed, y, parts.on(t, c, y));
    return difference(t.get(y), want);
}

// The expected extents choose an algorithm, not a result: `side` against one too small for any library. Each may be off
// the truth by the tolerance, so they may differ by twice as much.
double otherExtentsError(Backend& backend, std::int64_t h, std::int64_t w, std::int64_t c, int side, DType type) {
    Fixture t(backend);
    const HostWeights weight(random({c, c, 3, 3}, type, 1, 1 / std::sqrt(9.0 * double(c))), DType::F32);
    const View x = t.put(random({1, h, w, c}, type, 2), type);
    std::vector<Host> results;
    for (int expected : {8, side}) {
        const auto packed = backend.packConv(weight.view, {}, {1, 1}, type, expected, expected);
        if (packed->in != c || packed->out != c || packed->kernel != 3 || packed->bytes == 0) return 1;
        const View y = t.room({1, h, w, c}, type);
        backend.conv2d(x, *packed, y);
        results.push_back(t.get(y));
    }
    return difference(results[1], results[0]);
}

}  // namespace

void addConv2dCases(Cases& cases) {
    const auto add = [&](Size s, DType type, const EpilogueCase& c) {
        const std::string name = std::string("conv2d/") + kernels::nameOf(type) + " "
                                 + Shape{s.n, s.h, s.w, s.in}.text() + " -> " + std::to_string(s.out) + " k"
                                 + std::to_string(s.kernel) + " s" + std::to_string(s.stride) + " p"
                                 + std::to_string(s.padding) + c.text();
        cases.push_back({name, type, tolerance(type), [=](Backend& b) { return convolutionError(b, s, type, c); }});
    };
    for (DType type : activationTypes) {
        for (Size s :
             {Size{1, 1, 1, 1, 1, 1, 1, 0}, Size{1, 1, 1, 3, 2, 3, 1, 1}, Size{1, 5, 7, 3, 17, 3, 1, 1},
              Size{2, 8, 6, 17, 5, 3, 2, 1}, Size{1, 9, 9, 4, 32, 3, 1, 1}, Size{2, 16, 16, 32, 48, 3, 1, 1},
              Size{1, 12, 10, 20, 33, 1, 1, 0}, Size{1, 8, 8, 3, 8, 7, 1, 3}, Size{2, 16, 16, 3, 24, 2, 2, 0},
              Size{1, 6, 5, 16, 16, 3, 1, 0}, Size{1, 11, 13, 64, 1, 3, 1, 1}, Size{1, 32, 32, 64, 64, 3, 1, 1},
              Size{1, 33, 35, 64, 72, 3, 1, 1}, Size{1, 4, 4, 300, 40, 3, 1, 1}, Size{1, 15, 15, 32, 32, 3, 2, 1}})
            add(s, type, {Bias});
        const Size small{2, 6, 5, 17, 19, 3, 1, 1};
        add(small, type, {});
        for (unsigned part : {unsigned(RowBias), unsigned(Multiply), unsigned(Gate), unsigned(Residual),
                              unsigned(Residual | InPlace), unsigned(Scale)})
            add(small, type, {part | Bias});
        add(small, type, {AllParts, Activation::Silu});
        add({2, 32, 32, 64, 64, 3, 1, 1}, type, {AllParts | InPlace, Activation::Silu});
        add({2, 32, 32, 64, 64, 3, 1, 1}, type, {Bias | RowBias | Residual});
        add({2, 9, 8, 32, 64, 1, 1, 0}, type, {AllParts, Activation::Relu});
    }
}

SampleCall sampleConv2d(DType type) {
    return sample(
        {input("x", {2, 5, 4, 6}, type), output("y", {2, 5, 4, 8}, type), input("multiply", {2, 5, 4, 8}, type),
         input("gate", {2, 8}, type), input("residual", {2, 5, 4, 8}, type), input("rowBias", {2, 8}, type)},
        [type](Backend& b, std::span<const View> v) {
            const HostWeights weight(random({8, 6, 3, 3}, type, 7), DType::F32);
            Epilogue e{
                .activation = Activation::Silu, .multiply = v[2], .gate = v[3], .residual = v[4], .rowBias = v[5]};
            b.conv2d(v[0], *b.packConv(weight.view, {}, {1, 1}, type, 5, 4), v[1], e);
        });
}

void addPackConvCases(Cases& cases) {
    for (DType type : activationTypes)
        for (const auto& [h, w, c, side] : {std::array<int, 4>{40, 33, 64, 64},
                                            {9, 8, 64, 64},
                                            {1, 25, 64, 32},
                                            {40, 40, 320, 32},
                                            {34, 17, 320, 64}})
            cases.push_back({std::string("packConv/") + kernels::nameOf(type) + " for " + std::to_string(side)
                                 + ", used for " + Shape{1, h, w, c}.text(),
                             type, 2 * tolerance(type), [=, h = h, w = w, c = c, side = side](Backend& b) {
                                 return otherExtentsError(b, h, w, c, side, type);
                             }});
}

SampleCall samplePackConv(DType type) {
    return sample({{"weight", {5, 3, 3, 3}, DType::F32, false, true}, {"bias", {5}, DType::F32, false, true}},
                  [type](Backend& b, std::span<const View> v) {
                      b.packConv(v[0], v[1], {1, 1}, type, 8, 8);
                  });
}

}  // namespace meander::kernels::verify
