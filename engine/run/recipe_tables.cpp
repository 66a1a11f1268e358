#include "engine/run/recipe_tables.h"

#include "engine/guidance/guidance.h"
#include "engine/models/adapters.h"
#include "engine/models/declarations.h"
#include "engine/run/initial_state.h"
#include "engine/run/source_image.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander {
namespace {

template <class Info> ChoiceTable tableOf(const char* field, const char* noun, const std::vector<Info>& infos) {
    ChoiceTable table{field, noun, {}};
    for (const Info& info : infos) {
        ChoiceRow row{info.id, info.label, info.summary, {}, {}, &info.params};
        if constexpr (requires { info.source; }) row.source = info.source;
        if constexpr (requires { info.group; }) row.group = info.group;
        if constexpr (std::is_same_v<Info, SamplerInfo>) row.hint = paramHint(info);
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

const ChoiceRow* ChoiceTable::find(const std::string& id) const {
    for (const auto& row : rows)
        if (row.id == id) return &row;
    return nullptr;
}

std::vector<std::string> ChoiceTable::ids() const {
    std::vector<std::string> list;
    for (const auto& row : rows) list.push_back(row.id);
    return list;
}

const ChoiceTable* choiceTable(const std::string& field) {
    static const ChoiceTable tables[] = {
        tableOf("adapters", "adapter", adapters()),
        tableOf("checkpoint", "checkpoint", declarations()),
        tableOf("start", "start", starts()),
        tableOf("source", "source image", sources()),
        tableOf("sampler", "sampler", samplers()),
        tableOf("schedule", "schedule", schedules()),
        tableOf("schedule_operators", "operator on schedules", scheduleOperators()),
        tableOf("noise", "noise source", noiseSources()),
        tableOf("guidance", "guidance rule", guidanceRules()),
    };
    for (const auto& table : tables)
        if (table.field == field) return &table;
    return nullptr;
}

}  // namespace meander
