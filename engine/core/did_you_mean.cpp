#include "engine/core/did_you_mean.h"

#include <algorithm>

namespace meander {
namespace {

// Levenshtein distance.
std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

}  // namespace

std::string didYouMean(const std::string& wanted, const std::vector<std::string>& known) {
    const auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return distance(wanted, a) < distance(wanted, b);
    });
    return best == known.end() || distance(wanted, *best) > std::max<std::size_t>(2, wanted.size() / 2)
               ? std::string()
               : " Did you mean \"" + *best + "\"?";
}

}  // namespace meander
