// The device: opening it, its memory, its errors as sentences. See device.h.
//
// Memory comes from a pool of our own (cudaMemPool_t), not the process-wide default one, so that `trim` and the
// statistics concern us alone. What is released is kept, by size, until `trim` or until memory runs out: a sampler
// asks for the same sizes at every step, and from the second one on the driver is not asked any more.
// MEANDER_CUDA_KEEPS_MEMORY=0 gives everything back at once, so that a memory checker sees uses after release.
#include "kernels/cuda/device.h"

#include <bit>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "kernels/cuda/convolution.h"
#include "kernels/cuda/matmul.h"

namespace meander::kernels::cuda {
namespace {

std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MB"; }

const char* remedyOf(cudaError_t status) {
    switch (status) {
    case cudaErrorNoKernelImageForDevice:
        return "This build of the CUDA module has no code for this GPU: build it for its architecture, or choose the "
               "CPU.";
    case cudaErrorInsufficientDriver: return "Install a newer NVIDIA driver, or choose the CPU.";
    case cudaErrorDevicesUnavailable: return "Another program holds the GPU exclusively: end it, or choose the CPU.";
    default: return "Save your work and start the program again; if it happens again choose the CPU.";
    }
}

}  // namespace

void check(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // errors that do not stick are forgotten, the others return by themselves
    if (status == cudaErrorMemoryAllocation)
        throw OutOfMemory(std::string("The GPU ran out of memory while ") + doing
                              + ". Choose a smaller image or batch, or end other programs that use the GPU.",
                          0);
    throw DeviceError(std::string("The GPU failed while ") + doing + ": " + cudaGetErrorString(status) + " (CUDA error "
                      + std::to_string(int(status)) + "). " + remedyOf(status));
}

void check(cublasStatus_t status, const char* doing) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    std::string text =
        std::string("cuBLASLt failed while ") + doing + " (status " + std::to_string(int(status)) + "). ";
    if (status == CUBLAS_STATUS_ALLOC_FAILED)
        throw OutOfMemory(text + "The GPU has not enough free memory: choose a smaller image or batch.", 0);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH)
        throw DeviceError(
            text + "This GPU or this cuBLASLt does not offer the product in this number type: choose f32, or f16.");
    throw DeviceError(text + "Save your work and start the program again; if it happens again choose the CPU.");
}

Device::Device(int index) : m_index(index) {
    try {
        makeCurrent();
        cudaDeviceProp properties{};
        check(cudaGetDeviceProperties(&properties, index), "its properties were read");
        m_name = properties.name;
        m_multiprocessors = properties.multiProcessorCount;
        m_capability = properties.major * 10 + properties.minor;
        m_total = properties.totalGlobalMem;
        if (m_capability < 75)
            throw DeviceError("The GPU " + m_name + " has compute capability " + std::to_string(properties.major) + "."
                              + std::to_string(properties.minor)
                              + ", the CUDA module needs 7.5 (Turing, 2018) or newer. Choose the CPU.");
        check(cudaStreamCreateWithFlags(&m_stream, cudaStreamNonBlocking), "a stream was made");

        int offersPools = 0;
        check(cudaDeviceGetAttribute(&offersPools, cudaDevAttrMemoryPoolsSupported, index), "its properties were read");
        if (offersPools) {
            cudaMemPoolProps wanted{};
            wanted.allocType = cudaMemAllocationTypePinned;
            wanted.handleTypes = cudaMemHandleTypeNone;
            wanted.location.type = cudaMemLocationTypeDevice;
            wanted.location.id = index;
            check(cudaMemPoolCreate(&m_pool, &wanted), "a memory pool was made");
            unsigned long long keepAll = ~0ull;
            check(cudaMemPoolSetAttribute(m_pool, cudaMemPoolAttrReleaseThreshold, &keepAll),
                  "a memory pool was set up");
        }
        const char* keeps = std::getenv("MEANDER_CUDA_KEEPS_MEMORY");
        m_keepsMemory = !keeps || std::string_view(keeps) != "0";
        openLibraries();
    } catch (...) {
        close();
        throw;
    }
}

Device::~Device() { close(); }

void Device::openLibraries() {
    m_lt = std::make_unique<CublasLt>();
    check(m_lt->create(&m_ltHandle), "it was started");
    m_matmulPlans = std::make_unique<MatmulPlans>(*this);

    // Without cuDNN, or with one that does not start here, convolutions are products of unfolded images.
    m_cudnn = Cudnn::tryOpen();
    if (m_cudnn && m_cudnn->create(&m_cudnnHandle) != CUDNN_STATUS_SUCCESS) {
        m_cudnnHandle = nullptr;
        m_cudnn.reset();
    }
    if (m_cudnn && m_cudnn->setStream(m_cudnnHandle, m_stream) != CUDNN_STATUS_SUCCESS) {
        m_cudnn->destroy(std::exchange(m_cudnnHandle, nullptr));
        m_cudnn.reset();
    }
    m_convolutionPlans = std::make_unique<ConvolutionPlans>(*this);
}

// Also the tidying up after a failed construction: everything may be absent. Nothing is checked, there is nobody left
// to tell.
void Device::close() noexcept {
    cudaSetDevice(m_index);
    if (m_stream) cudaStreamSynchronize(m_stream);
    m_convolutionPlans.reset();
    m_matmulPlans.reset();
    if (m_cudnnHandle) m_cudnn->destroy(std::exchange(m_cudnnHandle, nullptr));
    if (m_ltHandle) m_lt->destroy(std::exchange(m_ltHandle, nullptr));
    for (const auto& [p, bytes] : m_sizes) giveBack(p);
    m_sizes.clear();
    freeKept();
    if (m_stream) cudaStreamSynchronize(m_stream);
    if (m_pool) cudaMemPoolDestroy(std::exchange(m_pool, nullptr));
    if (m_stream) cudaStreamDestroy(std::exchange(m_stream, nullptr));
    cudaGetLastError();
}

void Device::makeCurrent() const { check(cudaSetDevice(m_index), "it was selected"); }

namespace {
// Sizes are rounded so that kept buffers are found again: up to 512 bytes, then to an eighth of the power of two below.
std::size_t roundedSize(std::size_t bytes) {
    const std::size_t step = bytes <= 4096 ? 512 : std::bit_floor(bytes) / 8;
    return (bytes + step - 1) / step * step;
}
}  // namespace

cudaError_t Device::tryAllocate(void** p, std::size_t bytes) {
    if (const auto kept = m_kept.find(bytes); kept != m_kept.end() && !kept->second.empty()) {
        *p = kept->second.back();
        kept->second.pop_back();
        return cudaSuccess;
    }
    const cudaError_t status = m_pool ? cudaMallocFromPoolAsync(p, bytes, m_pool, m_stream) : cudaMalloc(p, bytes);
    if (status == cudaErrorMemoryAllocation) cudaGetLastError();
    return status;
}

void* Device::allocate(std::size_t bytes) {
    const std::size_t wanted = bytes ? bytes : 1;  // an empty tensor has an address too
    void* p = nullptr;
    cudaError_t status = tryAllocate(&p, roundedSize(wanted));
    if (status == cudaErrorMemoryAllocation) {  // the pool may hold much in pieces that do not fit
        trim();
        status = tryAllocate(&p, roundedSize(wanted));
    }
    if (status == cudaErrorMemoryAllocation) {
        std::size_t free = 0, total = 0;
        cudaMemGetInfo(&free, &total);
        throw OutOfMemory("The GPU has not enough memory: " + megabytes(wanted) + " were asked for, " + megabytes(free)
                              + " of " + megabytes(total)
                              + " are free. Choose a smaller image or batch, bf16 instead of f32, or end other "
                                "programs that use the GPU.",
                          wanted);
    }
    check(status, "memory was taken");
    try {
        m_sizes.emplace(p, wanted);
    } catch (...) {
        giveBack(p);
        throw;
    }
    m_current += wanted;
    if (m_current > m_peak) m_peak = m_current;
    return p;
}

void Device::release(void* p) noexcept {
    const auto found = m_sizes.find(p);
    if (found == m_sizes.end()) return;  // null, or not ours
    m_current -= found->second;
    const std::size_t rounded = roundedSize(found->second);
    m_sizes.erase(found);
    cudaSetDevice(m_index);
    if (!m_keepsMemory) return giveBack(p);
    try {
        m_kept[rounded].push_back(p);
    } catch (...) {
        giveBack(p);
    }
}

void Device::giveBack(void* p) noexcept { m_pool ? cudaFreeAsync(p, m_stream) : cudaFree(p); }

void Device::freeKept() noexcept {
    for (const auto& [size, buffers] : m_kept)
        for (void* p : buffers) giveBack(p);
    m_kept.clear();
}

MemoryUse Device::memoryUse() const { return {m_current, m_peak, m_total}; }

void Device::trim() {
    freeKept();
    synchronize();
    if (m_pool) check(cudaMemPoolTrimTo(m_pool, 0), "memory was given back");
}

// Both wait: the caller may reuse or read `host` at once, whatever kind of memory it is.
void Device::upload(const void* host, void* to, std::size_t bytes) {
    if (bytes == 0) return;
    check(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, m_stream), "data were copied to it");
    check(cudaStreamSynchronize(m_stream), "data were copied to it");
}

void Device::download(const void* from, void* host, std::size_t bytes) {
    if (bytes) check(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, m_stream), "data were copied from it");
    check(cudaStreamSynchronize(m_stream), "data were copied from it");
}

void Device::synchronize() { check(cudaStreamSynchronize(m_stream), "it finished its work"); }

}  // namespace meander::kernels::cuda
