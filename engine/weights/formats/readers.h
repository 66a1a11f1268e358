// One function per format: the table of a file. Throws Failure with a sentence.
#pragma once
#include "engine/weights/weight_file.h"

namespace meander {

WeightTable readSafetensors(const MappedBytes& file);
WeightTable readGguf(const MappedBytes& file);
WeightTable readTorchZip(const MappedBytes& file);
WeightTable readTorchLegacy(const MappedBytes& file);

// Parts that the readers share.
[[noreturn]] void damaged(const std::string& file, const std::string& why);
// a · b, none beyond 2^63 − 1.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b);
// Number of elements of a shape; none beyond 2^63 − 1.
std::optional<std::uint64_t> countOf(std::span<const std::int64_t> extents);
// Fails when two tensors share bytes.
void checkOverlaps(const std::string& file, const std::map<std::string, TensorEntry>& tensors);

}  // namespace meander
