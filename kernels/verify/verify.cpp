#include "kernels/verify/verify.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "kernels/verify/sample_call.h"

namespace meander::kernels {
namespace verify {

double roundedTo(DType type, double value) {
    switch (type) {
    case DType::F64: return value;
    case DType::F32: return float(value);
    case DType::F16: return f16ToFloat(floatToF16(float(value)));
    case DType::BF16: return bf16ToFloat(floatToBf16(float(value)));
    case DType::I32: return std::nearbyint(value);
    }
    return value;
}

Host random(Shape shape, DType type, std::uint32_t seed, double scale) {
    Host h(shape);
    for (std::size_t i = 0; i < h.v.size(); ++i) {
        const Philox4 r = philox4x32(std::uint32_t(i), seed, 0, 0, 2024, 7);
        h.v[i] = roundedTo(type, scale * (double(r.v[0]) / 2147483648.0 - 1.0));
    }
    return h;
}

namespace {

void writeAs(DType type, void* to, std::size_t i, double value) {
    switch (type) {
    case DType::F64: static_cast<double*>(to)[i] = value; break;
    case DType::F32: static_cast<float*>(to)[i] = float(value); break;
    case DType::F16: static_cast<std::uint16_t*>(to)[i] = floatToF16(float(value)); break;
    case DType::BF16: static_cast<std::uint16_t*>(to)[i] = floatToBf16(float(value)); break;
    case DType::I32: static_cast<std::int32_t*>(to)[i] = std::int32_t(value); break;
    }
}

double readAs(DType type, const void* from, std::size_t i) {
    switch (type) {
    case DType::F64: return static_cast<const double*>(from)[i];
    case DType::F32: return static_cast<const float*>(from)[i];
    case DType::F16: return f16ToFloat(static_cast<const std::uint16_t*>(from)[i]);
    case DType::BF16: return bf16ToFloat(static_cast<const std::uint16_t*>(from)[i]);
    case DType::I32: return static_cast<const std::int32_t*>(from)[i];
    }
    return 0;
}

}  // namespace

std::vector<char> bytesOf(const Host& h, DType type) {
    std::vector<char> bytes(h.v.size() * sizeOf(type));
    for (std::size_t i = 0; i < h.v.size(); ++i) writeAs(type, bytes.data(), i, h.v[i]);
    return bytes;
}

View Fixture::room(Shape shape, DType type) {
    View v{backend.allocate(std::size_t(shape.count()) * sizeOf(type)), type, shape};
    m_blocks.push_back(v.data);
    return v;
}

View Fixture::put(const Host& h, DType type) {
    if (!h) return {};
    const View v = room(h.shape, type);
    const std::vector<char> bytes = bytesOf(h, type);
    backend.upload(bytes.data(), v);
    backend.synchronize();
    return v;
}

View Fixture::putStrided(const Host& h, DType type) {
    constexpr std::int64_t before = 3, after = 2;
    const std::int64_t n = h.shape[-1], wide = before + n + after;
    Host all(h.shape.with(-1, wide), 7);
    for (std::int64_t i = 0; i < h.shape.count(); ++i) all[i / n * wide + before + i % n] = h[i];
    return put(all, type).columns(before, n);
}

View Fixture::putTransposed(const Host& h, DType type) {
    const std::int64_t n = h.shape[-1], m = h.shape[-2];
    Host turned(h.shape.with(-1, m).with(-2, n));
    for (std::int64_t i = 0; i < h.shape.count(); ++i) turned[i / (m * n) * m * n + i % n * m + i / n % m] = h[i];
    return put(turned, type).transposed(-1, -2);
}

Host Fixture::get(View v) {
    // A strided view's elements are picked from a download of all the memory it spans, not by the backend's copy.
    std::int64_t span = v.count() > 0 ? 1 : 0;
    for (int d = 0; v.count() > 0 && d < v.shape.rank(); ++d) span += (v.shape[d] - 1) * v.stride(d);
    const View memory(v.data, v.type, Shape{span});
    std::vector<char> bytes(memory.bytes());
    backend.download(memory, bytes.data());
    Host h(v.shape);
    h.type = v.type;
    for (std::int64_t i = 0; i < v.count(); ++i) {
        std::int64_t offset = 0;
        for (std::int64_t d = v.shape.rank() - 1, rest = i; d >= 0; rest /= v.shape[int(d--)])
            offset += rest % v.shape[int(d)] * v.stride(int(d));
        h[i] = readAs(v.type, bytes.data(), std::size_t(offset));
    }
    return h;
}

double difference(const Host& got, const Host& want) {
    if (got.v.size() != want.v.size()) return std::numeric_limits<double>::infinity();
    double largest = 0, squares = 0;
    for (std::size_t i = 0; i < want.v.size(); ++i) {
        if (!std::isfinite(got.v[i])) return std::numeric_limits<double>::infinity();
        largest = std::max(largest, std::abs(got.v[i] - want.v[i]) - smallestStep(got.type));
        squares += want.v[i] * want.v[i];
    }
    if (largest <= 0) return 0;
    return largest / std::max(1e-30, std::sqrt(squares / double(want.v.size())));
}

double differing(const Host& got, const Host& want) {
    if (got.v.size() != want.v.size()) return std::numeric_limits<double>::infinity();
    double n = 0;
    for (std::size_t i = 0; i < want.v.size(); ++i) n += std::memcmp(&got.v[i], &want.v[i], sizeof(double)) != 0;
    return n;
}

double activated(Activation a, double x) {
    switch (a) {
    case Activation::None: return x;
    case Activation::Silu: return x / (1 + std::exp(-x));
    case Activation::GeluErf: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::GeluTanh:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case Activation::QuickGelu: return x / (1 + std::exp(-1.702 * x));
    case Activation::Relu: return x > 0 ? x : 0;
    }
    return x;
}

const char* nameOf(Activation a) {
    switch (a) {
    case Activation::None: return "none";
    case Activation::Silu: return "silu";
    case Activation::GeluErf: return "gelu erf";
    case Activation::GeluTanh: return "gelu tanh";
    case Activation::QuickGelu: return "quick gelu";
    case Activation::Relu: return "relu";
    }
    return "?";
}

std::span<const OperationRow> operationRows() {
    static constexpr OperationRow rows[] = {
#define OPERATION(Name, name, Result, ...) {Operation::Name, add##Name##Cases, sample##Name},
#include "kernels/api/operations.inl"
#undef OPERATION
    };
    return rows;
}

}  // namespace verify

bool applies(const OperationCase& c, const Backend& backend) {
    const bool isCpu = backend.id() == "cpu";
    if (c.isForCpuOnly && !isCpu) return false;
    return !(isCpu && c.type == DType::F16);
}

std::vector<OperationCase> operationCases() {
    std::vector<OperationCase> cases;
    for (const verify::OperationRow& row : verify::operationRows()) row.addCases(cases);
    verify::addInvarianceCases(cases);
    verify::addRejectionCases(cases);
    verify::addRefusalCases(cases);
    verify::addStridedCases(cases);
    return cases;
}

CaseResult runCase(Backend& backend, const OperationCase& c) {
    CaseResult result;
    result.name = c.name;
    result.tolerance = c.tolerance;
    const auto start = std::chrono::steady_clock::now();
    try {
        result.error = c.error(backend);
        result.passed = result.error <= c.tolerance;
        if (!std::isfinite(result.error)) result.message = "The result has elements that are not finite.";
    } catch (const std::exception& e) {
        result.error = std::numeric_limits<double>::infinity();
        result.message = e.what();
    }
    result.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return result;
}

std::vector<CaseResult> verifyBackend(Backend& backend, const std::string& filter,
                                      const std::function<bool(const CaseResult&)>& progress) {
    std::vector<CaseResult> results;
    for (const OperationCase& c : operationCases()) {
        if (c.name.find(filter) == std::string::npos || !applies(c, backend)) continue;
        results.push_back(runCase(backend, c));
        if (progress && !progress(results.back())) break;
    }
    return results;
}

}  // namespace meander::kernels
