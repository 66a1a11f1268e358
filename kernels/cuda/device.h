// The device as this module sees it: one GPU, one stream, one memory pool, and the two libraries that multiply.
//
// Everything is ordered on the one stream, so a buffer may be released while the kernel that reads it still runs: its
// memory is given to nobody but later work of the same stream. Device is shared by the backend and by the weights made
// from it, so that destroying them in any order is safe. Only one thread may use it (see kernels/api/backend.h).
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "kernels/api/backend.h"
#include "kernels/cuda/libraries.h"

namespace meander::kernels::cuda {

// Throws DeviceError (OutOfMemory where it is that) with a sentence; `doing` continues "The GPU failed while ...".
void check(cudaError_t status, const char* doing);
void check(cublasStatus_t status, const char* doing);

class MatmulPlans;
class ConvolutionPlans;

class Device {
public:
    // Throws DeviceError with cause and remedy.
    explicit Device(int index);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    // The current device is a property of the calling thread; every public operation sets it first.
    void makeCurrent() const;
    int index() const { return m_index; }
    cudaStream_t stream() const { return m_stream; }
    int multiprocessors() const { return m_multiprocessors; }
    int computeCapability() const { return m_capability; }  // 75, 80, 90, ...
    const std::string& name() const { return m_name; }

    void* allocate(std::size_t bytes);
    void release(void* p) noexcept;
    MemoryUse memoryUse() const;
    void resetPeak() { m_peak = m_current; }
    void trim();

    void upload(const void* host, void* to, std::size_t bytes);
    void download(const void* from, void* host, std::size_t bytes);
    void synchronize();

    const CublasLt& lt() const { return *m_lt; }
    cublasLtHandle_t ltHandle() const { return m_ltHandle; }
    // Null where cuDNN is not installed.
    const Cudnn* cudnn() const { return m_cudnn.get(); }
    cudnnHandle_t cudnnHandle() const { return m_cudnnHandle; }

    // Remembered plans of the two libraries, kept here because they live as long as their handles.
    MatmulPlans& matmulPlans() { return *m_matmulPlans; }
    ConvolutionPlans& convolutionPlans() { return *m_convolutionPlans; }

private:
    void openLibraries();
    void close() noexcept;
    cudaError_t tryAllocate(void** p, std::size_t bytes);
    void giveBack(void* p) noexcept;
    void freeKept() noexcept;

    int m_index;
    int m_multiprocessors = 0, m_capability = 0;
    std::string m_name;
    cudaStream_t m_stream = nullptr;
    cudaMemPool_t m_pool = nullptr;                  // null where the driver offers no pools: then plain cudaMalloc
    std::unordered_map<void*, std::size_t> m_sizes;  // as asked for
    std::unordered_map<std::size_t, std::vector<void*>> m_kept;  // released buffers by their rounded size
    bool m_keepsMemory = true;
    std::size_t m_current = 0, m_peak = 0, m_total = 0;

    std::unique_ptr<CublasLt> m_lt;
    std::unique_ptr<Cudnn> m_cudnn;
    cublasLtHandle_t m_ltHandle = nullptr;
    cudnnHandle_t m_cudnnHandle = nullptr;
    std::unique_ptr<MatmulPlans> m_matmulPlans;
    std::unique_ptr<ConvolutionPlans> m_convolutionPlans;
};

// Device memory with an owner: scratch of one call, or the storage of weights (which keep the device alive).
class Buffer {
public:
    Buffer() = default;
    Buffer(Device& device, std::size_t bytes) : m_device(&device), m_data(bytes ? device.allocate(bytes) : nullptr) {}
    Buffer(std::shared_ptr<Device> device, std::size_t bytes) : Buffer(*device, bytes) {
        m_keepAlive = std::move(device);
    }
    ~Buffer() { reset(); }
    Buffer(Buffer&& o) noexcept { *this = std::move(o); }
    Buffer& operator=(Buffer&& o) noexcept {
        if (this == &o) return *this;
        reset();
        m_device = std::exchange(o.m_device, nullptr);
        m_data = std::exchange(o.m_data, nullptr);
        m_keepAlive = std::move(o.m_keepAlive);
        return *this;
    }

    void* data() const { return m_data; }
    explicit operator bool() const { return m_data != nullptr; }
    template <class T> T* as() const { return static_cast<T*>(m_data); }

private:
    void reset() noexcept {
        if (m_data) m_device->release(m_data);
        m_data = nullptr;
        m_keepAlive.reset();
    }

    Device* m_device = nullptr;
    void* m_data = nullptr;
    std::shared_ptr<Device> m_keepAlive;
};

}  // namespace meander::kernels::cuda
