// The nearest of known names to one that is not known, for refusals.
#pragma once
#include <string>
#include <vector>

namespace meander {

// " Did you mean "euler"?": the known name with the least edit distance, when that is at most 2 or half of the name;
// else empty.
std::string didYouMean(const std::string& wanted, const std::vector<std::string>& known);

}  // namespace meander
