#include "engine/run/recipe_differences.h"

#include <algorithm>

#include "engine/guidance/guidance.h"
#include "engine/run/initial_state.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander {

namespace {

std::string labelOf(const Choice& c, auto find) {
    const auto* info = find(c.id);
    return info ? info->label : c.id;
}

}  // namespace

std::vector<Difference> differences(const Recipe& a, const Recipe& b) {
    std::vector<Difference> list;
    const auto add = [&](const std::string& key, const std::string& label, const std::string& left,
                         const std::string& right) {
        if (left != right) list.push_back({key, label, left, right});
    };
    const auto params = [&](const std::string& key, const std::string& label, const std::vector<ParamSpec>* specs,
                            const Params& l, const Params& r) {
        Params all = l;
        all.insert(r.begin(), r.end());
        for (const auto& [name, ignored] : all) {
            std::string shown = name;
            if (specs)
                for (const auto& s : *specs)
                    if (s.key == name) shown = s.label;
            const auto value = [&](const Params& p) {
                return p.contains(name) ? display(p.at(name)) : std::string("–");
            };
            add(key + "." + name, label + " " + shown, value(l), value(r));
        }
    };
    // Written out or not, a default is no difference: recipes of earlier versions lack parameters that came later.
    const auto written = [](const Choice& c, const Choice& other, auto find) {
        const auto* info = find(c.id);
        const auto all =
            info && c.id == other.id ? resolveParams(info->params, c.params, info->label) : Result<Params>(c.params);
        return all ? *all : c.params;
    };
    const auto choices = [&](const std::string& key, const std::string& label, const Choice& l, const Choice& r,
                             auto find) {
        const auto* info = find(l.id);
        params(key, label, info ? &info->params : nullptr, written(l, r, find), written(r, l, find));
    };
    add("model", "Model", a.model, b.model);
    add("prompt", "Prompt", a.prompt, b.prompt);
    add("negative_prompt", "Negative prompt", a.negativePrompt, b.negativePrompt);
    add("class", "Class", a.classIndex ? std::to_string(*a.classIndex) : "–",
        b.classIndex ? std::to_string(*b.classIndex) : "–");
    add("seed", "Seed", std::to_string(a.seed), std::to_string(b.seed));
    add("images", "Images", std::to_string(a.images), std::to_string(b.images));
    add("steps", "Steps", std::to_string(a.steps), std::to_string(b.steps));
    add("start", "Start", labelOf(a.start, findStart), labelOf(b.start, findStart));
    const auto* start = findStart(a.start.id == "noise" ? b.start.id : a.start.id);
    params("start", "Start", start ? &start->params : nullptr, written(a.start, b.start, findStart),
           written(b.start, a.start, findStart));
    add("sampler", "Sampler", labelOf(a.sampler, findSampler), labelOf(b.sampler, findSampler));
    choices("sampler", "Sampler", a.sampler, b.sampler, findSampler);
    add("schedule", "Schedule", labelOf(a.schedule, findSchedule), labelOf(b.schedule, findSchedule));
    choices("schedule", "Schedule", a.schedule, b.schedule, findSchedule);
    add("noise", "Noise", labelOf(a.noise, findNoise), labelOf(b.noise, findNoise));
    choices("noise", "Noise", a.noise, b.noise, findNoise);
    const auto lists = [&](const std::string& prefix, const std::string& name, const std::vector<Choice>& left,
                           const std::vector<Choice>& right, auto find) {
        for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
            const Choice* l = i < left.size() ? &left[i] : nullptr;
            const Choice* r = i < right.size() ? &right[i] : nullptr;
            const std::string key = prefix + "." + std::to_string(i);
            add(key, name + " " + std::to_string(i + 1), l ? labelOf(*l, find) : "none",
                r ? labelOf(*r, find) : "none");
            const auto* rule = find(l ? l->id : r->id);
            if (l && r) choices(key, name, *l, *r, find);
            else params(key, name, rule ? &rule->params : nullptr, l ? l->params : Params{}, r ? r->params : Params{});
        }
    };
    lists("schedule_operators", "Schedule operator", a.scheduleOperators, b.scheduleOperators, findScheduleOperator);
    lists("guidance", "Guidance", a.guidance, b.guidance, findGuidance);
    add("precision", "Precision", a.precision, b.precision);
    add("device", "Device", a.device, b.device);
    add("attention", "Attention record", nameOf(a.attention), nameOf(b.attention));
    add("record_states", "Record states", a.recordStates ? "yes" : "no", b.recordStates ? "yes" : "no");
    const auto branch = [](const Recipe& r) {
        return r.branch ? r.branch->run.substr(0, 8) + ", step " + std::to_string(r.branch->step) : std::string("–");
    };
    add("branch", "Branches from", branch(a), branch(b));
    return list;
}

}  // namespace meander
