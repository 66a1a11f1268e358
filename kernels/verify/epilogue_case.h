// An epilogue on the host: the parts a case asks for, their device copies, and the plain answer.
#pragma once
#include <string>

#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {

enum Part : unsigned {
    Bias = 1,
    RowBias = 2,
    Multiply = 4,
    Gate = 8,
    Residual = 16,
    InPlace = 32,
    Scale = 64,
    AllParts = Bias | RowBias | Multiply | Gate | Residual | Scale
};

struct EpilogueCase {
    unsigned parts = 0;
    Activation activation = Activation::None;
    std::string text() const;
};

struct HostEpilogue {
    Host bias, rowBias, multiply, gate, residual;
    Activation activation = Activation::None;
    double scale = 1;

    // `groups` for the vectors per group of rows; rows and out are y's.
    HostEpilogue(const EpilogueCase& c, std::int64_t rows, std::int64_t out, std::int64_t groups, DType type);
    // The device's form; y is filled with the residual when that is in place.
    Epilogue on(Fixture& t, const EpilogueCase& c, View y) const;
    // The stored value for a sum of row r, column o.
    double finished(double sum, std::int64_t r, std::int64_t o, std::int64_t rows, std::int64_t out) const;
};

}  // namespace meander::kernels::verify
