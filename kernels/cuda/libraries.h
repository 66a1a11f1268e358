// cuBLASLt and cuDNN, opened by name at run time: a table of typed function pointers each, filled from the library that
// is there.
//
// Looked for in this order: the folder in the environment variable MEANDER_CUDA_LIBRARIES, the loader's own search
// path, the usual folders of a CUDA toolkit. Nothing here is linked, so the module loads, and says what is missing,
// where neither exists.
#pragma once
#include <cublasLt.h>
#include <cudnn.h>

#include <memory>
#include <string>
#include <vector>

namespace meander::kernels::cuda {

// An open shared library; closed with its owner.
class SharedLibrary {
public:
    // The first of the names that opens; false when none does, then `tried()` says what was tried.
    bool open(const std::vector<std::string>& names);
    ~SharedLibrary();
    SharedLibrary() = default;
    SharedLibrary(const SharedLibrary&) = delete;
    SharedLibrary& operator=(const SharedLibrary&) = delete;

    const std::string& path() const { return m_path; }
    const std::string& tried() const { return m_tried; }
    template <class F> void load(F& function, const char* name) { function = reinterpret_cast<F>(symbol(name)); }

private:
    void* symbol(const char* name);  // throws DeviceError when the library lacks it

    void* m_handle = nullptr;
    std::string m_path, m_tried;
};

struct CublasLt {
    CublasLt();  // throws DeviceError when no cuBLASLt is found

    SharedLibrary library;
    std::string version;
    decltype(&cublasLtCreate) create;
    decltype(&cublasLtDestroy) destroy;
    decltype(&cublasLtGetVersion) getVersion;
    decltype(&cublasLtGetStatusString) getStatusString;
    decltype(&cublasLtMatmulDescCreate) matmulDescCreate;
    decltype(&cublasLtMatmulDescDestroy) matmulDescDestroy;
    decltype(&cublasLtMatmulDescSetAttribute) matmulDescSetAttribute;
    decltype(&cublasLtMatrixLayoutCreate) matrixLayoutCreate;
    decltype(&cublasLtMatrixLayoutDestroy) matrixLayoutDestroy;
    decltype(&cublasLtMatrixLayoutSetAttribute) matrixLayoutSetAttribute;
    decltype(&cublasLtMatmulPreferenceCreate) preferenceCreate;
    decltype(&cublasLtMatmulPreferenceDestroy) preferenceDestroy;
    decltype(&cublasLtMatmulPreferenceSetAttribute) preferenceSetAttribute;
    decltype(&cublasLtMatmulAlgoGetHeuristic) algoGetHeuristic;
    decltype(&cublasLtMatmul) matmul;
};

struct Cudnn {
    static std::unique_ptr<Cudnn> tryOpen();  // null when no cuDNN is found: convolutions then go through cuBLASLt
    Cudnn() = default;

    SharedLibrary library;
    std::string version;
    decltype(&cudnnCreate) create;
    decltype(&cudnnDestroy) destroy;
    decltype(&cudnnSetStream) setStream;
    decltype(&cudnnGetVersion) getVersion;
    decltype(&cudnnGetErrorString) getErrorString;
    decltype(&cudnnCreateTensorDescriptor) createTensorDescriptor;
    decltype(&cudnnDestroyTensorDescriptor) destroyTensorDescriptor;
    decltype(&cudnnSetTensor4dDescriptor) setTensor4dDescriptor;
    decltype(&cudnnCreateFilterDescriptor) createFilterDescriptor;
    decltype(&cudnnDestroyFilterDescriptor) destroyFilterDescriptor;
    decltype(&cudnnSetFilter4dDescriptor) setFilter4dDescriptor;
    decltype(&cudnnCreateConvolutionDescriptor) createConvolutionDescriptor;
    decltype(&cudnnDestroyConvolutionDescriptor) destroyConvolutionDescriptor;
    decltype(&cudnnSetConvolution2dDescriptor) setConvolution2dDescriptor;
    decltype(&cudnnSetConvolutionMathType) setConvolutionMathType;
    decltype(&cudnnGetConvolutionForwardAlgorithm_v7) getForwardAlgorithm;
    decltype(&cudnnGetConvolutionForwardWorkspaceSize) getForwardWorkspaceSize;
    decltype(&cudnnConvolutionForward) convolutionForward;
};

}  // namespace meander::kernels::cuda
