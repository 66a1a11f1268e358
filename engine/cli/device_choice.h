// A backend for the commands that measure one: "auto", "cpu", "cuda:0".
#pragma once
#include <memory>

#include "engine/cli/command.h"
#include "kernels/api/backend.h"

namespace meander::cli {

std::unique_ptr<kernels::Backend> openBackend(const std::string& device);
// Adds --device to a command.
void addDevice(CLI::App& command, std::string& device);

}  // namespace meander::cli
