// Files of weights written in another format: safetensors or GGUF, tensor by tensor, so that memory holds one of them.
#pragma once
#include <functional>
#include <string>

#include "engine/weights/host_weight.h"

namespace meander {

enum class WeightContainer : std::uint8_t { Safetensors, Gguf };

struct ConvertOptions {
    WeightContainer container = WeightContainer::Safetensors;
    // Of the matrices. Plain floats are the format of every other tensor too; beside blocks and 8 bits, filters and
    // matrices whose rows are no whole blocks are F16, vectors F32.
    WeightFormat format = WeightFormat::F16;
    std::string architecture;  // "general.architecture" of a GGUF file
    // Called with the share that is written; false ends the conversion.
    std::function<bool(double)> progress;
};

// Formats that a container holds: of safetensors F32, F16, BF16, F8_E4M3, F8_E5M2 and I8 with a scale for each row
// (ComfyUI's "int8_tensorwise" by row), of GGUF F32, F16, BF16, Q8_0, Q4_0 and Q4_K.
bool canHold(WeightContainer container, WeightFormat format);

struct ConvertedFile {
    std::size_t tensors = 0, bytes = 0;
    bool isCancelled = false;  // nothing was written
};
// The tensors of `from` (a file or its shards, any format) under their names, in their order by name; scaled 8-bit
// weights with their scales. Values of a GGUF tensor with more than 4 dimensions keep their shape in the metadata. `to`
// appears whole or not at all. Throws Failure.
ConvertedFile convertWeights(const std::string& from, const std::string& to, const ConvertOptions& options);

}  // namespace meander
