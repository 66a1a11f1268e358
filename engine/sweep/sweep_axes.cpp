// Axes as text.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "engine/core/json.h"
#include "engine/core/params.h"
#include "engine/sweep/sweep.h"

namespace meander {
namespace {

constexpr std::size_t mostValues = 1000, mostBytes = std::size_t(16) << 20;

// At separators that no backslash stands before; the backslash stays.
std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts{""};
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == at)
            parts.back() += text[i], parts.back() += text[++i];
        else if (text[i] == at) parts.emplace_back();
        else parts.back() += text[i];
    }
    return parts;
}

std::string unescaped(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ',' || text[i + 1] == ';')) continue;
        plain += text[i];
    }
    return plain;
}

std::optional<double> number(const std::string& text) {
    double v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(v)) return {};
    return v;
}

// "4:20:4": the values from, to and by; nothing for any other text.
std::optional<std::vector<std::string>> range(const std::string& text) {
    const auto parts = split(text, ':');
    if (parts.size() != 2 && parts.size() != 3) return {};
    const auto from = number(parts[0]), to = number(parts[1]), by = parts.size() == 3 ? number(parts[2]) : 1;
    if (!from || !to || !by) return {};
    const double count = std::floor((*to - *from) / *by + 1e-9);
    if (*by == 0 || !(count >= 0) || count >= double(mostValues))
        throw Failure("The range " + text + " has no end that its step comes to within " + std::to_string(mostValues)
                      + " values. A range is FROM:TO:BY, as 4:20:4.");
    std::vector<std::string> values;
    for (int i = 0; i <= int(count); ++i) {
        std::array<char, 32> rounded{};  // 0.3 and not 0.30000000000000004
        std::snprintf(rounded.data(), rounded.size(), "%.12g", *from + i * *by);
        values.emplace_back(rounded.data());
    }
    return values;
}

std::vector<std::string> linesOf(const std::string& path) {
    auto text = readTextFile(path, mostBytes);
    if (!text) throw Failure(text.error().text);
    std::vector<std::string> lines;
    for (std::string line : split(*text, '\n')) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        if (!line.empty()) lines.push_back(std::move(line));
    }
    if (lines.empty()) throw Failure("'" + path + "' has no line with a value.");
    return lines;
}

}  // namespace

std::vector<std::string> sweepValues(const std::string& text) {
    if (text.size() > 1 && text.front() == '@') return linesOf(text.substr(1));
    std::vector<std::string> values;
    for (const std::string& part : split(text, ',')) {
        if (const auto r = range(part)) values.insert(values.end(), r->begin(), r->end());
        else values.push_back(unescaped(part));
    }
    if (values.size() > mostValues) throw Failure("An axis has at most " + std::to_string(mostValues) + " values.");
    return values;
}

std::string textOfValues(const std::vector<std::string>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) text += ',';
        for (const char c : values[i]) {
            if (c == ',' || c == ';') text += '\\';
            text += c;
        }
    }
    return text;
}

SweepAxis sweepAxis(const std::string& text) {
    SweepAxis axis;
    std::vector<std::vector<std::string>> columns;
    for (const std::string& part : split(text, ';')) {
        const auto equals = part.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Failure("\"" + part + "\" is no axis. Write SETTING=VALUE,VALUE, as guidance.scale=1,2,4.");
        axis.keys.push_back(part.substr(0, equals));
        columns.push_back(sweepValues(part.substr(equals + 1)));
        if (columns.back().size() != columns.front().size())
            throw Failure("Settings that change together need as many values each: " + axis.keys.front() + " has "
                          + std::to_string(columns.front().size()) + ", " + axis.keys.back() + " "
                          + std::to_string(columns.back().size()) + ".");
    }
    for (std::size_t i = 0; i < columns.front().size(); ++i) {
        axis.values.emplace_back();
        for (const auto& column : columns) axis.values.back().push_back(column[i]);
    }
    return axis;
}

}  // namespace meander
