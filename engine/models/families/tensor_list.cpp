#include "engine/models/families/tensor_list.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace meander {
namespace {

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool isMatch(std::string_view pattern, std::string_view name) {
    while (!pattern.empty()) {
        if (pattern.front() == '*') {
            std::size_t digits = 0;
            while (digits < name.size() && isDigit(name[digits])) ++digits;
            if (digits == 0 && name.starts_with('*')) digits = 1;  // a name may hold one itself
            if (digits == 0) return false;
            name.remove_prefix(digits);
        } else {
            if (name.empty() || name.front() != pattern.front()) return false;
            name.remove_prefix(1);
        }
        pattern.remove_prefix(1);
    }
    return name.empty();
}

bool holds(const TensorList& list, std::string_view term) {
    const bool isAbsent = term.starts_with('!');
    if (isAbsent) term.remove_prefix(1);
    const auto bracket = term.find('[');
    const auto name = list.find(term.substr(0, bracket));
    if (bracket == std::string_view::npos) return name.has_value() != isAbsent;
    const std::string rest(term.substr(bracket));
    unsigned axis = 0;
    long long extent = 0;
    if (std::sscanf(rest.c_str(), "[%u]=%lld", &axis, &extent) != 2)
        throw std::logic_error("a test of a family has the term '" + std::string(term) + "'");
    return (name && list.extent(*name, axis) == extent) != isAbsent;
}

}  // namespace

TensorList::TensorList(std::shared_ptr<const FileWeights> weights, std::string prefix)
    : m_weights(std::move(weights)), m_prefix(std::move(prefix)) {
    for (const WeightFile& file : m_weights->files()) {
        const auto& all = file.entries();
        for (auto it = all.lower_bound(m_prefix); it != all.end() && it->first.starts_with(m_prefix); ++it)
            m_entries.emplace(it->first.substr(m_prefix.size()), &it->second);
    }
}

bool TensorList::hasAny(std::string_view prefix) const {
    const auto it = m_entries.lower_bound(prefix);
    return it != m_entries.end() && it->first.starts_with(prefix);
}

std::optional<std::string> TensorList::find(std::string_view pattern) const {
    const auto star = pattern.find('*');
    if (star == std::string_view::npos) return has(pattern) ? std::optional(std::string(pattern)) : std::nullopt;
    const std::string_view start = pattern.substr(0, star);
    for (auto it = m_entries.lower_bound(start); it != m_entries.end() && it->first.starts_with(start); ++it)
        if (isMatch(pattern, it->first)) return it->first;
    return {};
}

std::int64_t TensorList::extent(std::string_view name, std::size_t axis) const {
    const auto it = m_entries.find(name);
    return it == m_entries.end() || axis >= it->second->extents.size() ? 0 : it->second->extents[axis];
}

std::size_t TensorList::rank(std::string_view name) const {
    const auto it = m_entries.find(name);
    return it == m_entries.end() ? 0 : it->second->extents.size();
}

int TensorList::blocks(std::string_view prefix) const {
    int count = 0;
    for (auto it = m_entries.lower_bound(prefix); it != m_entries.end() && it->first.starts_with(prefix); ++it) {
        int number = 0;
        std::size_t at = prefix.size();
        for (; at < it->first.size() && isDigit(it->first[at]) && number < 10000; ++at)
            number = 10 * number + (it->first[at] - '0');
        if (at > prefix.size() && at < it->first.size() && it->first[at] == '.') count = std::max(count, number + 1);
    }
    return count;
}

bool TensorList::fits(std::string_view test) const {
    std::stringstream terms{std::string(test)};
    for (std::string term; terms >> term;)
        if (!holds(*this, term)) return false;
    return true;
}

std::int64_t TensorList::parameters() const {
    std::int64_t n = 0;
    for (const auto& [name, e] : m_entries) n += e->count;
    return n;
}

std::size_t TensorList::bytes() const {
    std::size_t n = 0;
    for (const auto& [name, e] : m_entries) n += std::size_t(e->bytes);
    return n;
}

}  // namespace meander
