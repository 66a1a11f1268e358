#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

// The known answers of Random123 (examples/kat_vectors, "philox4x32 10"): number of wrong words.
double philoxError() {
    struct Known {
        std::uint32_t counter[4], key[2], result[4];
    };
    const Known known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
        {{0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu},
         {0xffffffffu, 0xffffffffu},
         {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
        {{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
         {0xa4093822u, 0x299f31d0u},
         {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}},
    };
    double wrong = 0;
    for (const Known& k : known) {
        const Philox4 r = philox4x32(k.counter[0], k.counter[1], k.counter[2], k.counter[3], k.key[0], k.key[1]);
        for (int i = 0; i < 4; ++i) wrong += r.v[i] != k.result[i];
    }
    return wrong;
}

const NoiseAddress addresses[] = {{1, 0, 0, 0}, {1, 1, 0, 0}, {0x123456789abcdefull, 3, 9, 2}};

Host generated(Backend& backend, std::span<const NoiseAddress> from, Shape rest, DType type) {
    Fixture t(backend);
    const View y = t.room({std::int64_t(from.size()), rest[0], rest[1]}, type);
    backend.normal(from, y);
    return t.get(y);
}

double normalError(Backend& backend, Shape rest, DType type) {
    const Host got = generated(backend, addresses, rest, type);
    Host want(got.shape);
    const std::int64_t n = rest.count();
    for (std::int64_t i = 0; i < want.shape.count(); ++i) {
        double four[4];
        normal4(addresses[i / n], std::uint32_t(i % n / 4), four);
        want[i] = roundedTo(type, four[i % n % 4]);
    }
    return difference(got, want);
}

// A row alone has the bits it has among others.
double rowSplitError(Backend& backend) {
    const Shape rest{33, 7};
    const Host together = generated(backend, addresses, rest, DType::F32);
    double wrong = 0;
    for (int row = 0; row < 3; ++row) {
        const Host alone = generated(backend, std::span(addresses).subspan(std::size_t(row), 1), rest, DType::F32);
        for (std::int64_t i = 0; i < rest.count(); ++i) wrong += alone[i] != together[row * rest.count() + i];
    }
    return wrong;
}

// Mean, deviation, skewness and kurtosis of 400,000 values, each in units of its own standard error.
double momentError(Backend& backend) {
    const std::int64_t n = 400000;
    const Host x = generated(backend, std::span(addresses).first(1), {n, 1}, DType::F32);
    double sums[5] = {};
    for (double v : x.v)
        for (int k = 1; k <= 4; ++k) sums[k] += std::pow(v, k) / double(n);
    const double root = std::sqrt(double(n));
    const double scores[] = {sums[1] * root, (sums[2] - 1) * root / std::sqrt(2.0), sums[3] * root / std::sqrt(15.0),
                             (sums[4] - 3) * root / std::sqrt(96.0)};
    double worst = 0;
    for (double s : scores) worst = std::max(worst, std::abs(s));
    return worst;
}

}  // namespace

void addNormalCases(Cases& cases) {
    cases.push_back({"philox/known answers of Random123", DType::F32, 0, [](Backend&) { return philoxError(); }});
    for (DType type : {DType::F32, DType::F64})
        for (Shape rest : {Shape{1, 1}, Shape{5, 7}, Shape{64, 100}})
            cases.push_back({std::string("normal/") + kernels::nameOf(type) + " 3 rows of " + rest.text(), type,
                             type == DType::F32 ? 1e-6 : 1e-13,
                             [=](Backend& b) { return normalError(b, rest, type); }});
    cases.push_back({"normal/row alone or among others", DType::F32, 0, rowSplitError});
    cases.push_back({"normal/moments in standard errors", DType::F32, 4, momentError});
}

SampleCall sampleNormal(DType) {
    return sample({output("y", {3, 11}, DType::F32)},
                  [](Backend& b, std::span<const View> v) { b.normal(addresses, v[0]); });
}

}  // namespace meander::kernels::verify
