// Numbers, times and sizes as text, the same in every panel.
#pragma once
#include <QString>
#include <cstdint>
#include <string>

namespace meander::gui {

QString qstr(const std::string& s);
QString secondsText(double seconds);           // "0.91 s", "2 min 5 s"
QString bytesText(std::size_t bytes);          // "212 MB"
QString evaluationsText(int n);                // "1 evaluation", "16 evaluations"
QString countText(std::int64_t n);             // "1.6 M"
QString numberText(double v, int digits = 3);  // shortest of fixed and scientific

}  // namespace meander::gui
