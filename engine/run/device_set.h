// The devices that runs name, opened by the first run that names them. Engine thread only.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "kernels/api/backend.h"

namespace meander {

class DeviceSet {
public:
    // `automatic`: what "auto" means, itself "auto" for the first GPU, else the CPU. `threads`: of the CPU; 0: all.
    DeviceSet(std::string automatic, int threads) : m_automatic(std::move(automatic)), m_threads(threads) {}

    struct Device {
        std::string name;  // "cpu", "cuda:0": of what was opened
        kernels::Backend* backend = nullptr;
        std::string note;  // why it is the CPU and not the GPU; empty: it is what was named
    };
    // `name`: of a recipe, "auto", "cpu", "cuda:N".
    const Device& open(const std::string& name);

private:
    kernels::Backend* openGpu(int index, std::string& why);
    kernels::Backend* openCpu();

    const std::string m_automatic;
    const int m_threads;
    std::map<std::string, std::unique_ptr<kernels::Backend>> m_backends;  // by the name of what was opened
    std::map<std::string, Device> m_devices;                              // by the name a recipe gives
};

}  // namespace meander
