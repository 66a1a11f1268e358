// Eigenvalues and vectors of a real symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, Matrix
// Computations, 8.5). Fit for the T × T Gram matrices of paths (T up to a few hundred).
#pragma once
#include <vector>

namespace meander {

struct Eigen {
    std::vector<double> values;                // falling
    std::vector<std::vector<double>> vectors;  // vectors[i] belongs to values[i], unit length
};
// `a` is row-major n × n; only its symmetric part counts.
Eigen symmetricEigen(std::vector<double> a, int n);

}  // namespace meander
