// Linear layers whose weights stay in the format of a file.
#include "kernels/verify/epilogue_case.h"
#include "kernels/verify/sample_call.h"
#include "kernels/verify/stored_matrix.h"

namespace meander::kernels::verify {
namespace {

double rootMeanSquare(WeightFormat f, const std::vector<std::uint8_t>& bytes, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    decodeWeights(f, bytes.data(), count, values.data());
    double squares = 0;
    for (const float v : values) squares += double(v) * v;
    return std::sqrt(squares / double(count));
}

// Writes value() as each half-precision scale of the blocks.
void setScales(WeightFormat f, std::vector<std::uint8_t>& bytes, const std::function<double()>& value) {
    const WeightFormatInfo info = infoOf(f);
    for (std::size_t block = 0; block < bytes.size(); block += std::size_t(info.blockBytes))
        for (int i = 0; i < info.scales; ++i) {
            const auto half = floatToF16(float(value()));
            const std::size_t at = block + std::size_t(info.scalesAt + 2 * i);
            bytes[at] = std::uint8_t(half & 255), bytes[at + 1] = std::uint8_t(half >> 8);
        }
}

}  // namespace

StoredMatrix::StoredMatrix(WeightFormat f, std::int64_t out, std::int64_t in, std::uint32_t seed, bool hasRowScales) {
    const double size = 1 / std::sqrt(double(in));
    if (isPlainFloat(f)) {
        const DType type = f == WeightFormat::F32 ? DType::F32 : f == WeightFormat::F16 ? DType::F16 : DType::BF16;
        const auto encoded = bytesOf(random({out, in}, type, seed, size), type);
        bytes.assign(encoded.begin(), encoded.end());
    } else {
        bytes.resize(kernels::bytesOf(f, out * in));
        std::uint32_t state = seed * 747796405u + 1;
        const auto next = [&] { return std::uint8_t((state = state * 1664525u + 1013904223u) >> 24); };
        for (auto& b : bytes) b = next();
        // Exponents below 8 are numbers below 2, and no NaN.
        if (f == WeightFormat::F8E4M3 || f == WeightFormat::F8E5M2)
            for (auto& b : bytes) b &= 0xbf;
        // Random bytes would be scales of any size.
        setScales(f, bytes, [] { return 1; });
        const double unit = size / rootMeanSquare(f, bytes, out * in);
        setScales(f, bytes, [&] { return unit * (0.5 + next() / 256.0); });
    }
    if (hasRowScales || f == WeightFormat::I8) {
        const double unit = size / rootMeanSquare(f, bytes, out * in);
        for (std::int64_t r = 0; r < out; ++r) rowScales.push_back(float(unit * (1 + double(r % 7) / 7)));
    }
    matrix = {bytes.data(), f, out, in, rowScales.empty() ? nullptr : rowScales.data()};
}

std::vector<float> StoredMatrix::values() const {
    std::vector<float> v(std::size_t(matrix.out * matrix.in));
    decodeWeights(matrix.format, bytes.data(), matrix.out * matrix.in, v.data());
    if (!rowScales.empty())
        for (std::size_t i = 0; i < v.size(); ++i) v[i] *= rowScales[i / std::size_t(matrix.in)];
    return v;
}

namespace {

struct StoredCase {
    std::vector<WeightFormat> formats;  // of the parts
    std::int64_t rows, in, out;         // out: of each part
    DType type;
    EpilogueCase epilogue;
    bool hasRowScales = false;
};

double storedError(Backend& backend, const StoredCase& c) {
    Fixture t(backend);
    const std::int64_t out = c.out * std::int64_t(c.formats.size());
    std::vector<std::unique_ptr<StoredMatrix>> stored;
    std::vector<WeightMatrix> parts;
    std::vector<double> w;
    for (const WeightFormat f : c.formats) {
        stored.push_back(
            std::make_unique<StoredMatrix>(f, c.out, c.in, 2 + std::uint32_t(stored.size()), c.hasRowScales));
        parts.push_back(stored.back()->matrix);
        for (const float v : stored.back()->values()) w.push_back(roundedTo(c.type, v));
    }
    const Host x = random({c.rows, c.in}, c.type, 1);
    const HostEpilogue epilogue(c.epilogue, c.rows, out, 1, c.type);
    Host want({c.rows, out});
    for (std::int64_t r = 0; r < c.rows; ++r)
        for (std::int64_t o = 0; o < out; ++o) {
            double sum = 0;
            for (std::int64_t k = 0; k < c.in; ++k) sum += x[r * c.in + k] * w[std::size_t(o * c.in + k)];
            want[r * out + o] = epilogue.finished(sum, r, o, c.rows, out);
        }
    const HostWeights bias(epilogue.bias, DType::F32);
    const auto packed = backend.packStoredLinear(parts, bias.view, c.type);
    const View y = t.room({c.rows, out}, c.type);
    backend.linear(t.put(x, c.type), *packed, y, epilogue.on(t, c.epilogue, y));
    return difference(t.get(y), want);
}

void addStored(Cases& cases, const StoredCase& c) {
    std::string name = std::string("linear/") + kernels::nameOf(c.type) + " stored";
    for (const WeightFormat f : c.formats) name += std::string(" ") + infoOf(f).name;
    name += " (" + std::to_string(c.rows) + ", " + std::to_string(c.in) + ") -> " + std::to_string(c.out)
            + c.epilogue.text() + (c.hasRowScales ? " row scales" : "");
    cases.push_back({name, c.type, tolerance(c.type), [c](Backend& b) { return storedError(b, c); }});
}

// Two plain parts are the layer that packLinear makes of their rows together.
double stackedError(Backend& backend, DType type) {
    Fixture t(backend);
    const Host w = random({12, 32}, type, 1);
    const HostWeights all(w, DType::F32);
    const WeightMatrix parts[] = {{all.view.rows(0, 5).data, WeightFormat::F32, 5, 32, nullptr},
                                  {all.view.rows(5, 7).data, WeightFormat::F32, 7, 32, nullptr}};
    const auto stored = backend.packStoredLinear(parts, {}, type), packed = backend.packLinear(all.view, {}, type);
    if (stored->in != 32 || stored->out != 12 || stored->bytes == 0) return 1;
    const View x = t.put(random({3, 32}, type, 2), type), y = t.room({3, 12}, type), z = t.room({3, 12}, type);
    backend.linear(x, *stored, y);
    backend.linear(x, *packed, z);
    return difference(t.get(y), t.get(z));
}

}  // namespace

void addPackStoredLinearCases(Cases& cases) {
    for (DType type : activationTypes) {
        cases.push_back({std::string("packStoredLinear/") + kernels::nameOf(type) + " parts below each other", type,
                         tolerance(type), [type](Backend& b) { return stackedError(b, type); }});
        for (int i = 0; i < weightFormatCount; ++i) {
            const auto f = WeightFormat(i);
            addStored(cases, {{f}, 1, 256, 35, type, {Bias}});
            addStored(cases, {{f}, 130, 512, 100, type, {AllParts, Activation::Silu}});
            if (infoOf(f).blockElements == 1) addStored(cases, {{f}, 7, 33, 35, type, {Bias}, true});
        }
        addStored(cases, {{WeightFormat::Q4_K, WeightFormat::F16, WeightFormat::Q6_K}, 40, 256, 43, type, {Bias}});
        addStored(cases, {{WeightFormat::I8, WeightFormat::F8E4M3}, 40, 64, 43, type, {Bias | Residual}, true});
    }
}

SampleCall samplePackStoredLinear(DType type) {
    return sample({{"bias", {5}, DType::F32, false, true}}, [type](Backend& b, std::span<const View> v) {
        const StoredMatrix stored(WeightFormat::Q8_0, 5, 64, 1);
        b.packStoredLinear({&stored.matrix, 1}, v[0], type);
    });
}

}  // namespace meander::kernels::verify
