// Linear operators on images and points that data consistency can hold an estimate to: y = A x, with the
// pseudo-inverse A⁺ and the adjoint Aᵀ.
#pragma once
#include <memory>

#include "engine/guidance/grid.h"

namespace meander {

class LinearOperator {
public:
    virtual ~LinearOperator() = default;
    virtual Planes apply(const Planes& x) const = 0;
    virtual Planes inverse(const Planes& y) const = 0;  // A⁺ y
    virtual Planes adjoint(const Planes& y) const = 0;  // Aᵀ y
};

// Keeps what the mask (height · width, or one number per element of a point) says; 0 … 1, usually 0 or 1.
std::unique_ptr<LinearOperator> maskOperator(std::vector<double> mask);
// Means of factor × factor pixels. Sides must be multiples.
std::unique_ptr<LinearOperator> downsampleOperator(int factor);
// The mean over channels: colour is lost.
std::unique_ptr<LinearOperator> greyOperator();
// A Gaussian of σ pixels, wrapped around at the borders so that it is diagonal in frequency; A⁺ leaves out frequencies
// that it damps below `least`.
std::unique_ptr<LinearOperator> blurOperator(double sigma, double least);

}  // namespace meander
