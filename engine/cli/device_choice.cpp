#include "engine/cli/device_choice.h"

#include <cstdlib>

#include "engine/recipe/recipe_fields.h"

#ifndef _WIN32
#    include <sys/resource.h>
#endif

namespace meander::cli {

std::string deviceProblem(const std::string& device) {
    return device == "cuda" || isDeviceName(device) ? std::string()
                                                    : "There is no device \"" + device + "\". Use auto, cpu or cuda:0.";
}

std::unique_ptr<kernels::Backend> openBackend(const std::string& device) {
    if (const std::string problem = deviceProblem(device); !problem.empty()) throw WrongArgument(problem);
    if (device == "cpu") return kernels::createCpuBackend();
    auto probe = kernels::createCudaBackend(device.starts_with("cuda:") ? std::atoi(device.c_str() + 5) : 0);
    if (probe.backend) return std::move(probe.backend);
    if (device == "auto") return kernels::createCpuBackend();
    // Its sentence goes on with what "auto" would do.
    throw Failure(probe.why.substr(0, probe.why.find(" The CPU is used instead.")) + " Use --device cpu, or auto.");
}

void addDevice(CLI::App& command, std::string& device) {
    command.add_option("--device", device, "auto, cpu or cuda:0")
        ->capture_default_str()
        ->check(CLI::Validator([](std::string& text) { return deviceProblem(text); }, ""));
}

double peakProcessBytes() {
#ifdef _WIN32
    return 0;
#else
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    return double(use.ru_maxrss) * 1024;
#endif
}

}  // namespace meander::cli
