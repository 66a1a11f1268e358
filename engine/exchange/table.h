// Tables as CSV (RFC 4180): numbers with all their digits and a point whatever the locale, NaN as an empty cell.
#pragma once
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace meander {

class Table {
public:
    explicit Table(std::vector<std::string> columns) : m_rows{std::move(columns)} {}
    void add(std::vector<std::string> row) { m_rows.push_back(std::move(row)); }
    std::string csv() const;
    Status write(const std::string& path) const;

private:
    std::vector<std::vector<std::string>> m_rows;
};

// Shortest text that reads back to the same number; "" for NaN, "inf", "-inf".
std::string numberText(double v);

}  // namespace meander
