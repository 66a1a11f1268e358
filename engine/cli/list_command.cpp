// meander-run list: the tables of samplers, schedules, operators on schedules, noise sources, guidance rules and
// built-in models.
#include <iostream>

#include "engine/cli/command.h"
#include "engine/guidance/guidance.h"
#include "engine/models/checkpoint.h"
#include "engine/models/model.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander::cli {
namespace {

struct Options {
    std::string what;
    bool isJson = false;
};

Json toJson(const std::vector<ParamSpec>& specs) {
    Json list = Json::array();
    for (const auto& s : specs) {
        Json p = {{"key", s.key}, {"label", s.label}, {"default", meander::toJson(s.defaultValue)}, {"help", s.help}};
        if (s.kind == ParamKind::Integer || isReal(s.kind)) p["minimum"] = s.minimum, p["maximum"] = s.maximum;
        if (!s.unit.empty()) p["unit"] = unitText(s);
        if (s.optional) p["optional"] = true;
        for (const auto& c : s.choices) p["choices"].push_back(c.id);
        list.push_back(std::move(p));
    }
    return list;
}

// "7, 1 … 100", "comfyui, one of comfyui, a1111", "optional, 1e-06 … 100000 σ"
std::string valuesText(const ParamSpec& s) {
    std::string t = s.optional ? "optional" : display(s.defaultValue).empty() ? "empty" : display(s.defaultValue);
    if (s.kind == ParamKind::Integer || isReal(s.kind) || s.kind == ParamKind::List)
        t += ", " + display(s.minimum) + " … " + display(s.maximum);
    for (std::size_t i = 0; i < s.choices.size(); ++i) t += (i ? ", " : ", one of ") + s.choices[i].id;
    return t + (s.unit.empty() ? "" : " " + unitText(s));
}

void row(const Options& o, const auto& info, Json extra = Json::object()) {
    if (o.isJson) {
        Json j = {{"id", info.id},
                  {"label", info.label},
                  {"summary", info.summary},
                  {"source", info.source},
                  {"params", toJson(info.params)}};
        j.update(extra);
        printLine(j);
        return;
    }
    std::cout << info.id << std::string(info.id.size() < 18 ? 18 - info.id.size() : 1, ' ') << info.label << ": "
              << info.summary << '\n';
    if (!info.source.empty()) std::cout << "    (" << info.source << ")\n";
    for (const auto& s : info.params) std::cout << "    " << s.key << " = " << valuesText(s) << "  " << s.help << '\n';
}

// With a heading per group.
void table(const Options& o, const auto& rows) {
    std::string group;
    for (const auto& r : rows) {
        if (!o.isJson && r.group != group) std::cout << (group.empty() ? "" : "\n") << "# " << r.group << '\n';
        group = r.group;
        row(o, r, {{"group", r.group}});
    }
}

// Under headings, with what each rule costs.
void listGuidance(const Options& o) {
    std::string group;
    for (const auto& g : guidanceRules()) {
        if (!o.isJson && g.group != group) std::cout << (group.empty() ? "" : "\n") << g.group << '\n';
        group = g.group;
        row(o, g, {{"group", g.group}, {"cost", g.cost}});
        if (!o.isJson) std::cout << "    costs " << g.cost << '\n';
    }
}

int list(const Options& o) {
    if (o.what == "samplers")
        for (const auto& s : samplers()) {
            Json kinds = Json::array();
            for (const auto d : s.madeFor) kinds.push_back(checkpointRule(d).key);
            row(o, s,
                {{"group", s.group},
                 {"order", s.order},
                 {"stochastic", s.stochastic},
                 {"inverts", s.inverts},
                 {"made_for", std::move(kinds)}});
        }
    else if (o.what == "schedules") table(o, schedules());
    else if (o.what == "operators")
        for (const auto& s : scheduleOperators()) row(o, s);
    else if (o.what == "noise")
        for (const auto& n : noiseSources()) row(o, n);
    else if (o.what == "guidance") listGuidance(o);
    else if (o.what == "models")
        for (const auto& m : builtInModels()) {
            if (o.isJson) printLine({{"id", m.id}, {"name", m.name}, {"summary", m.summary}});
            else std::cout << m.id << std::string(m.id.size() < 36 ? 36 - m.id.size() : 1, ' ') << m.summary << '\n';
        }
    else noSuch("table", o.what, {"samplers", "schedules", "operators", "noise", "guidance", "models"});
    return 0;
}

}  // namespace

void addList(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("list", "List samplers, schedules, operators on schedules, noise sources, guidance "
                                         "rules or built-in models with their parameters");
    c->add_option("what", o->what, "samplers, schedules, operators (on schedules), noise, guidance or models")
        ->required();
    c->add_flag("--json", o->isJson, "As JSON, one object a line");
    c->callback([o, &context] { context.chosen = [o] { return list(*o); }; });
}

}  // namespace meander::cli
