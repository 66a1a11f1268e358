// meander-run list: the tables of samplers, schedules, guidance rules and built-in models.
#include <iostream>

#include "engine/cli/command.h"
#include "engine/guidance/guidance.h"
#include "engine/models/model.h"
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
        if (s.kind == ParamKind::Integer || s.kind == ParamKind::Real) p["minimum"] = s.minimum, p["maximum"] = s.maximum;
        if (!s.unit.empty()) p["unit"] = s.unit;
        for (const auto& c : s.choices) p["choices"].push_back(c.id);
        list.push_back(std::move(p));
    }
    return list;
}

void row(const Options& o, const auto& info, Json extra = Json::object()) {
    if (o.isJson) {
        Json j = {{"id", info.id}, {"label", info.label}, {"summary", info.summary}, {"source", info.source}, {"params", toJson(info.params)}};
        j.update(extra);
        printLine(j);
        return;
    }
    std::cout << info.id << std::string(info.id.size() < 18 ? 18 - info.id.size() : 1, ' ') << info.summary << '\n';
    for (const auto& s : info.params) std::cout << "    " << s.key << " = " << display(s.defaultValue) << (s.unit.empty() ? "" : " " + s.unit) << "  " << s.help << '\n';
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
        for (const auto& s : samplers()) row(o, s, {{"group", s.group}, {"order", s.order}, {"stochastic", s.stochastic}, {"few_step", s.fewStep}});
    else if (o.what == "schedules")
        for (const auto& s : schedules()) row(o, s);
    else if (o.what == "guidance")
        listGuidance(o);
    else if (o.what == "models")
        for (const auto& m : builtInModels()) {
            if (o.isJson)
                printLine({{"id", m.id}, {"name", m.name}, {"summary", m.summary}});
            else
                std::cout << m.id << std::string(m.id.size() < 36 ? 36 - m.id.size() : 1, ' ') << m.summary << '\n';
        }
    else
        throw Failure("There is no table \"" + o.what + "\"." + didYouMean(o.what, {"samplers", "schedules", "guidance", "models"}));
    return 0;
}

}  // namespace

void addList(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("list", "List samplers, schedules, guidance rules or built-in models with their parameters");
    c->add_option("what", o->what, "samplers, schedules, guidance or models")->required();
    c->add_flag("--json", o->isJson, "As JSON, one object a line");
    c->callback([o, &context] { context.chosen = [o] { return list(*o); }; });
}

}  // namespace meander::cli
