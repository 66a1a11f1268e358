// Whole numbers of 64 bits without a sign as parameters (seeds): integerParam with a maximum of 2^64. What lies beyond
// the signed range is kept as its digits.
#pragma once
#include "engine/core/params.h"

namespace meander {

constexpr double unsignedMaximum = 0x1p64;  // for integerParam
ParamValue wholeParam(std::uint64_t n);
// Throws Failure where the parameter is missing or no such number.
std::uint64_t unsignedInteger(const Params& p, const std::string& key);

}  // namespace meander
