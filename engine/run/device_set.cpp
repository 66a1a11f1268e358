#include "engine/run/device_set.h"

#include <cstdlib>

#include "engine/run/engine.h"

namespace meander {

DeviceSet::Device::Device(std::string n, std::unique_ptr<Backend> b, std::size_t memory)
    : name(std::move(n)), backend(std::move(b)), budget(*backend, memory), models(*backend, budget) {}

const DeviceSet::Named& DeviceSet::open(const std::string& given) {
    const std::string& name = given == "auto" ? m_options.device : given;
    if (const auto it = m_named.find(name); it != m_named.end()) return it->second;
    Named named;
    if (name != "cpu" && !m_options.openBackend)
        named.device = openGpu(name.starts_with("cuda:") ? std::atoi(name.c_str() + 5) : 0, named.note);
    if (!named.device) named.device = openCpu();
    return m_named.emplace(name, std::move(named)).first->second;
}

DeviceSet::Device* DeviceSet::openGpu(int index, std::string& why) {
    const std::string name = "cuda:" + std::to_string(index);
    if (const auto it = m_devices.find(name); it != m_devices.end()) return it->second.get();
    auto probe = kernels::createCudaBackend(index);
    why = probe.why;
    if (!probe.backend) return nullptr;
    auto device = std::make_unique<Device>(name, std::move(probe.backend), m_options.deviceMemory);
    return (m_devices[name] = std::move(device)).get();
}

DeviceSet::Device* DeviceSet::openCpu() {
    auto& cpu = m_devices["cpu"];
    if (!cpu)
        cpu = std::make_unique<Device>(
            "cpu", m_options.openBackend ? m_options.openBackend() : kernels::createCpuBackend({m_options.threads}),
            m_options.deviceMemory);
    return cpu.get();
}

void DeviceSet::dropUnused(const ModelCache::IsInUse& isInUse) {
    for (auto& [name, device] : m_devices)
        if (device) device->models.dropUnused(isInUse);
}

void DeviceSet::clear() {
    m_named.clear();
    m_devices.clear();
}

}  // namespace meander
