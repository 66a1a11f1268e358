// Names of devices, "auto", "cpu", "cuda:0", and a backend for the commands that measure one.
#pragma once
#include <memory>

#include "engine/cli/command.h"
#include "kernels/api/backend.h"

namespace meander::cli {

// A sentence when it is not the name of a device, else empty.
std::string deviceProblem(const std::string& device);
std::unique_ptr<kernels::Backend> openBackend(const std::string& device);
// The largest this process has been; 0 where the system does not tell.
double peakProcessBytes();
// Adds --device to a command.
void addDevice(CLI::App& command, std::string& device);

}  // namespace meander::cli
