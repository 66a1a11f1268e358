// 64 bits over bytes, and over the values of a row; guards against damage, not against malice.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

struct sqlite3;

namespace meander {

std::uint64_t checksum(std::span<const std::byte> bytes);

// Gives SQL the function row_sum(value, ...): a checksum over kinds and bytes of the values, in order. A row keeps the
// sum of its other columns in its last one; null: written by a version that kept none.
void addRowSum(sqlite3* db);

}  // namespace meander
