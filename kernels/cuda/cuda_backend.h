// The backend on one GPU. Every operation selects the device; each is implemented in the file of its group.
#pragma once
#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

class CudaBackend final : public Backend {
public:
    explicit CudaBackend(int device) : m_device(std::make_shared<Device>(device)) {}

    std::string id() const override;
    std::string description() const override;
    std::vector<DType> fastTypes() const override;

    void* allocate(std::size_t bytes) override;
    void release(void* p) noexcept override;
    MemoryUse memoryUse() const override;
    void resetPeak() override;
    void trim() override;
    void synchronize() override;
    bool computesIn(DType t) const override { return t == DType::F32 || t == DType::BF16 || t == DType::F16; }

protected:
#define OPERATION(Name, name, Result, ...) Result do##Name(__VA_ARGS__) override;
#include "kernels/api/operations.inl"
#undef OPERATION

private:
    Device& device() const {
        m_device->makeCurrent();
        return *m_device;
    }

    std::shared_ptr<Device> m_device;
};

}  // namespace meander::kernels::cuda
