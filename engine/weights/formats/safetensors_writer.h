// Writing safetensors files.
#pragma once
#include <map>
#include <string>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

// Writes F32, F64, F16 and I32 tensors; through a temporary name, so that a half-written file never stands under
// `path`.
Status writeSafetensors(const std::string& path, const std::map<std::string, HostTensor>& tensors,
                        const std::map<std::string, std::string>& metadata = {});
std::string safetensorsBytes(const std::map<std::string, HostTensor>& tensors,
                             const std::map<std::string, std::string>& metadata = {});

}  // namespace meander
