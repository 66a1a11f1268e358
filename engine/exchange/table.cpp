#include "engine/exchange/table.h"

#include <charconv>
#include <cmath>

#include "engine/core/durable_file.h"

namespace meander {

std::string numberText(double v) {
    if (std::isnan(v)) return {};
    if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, v).ptr;
    return {text, end};
}

std::string Table::csv() const {
    std::string out;
    for (const auto& row : m_rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i > 0) out += ',';
            if (row[i].find_first_of(",\"\r\n") == std::string::npos) {
                out += row[i];
                continue;
            }
            out += '"';
            for (const char c : row[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
            out += '"';
        }
        out += "\r\n";
    }
    return out;
}

Status Table::write(const std::string& path) const { return writeWholeFile(path, csv()); }

}  // namespace meander
