#include "engine/run/device_set.h"

#include <cstdlib>

namespace meander {

const DeviceSet::Device& DeviceSet::open(const std::string& given) {
    const std::string& name = given == "auto" ? m_automatic : given;
    if (const auto it = m_devices.find(name); it != m_devices.end()) return it->second;
    Device device{"cpu", nullptr, {}};
    if (name != "cpu") {
        const int index = name.starts_with("cuda:") ? std::atoi(name.c_str() + 5) : 0;
        device.backend = openGpu(index, device.note);
        if (device.backend) device.name = "cuda:" + std::to_string(index);
    }
    if (!device.backend) device.backend = openCpu();
    return m_devices.emplace(name, std::move(device)).first->second;
}

kernels::Backend* DeviceSet::openGpu(int index, std::string& why) {
    const std::string name = "cuda:" + std::to_string(index);
    if (const auto it = m_backends.find(name); it != m_backends.end()) return it->second.get();
    auto probe = kernels::createCudaBackend(index);
    why = probe.why;
    if (!probe.backend) return nullptr;
    return (m_backends[name] = std::move(probe.backend)).get();
}

kernels::Backend* DeviceSet::openCpu() {
    auto& cpu = m_backends["cpu"];
    if (!cpu) cpu = kernels::createCpuBackend({m_threads});
    return cpu.get();
}

}  // namespace meander
