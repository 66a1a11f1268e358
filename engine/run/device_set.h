// The devices that runs name, opened by the first run that names them, each with its memory budget and its models.
// Engine thread only.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "engine/run/model_cache.h"

namespace meander {

struct EngineOptions;

class DeviceSet {
public:
    // The options outlive the set. Their `device` is what "auto" means, itself "auto" for the first GPU, else the CPU.
    explicit DeviceSet(const EngineOptions& options) : m_options(options) {}

    struct Device {
        std::string name;  // "cpu", "cuda:0": of what was opened
        std::unique_ptr<Backend> backend;
        MemoryBudget budget;
        ModelCache models;

        Device(std::string name, std::unique_ptr<Backend> backend, std::size_t memory);
    };
    struct Named {
        Device* device = nullptr;
        std::string note;  // why it is the CPU and not the GPU; empty: it is what was named
    };
    // `name`: of a recipe, "auto", "cpu", "cuda:N".
    const Named& open(const std::string& name);
    // Gives back all models that no run uses, and pooled memory, on every device.
    void dropUnused(const ModelCache::IsInUse& isInUse);
    void clear();

private:
    Device* openGpu(int index, std::string& why);
    Device* openCpu();

    const EngineOptions& m_options;
    std::map<std::string, std::unique_ptr<Device>> m_devices;  // by their own names
    std::map<std::string, Named> m_named;                      // by the names of recipes
};

}  // namespace meander
