// Every element type that safetensors, GGUF and PyTorch files may hold, known by name: also those that cannot be
// computed with, so that a sound file is never called damaged.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernels/api/weight_format.h"

namespace meander {

struct ElementType {
    const char* name;
    int blockElements, blockBytes;  // F4: 2 elements a byte
    enum Kind : std::uint8_t { Weight, Integer, Unsigned, Double, NotComputable } kind;
    std::optional<kernels::WeightFormat> format = {};  // of a Weight
};

// Null for a name that nobody uses.
const ElementType* elementType(std::string_view name);
// GGUF's numbers of types; null for a number that stands for none.
const ElementType* ggufElementType(std::uint32_t number);

// Bytes of `count` elements; none when they are not whole blocks or too many.
std::optional<std::uint64_t> bytesOf(const ElementType& type, std::uint64_t count);

}  // namespace meander
