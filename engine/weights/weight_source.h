// Weights by name, whatever they come from: files, other sources with a change, or made-up numbers.
//
// Sources wrap sources: Renamed (names of another program, fused and split tensors), ScaledWeights (integers and 8-bit
// floats with their scales), WithLora, Quantised. Each knows the one below it and nothing else.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/weights/host_weight.h"

namespace meander {

class WeightSource {
public:
    virtual ~WeightSource() = default;
    virtual bool has(const std::string& name) const = 0;
    // Throws Failure when the tensor is missing or of another shape; axes of extent 1 do not count.
    virtual HostWeight read(const std::string& name, const kernels::Shape& shape) = 0;
    // The stored shape; none where there is no such tensor, or any shape will do.
    virtual std::optional<kernels::Shape> shapeOf(const std::string&) const { return {}; }
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

// Equal after extents of 1 are left out.
bool isSameShape(const kernels::Shape& a, const kernels::Shape& b);

}  // namespace meander
