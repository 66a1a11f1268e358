// Opening cuBLASLt and cuDNN by name: see libraries.h.
#include "kernels/cuda/libraries.h"

#include <cstdlib>

#include "kernels/api/error.h"

#ifdef _WIN32
#    define WIN32_LEAN_AND_MEAN
#    include <windows.h>
#else
#    include <dlfcn.h>
#endif

namespace meander::kernels::cuda {
namespace {

#ifdef _WIN32
void* openOne(const std::string& name) { return reinterpret_cast<void*>(LoadLibraryA(name.c_str())); }
void closeOne(void* handle) { FreeLibrary(static_cast<HMODULE>(handle)); }
void* findIn(void* handle, const char* name) {
    return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle), name));
}
const std::vector<std::string> ltNames = {"cublasLt64_13.dll", "cublasLt64_12.dll"}, cudnnNames = {"cudnn64_9.dll"},
                               usualFolders = {};
#else
void* openOne(const std::string& name) { return dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL); }
void closeOne(void* handle) { dlclose(handle); }
void* findIn(void* handle, const char* name) { return dlsym(handle, name); }
const std::vector<std::string> ltNames = {"libcublasLt.so.13", "libcublasLt.so.12"}, cudnnNames = {"libcudnn.so.9"};
const std::vector<std::string> usualFolders = {"/usr/local/cuda/lib64", "/usr/local/cuda/lib",
                                               "/usr/lib/x86_64-linux-gnu", "/opt/cuda/lib64"};
#endif

// A library of one version in any folder is better than another version in a better folder.
std::vector<std::string> candidates(const std::vector<std::string>& names) {
    std::vector<std::string> all;
    const char* folder = std::getenv("MEANDER_CUDA_LIBRARIES");
    for (const auto& name : names) {
        if (folder && *folder) all.push_back(std::string(folder) + "/" + name);
        all.push_back(name);
        for (const auto& usual : usualFolders) all.push_back(usual + "/" + name);
    }
    return all;
}

}  // namespace

bool SharedLibrary::open(const std::vector<std::string>& names) {
    for (const auto& name : candidates(names)) {
        if ((m_handle = openOne(name))) {
            m_path = name;
            return true;
        }
    }
    for (const auto& name : names) m_tried += (m_tried.empty() ? "" : ", ") + name;
    return false;
}

SharedLibrary::~SharedLibrary() {
    if (m_handle) closeOne(m_handle);
}

void* SharedLibrary::symbol(const char* name) {
    if (void* p = findIn(m_handle, name)) return p;
    throw DeviceError("The library " + m_path + " does not offer the function " + name
                      + ". Install the version that belongs to CUDA 13, or name its folder in the environment variable "
                        "MEANDER_CUDA_LIBRARIES.");
}

CublasLt::CublasLt() {
    if (!library.open(ltNames))
        throw DeviceError("The library cuBLASLt (" + library.tried()
                          + ") was not found. Install NVIDIA's CUDA libraries, or name the folder that holds them in "
                            "the environment variable MEANDER_CUDA_LIBRARIES.");
    library.load(create, "cublasLtCreate");
    library.load(destroy, "cublasLtDestroy");
    library.load(getVersion, "cublasLtGetVersion");
    library.load(getStatusString, "cublasLtGetStatusString");
    library.load(matmulDescCreate, "cublasLtMatmulDescCreate");
    library.load(matmulDescDestroy, "cublasLtMatmulDescDestroy");
    library.load(matmulDescSetAttribute, "cublasLtMatmulDescSetAttribute");
    library.load(matrixLayoutCreate, "cublasLtMatrixLayoutCreate");
    library.load(matrixLayoutDestroy, "cublasLtMatrixLayoutDestroy");
    library.load(matrixLayoutSetAttribute, "cublasLtMatrixLayoutSetAttribute");
    library.load(preferenceCreate, "cublasLtMatmulPreferenceCreate");
    library.load(preferenceDestroy, "cublasLtMatmulPreferenceDestroy");
    library.load(preferenceSetAttribute, "cublasLtMatmulPreferenceSetAttribute");
    library.load(algoGetHeuristic, "cublasLtMatmulAlgoGetHeuristic");
    library.load(matmul, "cublasLtMatmul");
    const std::size_t v = getVersion();  // major*10000 + minor*100 + patch
    version = std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100);
}

std::unique_ptr<Cudnn> Cudnn::tryOpen() {
    auto c = std::make_unique<Cudnn>();
    if (!c->library.open(cudnnNames)) return nullptr;
    try {
        c->library.load(c->create, "cudnnCreate");
        c->library.load(c->destroy, "cudnnDestroy");
        c->library.load(c->setStream, "cudnnSetStream");
        c->library.load(c->getVersion, "cudnnGetVersion");
        c->library.load(c->getErrorString, "cudnnGetErrorString");
        c->library.load(c->createTensorDescriptor, "cudnnCreateTensorDescriptor");
        c->library.load(c->destroyTensorDescriptor, "cudnnDestroyTensorDescriptor");
        c->library.load(c->setTensor4dDescriptor, "cudnnSetTensor4dDescriptor");
        c->library.load(c->createFilterDescriptor, "cudnnCreateFilterDescriptor");
        c->library.load(c->destroyFilterDescriptor, "cudnnDestroyFilterDescriptor");
        c->library.load(c->setFilter4dDescriptor, "cudnnSetFilter4dDescriptor");
        c->library.load(c->createConvolutionDescriptor, "cudnnCreateConvolutionDescriptor");
        c->library.load(c->destroyConvolutionDescriptor, "cudnnDestroyConvolutionDescriptor");
        c->library.load(c->setConvolution2dDescriptor, "cudnnSetConvolution2dDescriptor");
        c->library.load(c->setConvolutionMathType, "cudnnSetConvolutionMathType");
        c->library.load(c->getForwardAlgorithm, "cudnnGetConvolutionForwardAlgorithm_v7");
        c->library.load(c->getForwardWorkspaceSize, "cudnnGetConvolutionForwardWorkspaceSize");
        c->library.load(c->convolutionForward, "cudnnConvolutionForward");
    } catch (const DeviceError&) {
        return nullptr;  // an unusable cuDNN is as good as none
    }
    const std::size_t v = c->getVersion();  // major*10000 + minor*100 + patch
    c->version = std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
    return c;
}

}  // namespace meander::kernels::cuda
