#include "engine/exchange/import/peer_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace meander {

void PeerText::add(const std::string& key, const std::string& value, const std::string& written) {
    settings.push_back({key, value, written});
}
void PeerText::leaveOut(const std::string& name, const std::string& value, const std::string& reason) {
    notes.push_back({SettingOrigin::NotUnderstood, name, value, reason});
}

std::optional<double> numberOf(const std::string& s) {
    double v = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
    return error == std::errc() && end == s.data() + s.size() && std::isfinite(v) ? std::optional(v) : std::nullopt;
}

std::string trimmedText(const std::string& s) {
    const auto first = s.find_first_not_of(" \t\r\n"), last = s.find_last_not_of(" \t\r\n");
    return first == std::string::npos ? std::string() : s.substr(first, last - first + 1);
}

std::string lowerText(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return s;
}

}  // namespace meander
