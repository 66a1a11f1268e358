// A host tensor as bytes for the project file:
//   0  "MT1" and the type (DType's number)      4  rank (u8), filter (u8: 1 = the bytes of equal weight of all
//       elements lie together), 2 zero bytes
//   8  checksum of the raw bytes (u64)         16  extents (rank × i64), then a zstd frame to the end
// Reading trusts nothing: type, rank, extents and their product are looked at, the frame is unpacked in pieces and may
// not give more or less than the
// shape asks for, and the checksum must fit.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

constexpr std::size_t maximumTensorBytes = std::size_t(1) << 30;

std::vector<std::byte> packTensor(const HostTensor& t, int level = 3);
// Throws Failure with a sentence.
HostTensor unpackTensor(std::span<const std::byte> blob);

}  // namespace meander
