// JSON as Python writes it, which has numbers that JSON has not.
#pragma once
#include <string>

namespace meander {

// NaN and infinities outside strings become null.
std::string withoutNan(const std::string& text);

}  // namespace meander
