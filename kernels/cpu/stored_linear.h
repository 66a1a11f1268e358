// A linear layer whose weights stay in the format of their file; a tile of them is widened to panels of floats for each
// part of a product.
#pragma once
#include <span>
#include <vector>

#include "kernels/cpu/product.h"

namespace meander::kernels {

class StoredLinear final : public LinearWeights {
public:
    // Copies the rows of all parts, below each other.
    StoredLinear(MemoryPool& pool, std::span<const WeightMatrix> parts, std::vector<float> bias, DType compute);
    const float* bias() const { return m_bias.empty() ? nullptr : m_bias.data(); }
    const std::vector<WeightRow>& rows() const { return m_rows; }
    DType compute() const { return m_compute; }

private:
    Scratch<std::uint8_t> m_data;
    std::vector<WeightRow> m_rows;
    std::vector<float> m_bias;
    DType m_compute;
};

// The product of p's rows with w; p.b is not used. The same bits as a product with the widened weights.
void multiplyStored(const Loops& loops, MemoryPool& pool, int threads, Product p, const StoredLinear& w,
                    const ResolvedEpilogue& e);

}  // namespace meander::kernels
