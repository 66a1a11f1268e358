// What the inversions share. They run on rising levels, from clean data (τ = 0) or from the lowest level.
#pragma once
#include <deque>

#include "engine/sampling/sampler_common.h"

namespace meander {

// Where the network is evaluated for a state at `from`: there, or from clean data at the lowest level that it was
// trained at (and not above `to`), with the data scaled to the signal of that level.
struct InversionPoint {
    Tensor state;
    double tau = 0;
};
InversionPoint inversionPoint(const Sampling& s, double from, double to);
// The DDIM step from the present state along ε̂: y' = (a'/a) (y − τ ε̂) + τ' ε̂.
Tensor noisedAlong(const Sampling& s, const Tensor& noise, double from, double to);

// Every number brought within ± range.
Tensor clippedTo(const Tensor& x, double range);

// Anderson acceleration of y ← y + step(y), each row by itself: the combination of the latest iterates whose steps, by
// least squares, come nearest to 0 (Walker & Ni 2011, type II).
class Anderson {
public:
    explicit Anderson(int depth) : m_depth(std::size_t(depth)) {}
    Tensor next(const Tensor& y, const Tensor& step);

private:
    struct Pair {
        Tensor y, step;  // differences to the iterate before
    };
    std::size_t m_depth;
    std::deque<Pair> m_differences;
    Tensor m_y, m_step;
};

}  // namespace meander
