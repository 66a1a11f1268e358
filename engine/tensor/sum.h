// Linear combinations of tensors, written like the formula and run as one kernel:
//   const Sum slope = (x - d) / from;
//   const Tensor next = x + (to - from) / 2 * (slope + slopeAtEnd);
// A sum is lazy: it keeps factors and handles. Conversion to a Tensor runs `combine` once, with double sums and one
// rounding, so the way a formula is written does not change its bits beyond the rounding of its factors. A tensor that
// occurs several times is read once, by the sum of its factors. A sum without terms is 0 and adds nothing.
#pragma once
#include "engine/tensor/tensor.h"

namespace meander {

class Sum {
public:
    Sum() = default;
    Sum(Tensor value) { m_terms.push_back({1, std::move(value)}); }

    // Throws std::invalid_argument without terms, for an empty tensor and for tensors of different shapes or types.
    operator Tensor() const;

    Sum& operator+=(const Sum& other) { return add(1, other); }
    Sum& operator-=(const Sum& other) { return add(-1, other); }
    Sum& operator*=(double factor);
    Sum& operator/=(double divisor);

private:
    struct Term {
        double factor;
        Tensor value;
    };
    Sum& add(double sign, const Sum& other);
    std::vector<Term> m_terms;
};

inline Sum operator+(Sum a, const Sum& b) { return a += b; }
inline Sum operator-(Sum a, const Sum& b) { return a -= b; }
inline Sum operator-(Sum a) { return a *= -1; }
inline Sum operator*(double factor, Sum a) { return a *= factor; }
inline Sum operator/(Sum a, double divisor) { return a /= divisor; }

}  // namespace meander
