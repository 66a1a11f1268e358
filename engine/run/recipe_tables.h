// The tables whose rows a recipe's choices name (samplers, schedules, operators, noise sources, starts, guidance
// rules), in one form for whatever goes over the fields of a recipe.
#pragma once
#include <string>
#include <vector>

#include "engine/core/params.h"

namespace meander {

struct ChoiceRow {
    std::string id, label, summary, source, group;
    const std::vector<ParamSpec>* params;
    ParamHint hint = nullptr;
};

struct ChoiceTable {
    std::string field;  // key of the recipe field
    std::string noun;   // "sampler"
    std::vector<ChoiceRow> rows;

    const ChoiceRow* find(const std::string& id) const;
    std::vector<std::string> ids() const;
};

// Null for fields that hold no choice.
const ChoiceTable* choiceTable(const std::string& field);

}  // namespace meander
