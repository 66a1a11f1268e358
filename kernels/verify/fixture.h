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

// Largest difference over the root mean square of `want`; infinite when something is not finite.
double difference(const Host& got, const Host& want);
// Number of elements whose bits differ.
double differing(const Host& got, const Host& want);

double activated(Activation a, double x);
const char* nameOf(Activation a);

using Cases = std::vector<OperationCase>;
void addLinearCases(Cases& cases);
void addStoredWeightCases(Cases& cases);
void addConvolutionCases(Cases& cases);
void addAttentionCases(Cases& cases);
void addNormCases(Cases& cases);
void addElementwiseCases(Cases& cases);
void addLayoutCases(Cases& cases);
void addReductionCases(Cases& cases);
void addNoiseCases(Cases& cases);
void addInvarianceCases(Cases& cases);
void addRejectionCases(Cases& cases);

// Tolerances by type, of one rounding of the result and its sums in single precision.
constexpr double tolerance(DType type) {
    return type == DType::BF16 ? 3e-2 : type == DType::F16 ? 6e-3 : type == DType::F64 ? 1e-12 : 2e-5;
}
constexpr DType activationTypes[] = {DType::F32, DType::BF16, DType::F16};

}  // namespace meander::kernels::verify
