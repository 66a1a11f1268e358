// Matrix products by cuBLASLt: see matmul.h.
//
// cuBLASLt thinks in columns. A row-major (r, c) matrix is its column-major (c, r) matrix, so d = a · b is asked for as
// dᵀ = bᵀ · aᵀ: our b becomes its A, our a its B. With b (n, k), as weights are stored, its A is (k, n) and transposed:
// the form tensor cores like best. A bias "per row of D" is then per column of our d.
//
// F32 is computed in F32 (CUBLAS_COMPUTE_32F: no TF32), so that the device agrees with the CPU; half types accumulate
// in F32.
#include "kernels/cuda/matmul.h"

namespace meander::kernels::cuda {
namespace {

constexpr std::size_t workspaceBytes = std::size_t(32)
                                       << 20;  // what NVIDIA recommends for Hopper; smaller devices use less of it
constexpr std::size_t mostPlans = 4096;

cudaDataType_t cudaType(DType t) {
    switch (t) {
    case DType::F32: return CUDA_R_32F;
    case DType::F64: return CUDA_R_64F;
    case DType::F16: return CUDA_R_16F;
    case DType::BF16: return CUDA_R_16BF;
    case DType::I32: break;
    }
    throw std::invalid_argument("a matrix product of i32 was asked for");
}

// The largest power of two up to 256 that divides the address: heads and slices start anywhere, and cuBLASLt believes
// in 256.
std::uint32_t alignmentOf(const void* p) {
    const auto address = reinterpret_cast<std::uintptr_t>(p);
    std::uint32_t alignment = 256;
    while (alignment > 1 && address % alignment != 0) alignment /= 2;
    return alignment;
}

cublasLtEpilogue_t epilogueOf(const Product& p) {
    switch (p.activation) {
    case Activation::Relu: return p.bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    case Activation::GeluTanh: return p.bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    case Activation::None: return p.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    default: throw std::invalid_argument("a matrix product was asked for an activation that cuBLASLt does not fuse");
    }
}

}  // namespace

void multiply(Device& device, const Product& p) {
    if (p.m == 0 || p.n == 0 || p.batch == 0) return;
    if (p.k == 0) throw std::invalid_argument("a matrix product over nothing was asked for");
    device.matmulPlans().run(p);
}

auto MatmulPlans::layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns, const Matrix& m, int batch) const
    -> Handle<cublasLtMatrixLayoutOpaque_t> {
    const CublasLt& lt = m_device.lt();
    cublasLtMatrixLayout_t raw = nullptr;
    check(lt.matrixLayoutCreate(&raw, type, std::uint64_t(columns), std::uint64_t(rows), m.stride),
          "a product was prepared");
    Handle<cublasLtMatrixLayoutOpaque_t> handle(raw, lt.matrixLayoutDestroy);
    if (batch > 1) {
        const std::int32_t count = batch;
        check(lt.matrixLayoutSetAttribute(raw, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
              "a product was prepared");
        check(lt.matrixLayoutSetAttribute(raw, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &m.batchStride,
                                          sizeof m.batchStride),
              "a product was prepared");
    }
    return handle;
}

MatmulPlans::Plan MatmulPlans::make(const Product& p) const {
    const char* doing = "a product was prepared";
    const CublasLt& lt = m_device.lt();
    const bool isDouble = p.output == DType::F64;
    cublasLtMatmulDesc_t raw = nullptr;
    check(lt.matmulDescCreate(&raw, isDouble ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F,
                              isDouble ? CUDA_R_64F : CUDA_R_32F),
          doing);
    Plan plan{{raw, lt.matmulDescDestroy},
              p.transposeB ? layout(cudaType(p.input), p.n, p.k, p.b, p.batch)
                           : layout(cudaType(p.input), p.k, p.n, p.b, p.batch),
              layout(cudaType(p.input), p.m, p.k, p.a, p.batch),
              layout(cudaType(p.output), p.m, p.n, p.d, p.batch)};
    const cublasOperation_t transposed = p.transposeB ? CUBLAS_OP_T : CUBLAS_OP_N, plain = CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = epilogueOf(p);
    check(lt.matmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed), doing);
    check(lt.matmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_TRANSB, &plain, sizeof plain), doing);
    check(lt.matmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue), doing);
    if (p.bias) check(lt.matmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p.bias, sizeof p.bias), doing);

    cublasLtMatmulPreference_t rawPreference = nullptr;
    check(lt.preferenceCreate(&rawPreference), doing);
    const Handle<cublasLtMatmulPreferenceOpaque_t> preference(rawPreference, lt.preferenceDestroy);
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
        check(lt.preferenceSetAttribute(preference.get(), attribute, &value, sizeof value), doing);
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t(workspaceBytes));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignmentOf(p.b.data));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignmentOf(p.a.data));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignmentOf(p.c ? p.c : p.d.data));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignmentOf(p.d.data));

    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(lt.algoGetHeuristic(m_device.ltHandle(), raw, plan.a.get(), plan.b.get(), plan.d.get(), plan.d.get(),
                              preference.get(), 1, &found, &count),
          "an algorithm for a product was looked for");
    check(count < 1 ? CUBLAS_STATUS_NOT_SUPPORTED : found.state, "an algorithm for a product was looked for");
    plan.algorithm = found.algo;
    plan.workspace = found.workspaceSize;
    return plan;
}

void MatmulPlans::run(const Product& p) {
    const void* c = p.beta != 0.0f ? p.c : p.d.data;
    const Key key{p.m,
                  p.n,
                  p.k,
                  p.batch,
                  p.a.stride,
                  p.a.batchStride,
                  p.b.stride,
                  p.b.batchStride,
                  p.d.stride,
                  p.d.batchStride,
                  p.transposeB,
                  std::int64_t(p.input) * 8 + std::int64_t(p.output),
                  std::int64_t(epilogueOf(p)),
                  p.beta != 0.0f,
                  alignmentOf(p.a.data),
                  alignmentOf(p.b.data),
                  alignmentOf(c),
                  alignmentOf(p.d.data),
                  p.bias ? alignmentOf(p.bias) : 0};
    auto found = m_plans.find(key);
    if (found == m_plans.end()) {
        if (m_plans.size() >= mostPlans) m_plans.clear();
        Product asked = p;
        asked.c = c;
        found = m_plans.emplace(key, make(asked)).first;
    }
    Plan& plan = found->second;
    const CublasLt& lt = m_device.lt();
    if (p.bias)
        check(
            lt.matmulDescSetAttribute(plan.operation.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p.bias, sizeof p.bias),
            "a product was prepared");
    if (plan.workspace > 0 && !m_workspace) m_workspace = Buffer(m_device, workspaceBytes);

    const double alphaDouble = p.alpha, betaDouble = p.beta;
    const bool isDouble = p.output == DType::F64;
    const void *alpha = isDouble ? static_cast<const void*>(&alphaDouble) : &p.alpha,
               *beta = isDouble ? static_cast<const void*>(&betaDouble) : &p.beta;
    check(lt.matmul(m_device.ltHandle(), plan.operation.get(), alpha, p.b.data, plan.a.get(), p.a.data, plan.b.get(),
                    beta, c, plan.d.get(), const_cast<void*>(p.d.data), plan.d.get(), &plan.algorithm,
                    m_workspace.data(), plan.workspace ? workspaceBytes : 0, m_device.stream()),
          "matrices were multiplied");
}

}  // namespace meander::kernels::cuda
