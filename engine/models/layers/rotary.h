// Rotary positions of several axes (Su et al. 2021): a head is cut into one part per axis (row, column, frame …), the
// channels of which turn by the token's position on that axis.
#pragma once
#include <span>
#include <vector>

#include "engine/tensor/tensor.h"

namespace meander {

struct RotaryAxes {
    std::vector<int> channels;  // of each axis, even; neighbours form a pair
    double base = 10000;        // pair i of an axis of c channels turns by position · base^(−2i/c)

    bool isFor(int headWidth) const;  // whether they fill a head
};

class Rotary {
public:
    // `positions`: of each token one number per axis, token by token.
    Rotary(Backend& backend, const RotaryAxes& axes, std::span<const double> positions);
    // Turns x (rows, tokens, heads, channels) in place; its rows may be strided.
    void turn(const Tensor& x) const;

private:
    Tensor m_cos, m_sin;  // (tokens, pairs)
};

}  // namespace meander
