#include "engine/cli/device_choice.h"

#include <cstdlib>

namespace meander::cli {

std::unique_ptr<kernels::Backend> openBackend(const std::string& device) {
    if (device == "cpu") return kernels::createCpuBackend();
    if (device != "auto" && device != "cuda" && !device.starts_with("cuda:")) throw Failure("There is no device \"" + device + "\". Use auto, cpu or cuda:0.");
    auto probe = kernels::createCudaBackend(device.starts_with("cuda:") ? std::atoi(device.c_str() + 5) : 0);
    if (probe.backend) return std::move(probe.backend);
    if (device == "auto") return kernels::createCpuBackend();
    throw Failure(probe.why.empty() ? "The CUDA device cannot be used here." : probe.why);
}

void addDevice(CLI::App& command, std::string& device) { command.add_option("--device", device, "auto, cpu or cuda:0")->capture_default_str(); }

}  // namespace meander::cli
