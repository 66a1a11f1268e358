// What codecs that are networks check and do alike.
#pragma once
#include <functional>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

// Throws Failure unless they are (n, h, w, channels).
inline void requireStates(const Tensor& states, int channels) {
    const Shape s = states.shape();
    if (s.rank() == 4 && s[3] == channels && s.count() > 0) return;
    throw Failure("The codec of this model expects states with " + std::to_string(channels) + " channels, not "
                  + s.text() + ". Its parts do not belong together.");
}

// Throws Failure unless they are (n, h, w, 3) with extents that the factor divides.
inline void requireImages(const Tensor& images, int factor) {
    const Shape s = images.shape();
    if (s.rank() == 4 && s[3] == 3 && s.count() > 0 && s[1] % factor == 0 && s[2] % factor == 0) return;
    throw Failure("An image of " + s.text() + " does not fit this model: its height and width must be multiples of "
                  + std::to_string(factor) + ".");
}

// One after the other: the memory of a codec grows with the pixels.
inline Tensor eachImage(const Tensor& x, const std::function<Tensor(const Tensor&)>& compute) {
    if (x.rows() == 1) return compute(x);
    std::vector<Tensor> results;
    for (std::int64_t i = 0; i < x.rows(); ++i) results.push_back(compute(x.slice(i, 1)));
    return stackRows(results);
}

}  // namespace meander
