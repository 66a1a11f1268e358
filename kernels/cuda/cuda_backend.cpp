// What a backend is, and its memory.
#include "kernels/cuda/cuda_backend.h"

#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {

std::string CudaBackend::id() const { return "cuda:" + std::to_string(m_device->index()); }

std::string CudaBackend::description() const {
    const int capability = m_device->computeCapability();
    return "CUDA · " + m_device->name() + " · compute " + std::to_string(capability / 10) + "."
           + std::to_string(capability % 10) + " · cuBLASLt " + m_device->lt().version
           + (m_device->cudnn() ? " · cuDNN " + m_device->cudnn()->version : " · without cuDNN");
}

std::vector<DType> CudaBackend::fastTypes() const {
    if (m_device->computeCapability() >= 80) return {DType::BF16, DType::F16, DType::F32};
    return {DType::F16, DType::F32};
}

void* CudaBackend::allocate(std::size_t bytes) { return device().allocate(bytes); }
void CudaBackend::release(void* p) noexcept { m_device->release(p); }
MemoryUse CudaBackend::memoryUse() const { return m_device->memoryUse(); }
void CudaBackend::resetPeak() { m_device->resetPeak(); }
void CudaBackend::trim() { device().trim(); }
void CudaBackend::doUpload(const void* host, View to) { device().upload(host, to.data, to.bytes()); }
void CudaBackend::doDownload(View from, void* host) { device().download(from.data, host, from.bytes()); }
void CudaBackend::synchronize() { device().synchronize(); }

void CudaBackend::doCopy(View from, View to) {
    Device& d = device();
    if (!from.isDense() || !to.isDense()) return copyStrided(d, from, to);
    if (from.data != to.data)
        check(cudaMemcpyAsync(to.data, from.data, from.bytes(), cudaMemcpyDeviceToDevice, d.stream()),
              "data were copied on it");
}

}  // namespace meander::kernels::cuda
