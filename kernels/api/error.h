// What kernels throw. Caught once, in the job runner; never crosses to the window.
#pragma once
#include <stdexcept>
#include <string>

namespace meander::kernels {

// The device failed or an operation is not possible on it. The text is a sentence with cause and remedy.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Not enough device memory; `bytes` is what was asked for.
struct OutOfMemory : DeviceError {
    OutOfMemory(const std::string& what, std::size_t wanted) : DeviceError(what), bytes(wanted) {}
    std::size_t bytes;
};

}  // namespace meander::kernels
