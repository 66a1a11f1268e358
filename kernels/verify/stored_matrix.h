// Matrices of any weight format with reproducible contents, and their values.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {

// Random blocks whose values are of about the size 1/√in.
struct StoredMatrix {
    std::vector<std::uint8_t> bytes;
    std::vector<float> rowScales;  // of I8, and of the others when asked for
    WeightMatrix matrix;           // points into the two

    StoredMatrix(WeightFormat f, std::int64_t out, std::int64_t in, std::uint32_t seed, bool hasRowScales = false);
    StoredMatrix(const StoredMatrix&) = delete;
    StoredMatrix& operator=(const StoredMatrix&) = delete;
    std::vector<float> values() const;  // (out, in)
};

}  // namespace meander::kernels::verify
