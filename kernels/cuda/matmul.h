// Matrix products by cuBLASLt, told in row-major terms.
#pragma once
#include <array>
#include <map>

#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

// A matrix (or `batch` of them, `batchStride` elements apart) whose rows are `stride` elements apart.
struct Matrix {
    const void* data = nullptr;
    std::int64_t stride = 0, batchStride = 0;
};

// d (m, n) = activation(alpha · a (m, k) · b + beta · c + bias), with b (k, n), or (n, k) when transposeB. c has d's
// layout and may be d.
struct Product {
    std::int64_t m = 0, n = 0, k = 0;
    int batch = 1;
    Matrix a, b, d;
    bool transposeB = false;
    DType input = DType::F32, output = DType::F32;  // of a and b; of c, d and bias
    float alpha = 1.0f, beta = 0.0f;
    const void* c = nullptr;                   // read when beta is not 0
    const void* bias = nullptr;                // (n)
    Activation activation = Activation::None;  // None, Relu or GeluTanh: what cuBLASLt can fuse
};
void multiply(Device&, const Product&);

// What cuBLASLt was asked once for each kind of product: descriptors and the algorithm its heuristic names first.
class MatmulPlans {
public:
    explicit MatmulPlans(Device& device) : m_device(device) {}
    void run(const Product& p);

private:
    template <class Opaque> using Handle = std::unique_ptr<Opaque, cublasStatus_t (*)(Opaque*)>;
    struct Plan {
        Handle<cublasLtMatmulDescOpaque_t> operation;
        Handle<cublasLtMatrixLayoutOpaque_t> a, b, d;
        cublasLtMatmulAlgo_t algorithm{};
        std::size_t workspace = 0;
    };
    using Key = std::array<std::int64_t, 19>;

    Plan make(const Product& p) const;
    Handle<cublasLtMatrixLayoutOpaque_t> layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns,
                                                const Matrix& m, int batch) const;

    Device& m_device;
    std::map<Key, Plan> m_plans;
    Buffer m_workspace;
};

}  // namespace meander::kernels::cuda
