// The documentation pages that are made from the program's own tables: samplers, schedules, guidance rules, noise
// sources.
#pragma once
#include <string>
#include <vector>

namespace meander::cli {

struct HelpPage {
    std::string file;  // "samplers.md"
    std::string text;  // Markdown
};
std::vector<HelpPage> helpTables();

}  // namespace meander::cli
