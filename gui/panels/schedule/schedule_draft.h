// The schedule of the draft as levels that can be edited. Edited ones are written into a recipe as its custom schedule
// (engine/recipe/drawn_levels.h), which the command line, files and replay know.
#pragma once
#include <QString>
#include <optional>
#include <vector>

#include "engine/recipe/drawn_levels.h"
#include "gui/document/document.h"

namespace meander::gui {

struct ScheduleDraft {
    std::optional<Process> process;  // of the model as the recipe uses it
    std::optional<int> imageTokens;
    std::vector<double> levels;  // τ, strictly falling; empty: `problem` says why
    QString problem;
    bool isFlow() const { return process && process->kind() == ProcessKind::RectifiedFlow; }
};

ScheduleDraft scheduleDraft(const Document& document);
// Of another schedule on the same model with `intervals` steps; empty where it cannot be.
std::vector<double> presetLevels(const std::string& schedule, const ScheduleDraft& draft, int intervals);

}  // namespace meander::gui
