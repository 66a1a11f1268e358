// Parts of linear layers that convolutions share.
#pragma once
#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

// A bias twice: exact for the elementwise epilogue, in the activations' type for cuBLASLt.
struct PackedBias {
    Buffer exact, computed;
    std::int64_t count = 0;

    explicit operator bool() const { return bool(exact); }
    View view() const { return exact ? View{exact.data(), DType::F32, Shape{count}} : View{}; }
    const void* ofType(DType t) const { return t == DType::F32 ? exact.data() : computed.data(); }
    std::size_t bytes(DType compute) const {
        return std::size_t(count) * (4 + (compute == DType::F32 ? 0 : sizeOf(compute)));
    }
};
PackedBias packBias(const std::shared_ptr<Device>&, View hostBias, DType compute);

// A tensor of host memory on the device, in another type.
Buffer uploadConverted(const std::shared_ptr<Device>&, View host, DType type);

// Does the epilogue read y, so that y must not be written before it runs?
bool sharesMemory(const Epilogue& e, const View& y);

// y (rows, out) = epilogue(x (rows, in) · weight (out, in)ᵀ + bias)
void productWithEpilogue(Device&, View x, std::int64_t in, std::int64_t out, const void* weight, const PackedBias& bias,
                         View y, const Epilogue& e);

}  // namespace meander::kernels::cuda
