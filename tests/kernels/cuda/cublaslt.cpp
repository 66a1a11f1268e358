// cuBLASLt by plain loops, as far as kernels/cuda uses it. What the library refuses is refused: extents that do not
// fit, strides below the rows, addresses less aligned than was promised.
#include <cublasLt.h>

#include <cmath>
#include <cstring>

#include "tests/kernels/cuda/numbers.h"

using namespace meander::emulator;

struct cublasLtMatmulDescOpaque_t {
    cublasComputeType_t compute;
    cudaDataType_t scale;
    cublasOperation_t transposeA = CUBLAS_OP_N, transposeB = CUBLAS_OP_N;
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
    const void* bias = nullptr;
};
struct cublasLtMatrixLayoutOpaque_t {
    DType type;
    std::int64_t rows, columns, stride, batch = 1, batchStride = 0;
};
struct cublasLtMatmulPreferenceOpaque_t {
    std::uint64_t workspace = 0;
    std::uint32_t alignment[4] = {256, 256, 256, 256};
};

namespace {

DType typeOf(cudaDataType_t t) {
    switch (t) {
    case CUDA_R_64F: return DType::F64;
    case CUDA_R_16F: return DType::F16;
    case CUDA_R_16BF: return DType::BF16;
    default: return DType::F32;
    }
}
// Rows of `length` numbers: row i of the matrix, or column i.
std::vector<double> lines(const void* p, const cublasLtMatrixLayoutOpaque_t& m, std::int64_t batch, bool areRows) {
    const std::int64_t count = areRows ? m.rows : m.columns, length = areRows ? m.columns : m.rows;
    std::vector<double> all(std::size_t(count * length));
    for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t k = 0; k < length; ++k)
            all[std::size_t(i * length + k)] =
                numberAt(p, m.type, batch * m.batchStride + (areRows ? k * m.stride + i : i * m.stride + k));
    return all;
}
bool hasBias(cublasLtEpilogue_t e) {
    return e == CUBLASLT_EPILOGUE_BIAS || e == CUBLASLT_EPILOGUE_RELU_BIAS || e == CUBLASLT_EPILOGUE_GELU_BIAS;
}
double activated(cublasLtEpilogue_t e, double v) {
    switch (e) {
    case CUBLASLT_EPILOGUE_RELU:
    case CUBLASLT_EPILOGUE_RELU_BIAS: return v < 0 ? 0 : v;
    case CUBLASLT_EPILOGUE_GELU:
    case CUBLASLT_EPILOGUE_GELU_BIAS:
        return 0.5 * v * (1 + std::tanh(0.79788456080286535588 * (v + 0.044715 * v * v * v)));
    default: return v;
    }
}
bool isAligned(const void* p, std::uint32_t to) { return reinterpret_cast<std::uintptr_t>(p) % to == 0; }
std::uint64_t promise(const cublasLtMatmulPreferenceOpaque_t& p) {
    std::uint64_t all = 0;
    for (int i = 0; i < 4; ++i) all |= std::uint64_t(p.alignment[i]) << (16 * i);
    return all;
}

long products = 0;

}  // namespace

extern "C" {

long meanderEmulatedProducts() { return products; }

cublasStatus_t cublasLtCreate(cublasLtHandle_t* h) {
    *h = reinterpret_cast<cublasLtHandle_t>(std::uintptr_t(1));
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
std::size_t cublasLtGetVersion() { return 130000; }
const char* cublasLtGetStatusString(cublasStatus_t) { return "an error of the emulated library"; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* d, cublasComputeType_t compute, cudaDataType_t scale) {
    *d = new cublasLtMatmulDescOpaque_t{compute, scale};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
    delete d;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
    void* to = attribute == CUBLASLT_MATMUL_DESC_TRANSA     ? static_cast<void*>(&d->transposeA)
               : attribute == CUBLASLT_MATMUL_DESC_TRANSB   ? static_cast<void*>(&d->transposeB)
               : attribute == CUBLASLT_MATMUL_DESC_EPILOGUE ? static_cast<void*>(&d->epilogue)
                                                            : static_cast<void*>(&d->bias);
    if (bytes != (attribute == CUBLASLT_MATMUL_DESC_BIAS_POINTER ? sizeof(void*) : sizeof(int)))
        return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(to, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* m, cudaDataType_t type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t stride) {
    if (stride < std::int64_t(rows)) return CUBLAS_STATUS_INVALID_VALUE;
    *m = new cublasLtMatrixLayoutOpaque_t{typeOf(type), std::int64_t(rows), std::int64_t(columns), stride};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t m) {
    delete m;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t m, cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, std::size_t) {
    if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT) m->batch = *static_cast<const std::int32_t*>(value);
    else m->batchStride = *static_cast<const std::int64_t*>(value);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) {
    *p = new cublasLtMatmulPreferenceOpaque_t;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
    delete p;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    std::size_t) {
    if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) p->workspace = *static_cast<const std::uint64_t*>(value);
    else
        p->alignment[attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES] =
            *static_cast<const std::uint32_t*>(value);
    return CUBLAS_STATUS_SUCCESS;
}

// The algorithm remembers the alignments that it was chosen for.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t p, int, cublasLtMatmulHeuristicResult_t* r,
                                              int* found) {
    *r = {};
    r->algo.data[0] = promise(*p);
    r->workspaceSize = p->workspace < 1024 ? p->workspace : 1024;
    r->state = CUBLAS_STATUS_SUCCESS;
    *found = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t how, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t layoutA, const void* b, cublasLtMatrixLayout_t layoutB,
                              const void* beta, const void* c, cublasLtMatrixLayout_t layoutC, void* d,
                              cublasLtMatrixLayout_t layoutD, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspaceBytes, cudaStream_t) {
    ++products;
    const bool isTransposedA = how->transposeA == CUBLAS_OP_T, isTransposedB = how->transposeB == CUBLAS_OP_T;
    const std::int64_t m = layoutD->rows, n = layoutD->columns, k = isTransposedA ? layoutA->rows : layoutA->columns;
    const void* const addresses[] = {a, b, c, d};
    for (int i = 0; i < 4; ++i)
        if (!isAligned(addresses[i], std::uint32_t(algorithm->data[0] >> (16 * i) & 0xffff)))
            return CUBLAS_STATUS_INVALID_VALUE;
    if ((isTransposedA ? layoutA->columns : layoutA->rows) != m
        || (isTransposedB ? layoutB->rows : layoutB->columns) != n
        || (isTransposedB ? layoutB->columns : layoutB->rows) != k || layoutC->rows != m || layoutC->columns != n
        || layoutA->batch != layoutD->batch || layoutB->batch != layoutD->batch || layoutA->type != layoutB->type)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (workspaceBytes) std::memset(workspace, 0x77, workspaceBytes);
    const bool isDouble = how->scale == CUDA_R_64F;
    const double scale = isDouble ? *static_cast<const double*>(alpha) : *static_cast<const float*>(alpha),
                 keep = isDouble ? *static_cast<const double*>(beta) : *static_cast<const float*>(beta);
    for (std::int64_t batch = 0; batch < layoutD->batch; ++batch) {
        const auto rows = lines(a, *layoutA, batch, !isTransposedA), columns = lines(b, *layoutB, batch, isTransposedB);
        for (std::int64_t j = 0; j < n; ++j)
            for (std::int64_t i = 0; i < m; ++i) {
                const std::int64_t at = batch * layoutD->batchStride + j * layoutD->stride + i;
                double v = scale * dot(rows.data() + i * k, columns.data() + j * k, k);
                if (keep != 0) v += keep * numberAt(c, layoutC->type, at);
                if (hasBias(how->epilogue)) v += numberAt(how->bias, layoutD->type, i);
                setNumber(d, layoutD->type, at, activated(how->epilogue, v));
            }
    }
    return CUBLAS_STATUS_SUCCESS;
}
}
