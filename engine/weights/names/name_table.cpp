#include "engine/weights/names/name_table.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace meander {
namespace {

struct Source {
    const char *id, *text;
};
constexpr Source sources[] = {
    {
        "ldm_unet",
#include "engine/weights/names/ldm_unet.inl"
    },
    {
        "ldm_vae",
#include "engine/weights/names/ldm_vae.inl"
    },
    {
        "taesd_encoder",
#include "engine/weights/names/taesd_encoder.inl"
    },
    {
        "taesd_decoder",
#include "engine/weights/names/taesd_decoder.inl"
    },
    {
        "openclip",
#include "engine/weights/names/openclip.inl"
    },
    {
        "flux",
#include "engine/weights/names/flux.inl"
    },
    {
        "flux2",
#include "engine/weights/names/flux2.inl"
    },
    {
        "zimage",
#include "engine/weights/names/zimage.inl"
    },
    {
        "lumina2",
#include "engine/weights/names/lumina2.inl"
    },
    {
        "wan_vae",
#include "engine/weights/names/wan_vae.inl"
    },
    {
        "sana",
#include "engine/weights/names/sana.inl"
    },
    {
        "pixart",
#include "engine/weights/names/pixart.inl"
    },
    {
        "diffusers_dit",
#include "engine/weights/names/diffusers_dit.inl"
    },
    {
        "diffusers_vae",
#include "engine/weights/names/diffusers_vae.inl"
    },
    {
        "sd3",
#include "engine/weights/names/sd3.inl"
    },
};

// The numbers of a pattern by their letters, and what its "*" stands for.
struct Match {
    std::array<long, 26> numbers{};
    std::string rest;
};

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::optional<Match> matched(std::string_view pattern, std::string_view name) {
    Match m;
    while (!pattern.empty()) {
        if (pattern == "*") {
            m.rest = name;
            return m;
        }
        if (pattern.front() == '{') {
            std::size_t digits = 0;
            while (digits < name.size() && digits < 6 && isDigit(name[digits])) ++digits;
            if (digits == 0) return {};
            m.numbers[std::size_t(pattern[1] - 'a')] = std::stol(std::string(name.substr(0, digits)));
            name.remove_prefix(digits);
            pattern.remove_prefix(3);
            continue;
        }
        if (name.empty() || name.front() != pattern.front()) return {};
        name.remove_prefix(1);
        pattern.remove_prefix(1);
    }
    return name.empty() ? std::optional(m) : std::nullopt;
}

// "3b+l+1"
long valueOf(std::string_view expression, const Match& m) {
    long sum = 0;
    while (!expression.empty()) {
        long factor = 1;
        if (expression.front() == '+' || expression.front() == '-') {
            factor = expression.front() == '-' ? -1 : 1;
            expression.remove_prefix(1);
        }
        std::size_t digits = 0;
        while (digits < expression.size() && isDigit(expression[digits])) ++digits;
        if (digits > 0) factor *= std::stol(std::string(expression.substr(0, digits)));
        expression.remove_prefix(digits);
        const bool hasLetter = !expression.empty() && std::islower(static_cast<unsigned char>(expression.front()));
        sum += factor * (hasLetter ? m.numbers[std::size_t(expression.front() - 'a')] : 1);
        if (hasLetter) expression.remove_prefix(1);
    }
    return sum;
}

std::string filled(std::string_view pattern, const Match& m) {
    std::string name;
    while (!pattern.empty()) {
        if (pattern.front() == '{') {
            const std::size_t end = pattern.find('}');
            name += std::to_string(valueOf(pattern.substr(1, end - 1), m));
            pattern.remove_prefix(end + 1);
        } else {
            name += pattern.front() == '*' ? m.rest : std::string(1, pattern.front());
            pattern.remove_prefix(1);
        }
    }
    return name;
}

StoredName parsedStored(const std::string& names, const std::string& operation, const std::string& argument) {
    StoredName s;
    std::stringstream list(names);
    for (std::string part; std::getline(list, part, '&');) s.parts.push_back(part);
    if (operation == "swap") s.operation = StoredName::Swap;
    else if (operation == "transpose") s.operation = StoredName::Transpose;
    else if (operation == "rows" && std::sscanf(argument.c_str(), "%d-%d/%d", &s.first, &s.last, &s.of) == 3)
        s.operation = StoredName::Rows;
    else if (!operation.empty()) throw std::logic_error("a table of names has the operation '" + operation + "'");
    return s;
}

}  // namespace

NameTable::NameTable(std::string_view text) {
    std::stringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::stringstream columns(line);
        std::string name, stored, operation, argument;
        if (!(columns >> name) || name.starts_with('#')) continue;
        if (!(columns >> stored)) throw std::logic_error("a table of names has the row '" + line + "'");
        columns >> operation >> argument;
        m_rows.push_back({name, parsedStored(stored, operation, argument)});
    }
}

NameTable NameTable::before(std::string_view text) const {
    NameTable all(text);
    all.m_rows.insert(all.m_rows.end(), m_rows.begin(), m_rows.end());
    return all;
}

NameTable NameTable::withPrefix(const std::string& prefix) { return NameTable("* " + prefix + "*"); }

const NameTable* NameTable::named(std::string_view id) {
    static const std::vector<NameTable> tables = [] {
        std::vector<NameTable> all;
        for (const auto& s : sources) all.emplace_back(s.text);
        return all;
    }();
    for (std::size_t i = 0; i < std::size(sources); ++i)
        if (id == sources[i].id) return &tables[i];
    return nullptr;
}

std::vector<std::string> NameTable::ids() {
    std::vector<std::string> all;
    for (const auto& s : sources) all.emplace_back(s.id);
    return all;
}

std::vector<StoredName> NameTable::candidates(const std::string& name) const {
    std::vector<StoredName> found;
    for (const auto& row : m_rows) {
        const auto m = matched(row.name, name);
        if (!m) continue;
        StoredName s = row.stored;
        for (auto& part : s.parts) part = filled(part, *m);
        found.push_back(std::move(s));
    }
    return found;
}

}  // namespace meander
