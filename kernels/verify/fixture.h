// What a case needs: tensors in double on the host, their copies on the device, and the comparison.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/api/backend.h"
#include "kernels/verify/verify.h"

namespace meander::kernels::verify {

// A tensor on the host; `v` holds exactly what the device sees.
struct Host {
    Shape shape;
    std::vector<double> v;
    DType type = DType::F64;  // of the device's tensor it was read from
    Host() = default;
    explicit Host(Shape s, double value = 0) : shape(s), v(std::size_t(s.count()), value) {}
    double& operator[](std::int64_t i) { return v[std::size_t(i)]; }
    double operator[](std::int64_t i) const { return v[std::size_t(i)]; }
    explicit operator bool() const { return !v.empty(); }
};

double roundedTo(DType type, double value);
// Reproducible values in [-scale, scale], rounded to `type`.
Host random(Shape shape, DType type, std::uint32_t seed, double scale = 1);
// The bytes of a tensor in a type.
std::vector<char> bytesOf(const Host& h, DType type);

// The device tensors of one case; they go when it ends.
class Fixture {
public:
    explicit Fixture(Backend& b) : backend(b) {}
    ~Fixture() {
        for (void* p : m_blocks) backend.release(p);
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    View room(Shape shape, DType type);
    View put(const Host& h, DType type);  // null for an empty tensor
    // The same in memory with gaps: columns of a wider tensor, or rows and columns exchanged.
    View putStrided(const Host& h, DType type);
    View putTransposed(const Host& h, DType type);
    Host get(View v);  // of any strides

    Backend& backend;

private:
    std::vector<void*> m_blocks;
};

// A view of host memory, for weights.
struct HostWeights {
    HostWeights(const Host& h, DType type) : bytes(bytesOf(h, type)), view{h ? bytes.data() : nullptr, type, h.shape} {}
    std::vector<char> bytes;
    View view;
};

// The smallest positive number of a type: results below its normal range are rounded to multiples of it.
constexpr double smallestStep(DType type) {
    return type == DType::F16 ? 0x1p-24 : type == DType::BF16 ? 0x1p-133 : type == DType::F32 ? 0x1p-149 : 0;
}
// Largest difference over the root mean square of `want`, differences of one smallest step of got's type aside;
// infinite when something is not finite.
double difference(const Host& got, const Host& want);
// Number of elements whose bits differ.
double differing(const Host& got, const Host& want);

double activated(Activation a, double x);
const char* nameOf(Activation a);

using Cases = std::vector<OperationCase>;
// Each operation's cases against its reference, and a sample call of it (sample_call.h); the table names them.
struct SampleCall;
#define OPERATION(Name, name, Result, ...)                                                                             \
    void add##Name##Cases(Cases& cases);                                                                               \
    SampleCall sample##Name(DType activations);
#include "kernels/api/operations.inl"
#undef OPERATION
// Promises and mistakes that are no operation's own.
void addInvarianceCases(Cases& cases);
void addRejectionCases(Cases& cases);

// Tolerances by type, of one rounding of the result and its sums in single precision.
constexpr double tolerance(DType type) {
    return type == DType::BF16 ? 3e-2 : type == DType::F16 ? 6e-3 : type == DType::F64 ? 1e-12 : 2e-5;
}
constexpr DType activationTypes[] = {DType::F32, DType::BF16, DType::F16};

}  // namespace meander::kernels::verify
