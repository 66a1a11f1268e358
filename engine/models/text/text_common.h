// What several text encoders share: sizes of a configuration, checks of ids.
#pragma once
#include <span>
#include <string>

#include "engine/core/json.h"
#include "kernels/api/backend.h"

namespace meander {

// Texts of encoders without a table of positions, which could read more: what the families take.
inline constexpr int usualTextTokens = 512, mostTextTokens = 8192;

// Throw Failure, with `what` (the file) and the entry.
int sizeIn(const Json& config, const char* key, int fallback, int largest, const std::string& what);
float epsilonIn(const Json& config, const char* key, double fallback, const std::string& what);
kernels::Activation activationIn(const Json& config, const char* key, const std::string& fallback,
                                 const std::string& what);
// An object that describes a text encoder.
void requireConfig(const Json& config, const std::string& what);
void checkTokens(std::span<const int> ids, int longest, int vocabulary);

}  // namespace meander
