// Where the rows (all dimensions but the last) of a strided view begin. Also compiled by nvcc.
#pragma once
#include "kernels/api/philox.h"
#include "kernels/api/view.h"

namespace meander::kernels {

class RowOffsets {
public:
    // Dimensions without gaps between them are walked as one: a dense view costs a single product per row.
    explicit RowOffsets(const View& v) {
        for (int i = 0; i < v.shape.rank() - 1; ++i) {
            if (v.shape[i] == 1) continue;
            if (m_rank > 0 && m_strides[m_rank - 1] == v.stride(i) * v.shape[i]) {
                m_extents[m_rank - 1] *= v.shape[i];
                m_strides[m_rank - 1] = v.stride(i);
            } else {
                m_extents[m_rank] = v.shape[i];
                m_strides[m_rank++] = v.stride(i);
            }
        }
    }

    // Elements from the view's first to the first of row `row`, rows counted in row-major order.
    MEANDER_HD std::int64_t operator()(std::int64_t row) const {
        std::int64_t offset = 0;
        for (int i = m_rank - 1; i > 0; --i) {
            offset += row % m_extents[i] * m_strides[i];
            row /= m_extents[i];
        }
        return m_rank > 0 ? offset + row * m_strides[0] : 0;
    }

    // Whether rows begin at multiples of n elements, so that they can be read in packs.
    bool areMultiplesOf(std::int64_t n) const {
        for (int i = 0; i < m_rank; ++i)
            if (m_strides[i] % n != 0) return false;
        return true;
    }

private:
    int m_rank = 0;
    std::int64_t m_extents[Shape::maxRank] = {}, m_strides[Shape::maxRank] = {};
};

}  // namespace meander::kernels
