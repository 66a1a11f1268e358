// The module's only door: makes a backend, or says why not. Called by kernels::createCudaBackend, which opened this
// module by name.
//
// Nothing may pass through but a pointer and a sentence: no exception crosses a C function. Where there is no driver,
// the static CUDA runtime answers every call with an error and nothing crashes.
#include <cstdio>

#include "kernels/cuda/cuda_backend.h"

#ifdef _WIN32
#    define MEANDER_EXPORT __declspec(dllexport)
#else
#    define MEANDER_EXPORT __attribute__((visibility("default")))
#endif

namespace {

using meander::kernels::backendApiVersion;

std::string versionText(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

// Empty when a device of that number is there and its driver serves.
std::string obstacle(int device) {
    int driver = 0, count = 0;
    const cudaError_t driverStatus = cudaDriverGetVersion(&driver), status = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (driver == 0 && (driverStatus != cudaSuccess || status != cudaSuccess))
        return "No NVIDIA driver was found. Where there is an NVIDIA GPU, install its driver ("
               + versionText(CUDART_VERSION) + " or newer in CUDA's count); Meander works on the CPU meanwhile.";
    if (status == cudaErrorInsufficientDriver)
        return "The NVIDIA driver is too old: it serves CUDA " + versionText(driver) + ", this module needs "
               + versionText(CUDART_VERSION) + ". Install a newer driver.";
    if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0))
        return "The NVIDIA driver reports no GPU. Is one built in, and visible to this program (environment variable "
               "CUDA_VISIBLE_DEVICES)?";
    if (status != cudaSuccess)
        return std::string("CUDA does not start: ") + cudaGetErrorString(status) + " (error "
               + std::to_string(int(status)) + "). Reinstall the NVIDIA driver, or use the CPU.";
    if (device < 0 || device >= count)
        return "There is no CUDA device " + std::to_string(device) + ": this machine has " + std::to_string(count)
               + ", counted from 0. Choose another.";
    return {};
}

}  // namespace

extern "C" MEANDER_EXPORT meander::kernels::Backend* meanderCreateCudaBackend(int device, char* why,
                                                                              std::size_t whySize, int apiVersion) {
    const auto tell = [&](const char* text) {
        if (why && whySize > 0) std::snprintf(why, whySize, "%s", text);
    };
    tell("");
    if (apiVersion != backendApiVersion) {
        tell("The CUDA module belongs to another version of Meander. Install both from the same package.");
        return nullptr;
    }
    try {
        const std::string text = obstacle(device);
        if (text.empty()) return new meander::kernels::cuda::CudaBackend(device);
        tell(text.c_str());
    } catch (const std::exception& e) {
        tell(e.what());
    } catch (...) {
        tell("CUDA does not start, for a reason it does not tell. Use the CPU.");
    }
    return nullptr;
}
