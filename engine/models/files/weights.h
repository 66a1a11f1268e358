// Weights by name, whatever they come from: files, or made-up numbers for benchmarks.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "kernels/api/view.h"

namespace meander {

// One tensor in host memory, row-major, in the order and with the name that PyTorch gave it.
struct HostWeight {
    kernels::Shape shape;
    kernels::DType type = kernels::DType::F32;  // F32, F64, F16, BF16 or I32
    std::vector<std::byte> bytes;

    kernels::View view() const { return {const_cast<std::byte*>(bytes.data()), type, shape}; }
    // As F32 (F64 and I32 are converted too).
    std::vector<float> floats() const;
};

class WeightSource {
public:
    virtual ~WeightSource() = default;
    virtual bool has(const std::string& name) const = 0;
    // Throws Failure when the tensor is missing or of another shape.
    virtual HostWeight read(const std::string& name, const kernels::Shape& shape) = 0;
};

// Normal numbers, standard deviation 0.8/√fan-in for matrices and filters, 1 ± 0.02 for norms, 0.02 otherwise:
// activations stay of order 1. For benchmarks.
class RandomWeights final : public WeightSource {
public:
    explicit RandomWeights(std::uint64_t seed = 1) : m_state(seed) {}
    bool has(const std::string&) const override { return true; }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;

private:
    std::uint64_t m_state;
};

}  // namespace meander
