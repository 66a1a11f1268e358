#include "engine/project/checksum.h"

#include <sqlite3.h>

#include <bit>
#include <cstring>

namespace meander {

namespace {

constexpr std::uint64_t prime = 0x9E3779B97F4A7C15u;

std::uint64_t sumOf(sqlite3_value* v) {
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: return std::uint64_t(sqlite3_value_int64(v)) * prime;
    case SQLITE_FLOAT: return std::bit_cast<std::uint64_t>(sqlite3_value_double(v) + 0.0) * prime;  // −0 is stored as 0
    case SQLITE_NULL: return prime;
    default: {
        const auto* bytes = static_cast<const std::byte*>(sqlite3_value_blob(v));
        return checksum({bytes, bytes ? std::size_t(sqlite3_value_bytes(v)) : 0});
    }
    }
}

void rowSum(sqlite3_context* context, int count, sqlite3_value** values) {
    std::uint64_t h = prime ^ std::uint64_t(count);
    for (int i = 0; i < count; ++i)
        h = std::rotl((h ^ sumOf(values[i])) * prime + std::uint64_t(sqlite3_value_type(values[i])), 29);
    sqlite3_result_int64(context, std::int64_t(h));
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes) {
    std::uint64_t h = prime ^ bytes.size();
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + i, 8);
        h = std::rotl((h ^ word) * prime, 29);
    }
    for (; i < bytes.size(); ++i) h = std::rotl((h ^ std::uint64_t(bytes[i])) * prime, 29);
    h ^= h >> 32;
    return h * prime ^ (h >> 29);
}

void addRowSum(sqlite3* db) {
    sqlite3_create_function_v2(db, "row_sum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, rowSum, nullptr, nullptr,
                               nullptr);
}

}  // namespace meander
