// Convolutions by cuDNN: what it was asked once for each extent of image and filter.
#pragma once
#include <array>
#include <map>

#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

struct ConvolutionShape {
    int images, height, width, in, out, outHeight, outWidth, kernel, stride, padding;
    DType type;
};

class ConvolutionPlans {
public:
    explicit ConvolutionPlans(Device& device) : m_device(device) {}
    // y = x * filter, without bias. False when there is no cuDNN, or it does not do this one.
    bool run(const ConvolutionShape& s, const void* x, const void* filter, void* y);

private:
    template <class Opaque> using Handle = std::unique_ptr<Opaque, cudnnStatus_t (*)(Opaque*)>;
    struct Plan {
        bool isPossible = false;
        Handle<cudnnTensorStruct> x{nullptr, nullptr}, y{nullptr, nullptr};
        Handle<cudnnFilterStruct> filter{nullptr, nullptr};
        Handle<cudnnConvolutionStruct> convolution{nullptr, nullptr};
        cudnnConvolutionFwdAlgo_t algorithm{};
        std::size_t workspace = 0;
    };
    Plan make(const ConvolutionShape& s) const;
    bool describe(const ConvolutionShape& s, Plan& plan) const;
    bool choose(const ConvolutionShape& s, Plan& plan) const;

    Device& m_device;
    std::map<std::array<int, 11>, Plan> m_plans;
};

}  // namespace meander::kernels::cuda
