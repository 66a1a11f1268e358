#include "engine/exchange/import/comfy_sigmas.h"

#include <charconv>
#include <cmath>

#include "engine/exchange/import/peer_text.h"
#include "engine/recipe/peer_names.h"
#include "engine/schedule/schedule.h"

namespace meander {
namespace {

constexpr int deepest = 32, mostSteps = 10000;

// A node that makes levels, and what its inputs are called here.
struct Row {
    const char *node, *schedule;
    std::vector<std::pair<const char*, const char*>> params;  // theirs, ours
    std::vector<std::pair<const char*, const char*>> fixed = {};
};
const Row rows[] = {
    {"KarrasScheduler", "karras", {{"sigma_max", "max"}, {"sigma_min", "min"}, {"rho", "rho"}}},
    {"ExponentialScheduler", "exponential", {{"sigma_max", "max"}, {"sigma_min", "min"}}},
    {"PolyexponentialScheduler", "polyexponential", {{"sigma_max", "max"}, {"sigma_min", "min"}, {"rho", "rho"}}},
    {"LaplaceScheduler", "laplace", {{"sigma_max", "max"}, {"sigma_min", "min"}, {"mu", "mu"}, {"beta", "beta"}}},
    {"SDTurboScheduler", "sd_turbo", {}},
    {"BetaSamplingScheduler", "beta", {{"alpha", "alpha"}, {"beta", "beta"}}},
    {"VPScheduler", "vp", {{"beta_d", "beta_d"}, {"beta_min", "beta_min"}, {"eps_s", "eps_s"}}},
    {"AlignYourStepsScheduler", "ays", {{"model_type", "table"}}},
    {"GITSScheduler", "gits", {{"coeff", "coefficient"}}},
    {"OptimalStepsScheduler", "optimal_steps", {{"model_type", "table"}}},
    {"LTXVScheduler",
     "ltx2",
     {{"max_shift", "max_shift"}, {"base_shift", "base_shift"}, {"stretch", "stretch"}, {"terminal", "terminal"}}},
    {"Flux2Scheduler", "flux2", {}},
};

void set(ComfySigmas& s, const std::string& key, std::string value, const std::string& written) {
    for (const ParamSpec& spec : findSchedule(s.schedule.id)->params) {
        if (spec.key != key) continue;
        for (const ParamChoice& c : spec.choices)  // "SDXL" and "sdxl"
            if (std::equal(c.id.begin(), c.id.end(), value.begin(), value.end(), [](char a, char b) {
                    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
                }))
                value = c.id;
        const auto parsed = parseParam(spec, value);
        if (parsed && resolveParams({spec}, {{key, *parsed}}, s.schedule.id).ok()) {
            s.schedule.params[key] = *parsed;
            return;
        }
    }
    s.notes.push_back({SettingOrigin::NotUnderstood, written, value, {}});
}

// "denoise" below 1: a longer schedule, whose last steps are taken.
bool readSteps(ComfySigmas& s, const ComfyNode& node, const ComfyGraph& graph) {
    const auto steps = numberOf(graph.text(node, "steps"));
    if (!steps || *steps < 1 || *steps > mostSteps || *steps != std::floor(*steps)) return false;
    s.steps = int(*steps);
    const double denoise = numberOf(graph.text(node, "denoise")).value_or(1);
    if (denoise > 0 && denoise < 1) {
        const int whole = int(s.steps / denoise);
        if (whole > mostSteps) return false;
        s.operators.push_back({"split", {{"step", std::int64_t(whole - s.steps)}, {"part", std::string("low")}}});
        s.description += ", denoise " + graph.text(node, "denoise");
        s.steps = whole;
    }
    return true;
}

std::optional<ComfySigmas> manual(const ComfyNode& node, const ComfyGraph& graph) {
    std::vector<double> levels;
    const std::string list = graph.text(node, "sigmas");
    for (std::size_t at = 0; at < list.size();) {
        const auto from = list.find_first_of("0123456789.", at);
        if (from == list.npos) break;
        auto end = list.find_first_not_of("0123456789.eE+-", from);
        if (end == list.npos) end = list.size();
        const auto v = numberOf(list.substr(from, end - from));
        if (!v || levels.size() > std::size_t(mostSteps)) return {};
        levels.push_back(*v);
        at = end;
    }
    if (levels.size() < 2) return {};
    ComfySigmas s;
    s.steps = int(levels.size()) - (levels.back() == 0 ? 1 : 0);
    s.description = "ManualSigmas: " + list;
    s.schedule = {"custom", {{"values", std::move(levels)}, {"unit", std::string("sigma")}}};
    return s;
}

// Intervals that the operators so far leave.
int stepsOf(const ComfySigmas& s) {
    int steps = s.steps;
    for (const Choice& o : s.operators)
        if (o.id == "split") {
            const int at = int(integer(o.params, "step"));
            steps = text(o.params, "part") == "high" ? at : steps - at;
        }
    return steps;
}

std::optional<ComfySigmas> changed(const ComfyGraph& graph, const ComfyGraph::Source& from, int depth);

std::optional<ComfySigmas> made(const ComfyNode& n, const ComfyGraph& graph) {
    if (n.type == "BasicScheduler") return comfySchedule(n, graph);
    if (n.type == "ManualSigmas") return manual(n, graph);
    for (const Row& r : rows) {
        if (n.type != r.node) continue;
        ComfySigmas s;
        s.schedule = {r.schedule, {}};
        s.description = n.type;
        if (!readSteps(s, n, graph)) return {};
        for (const auto& [theirs, ours] : r.params)
            if (const std::string v = graph.text(n, theirs); !v.empty()) set(s, ours, v, n.type + "." + theirs);
        if (n.type == "Flux2Scheduler") {
            const auto w = numberOf(graph.text(n, "width")), h = numberOf(graph.text(n, "height"));
            if (w && h) set(s, "tokens", std::to_string(int(*w / 16) * int(*h / 16)), n.type + ".width");
            else s.notes.push_back({SettingOrigin::NotUnderstood, n.type + ".width", {}, "another node computes it"});
        }
        s.description += ", " + std::to_string(stepsOf(s)) + " steps";
        return s;
    }
    return {};
}

std::optional<ComfySigmas> changed(const ComfyGraph& graph, const ComfyGraph::Source& from, int depth) {
    if (!from || depth > deepest) return {};
    const ComfyNode& n = *from.node;
    std::optional<ComfySigmas> s = made(n, graph);
    if (!s) {
        s = changed(graph, graph.source(n, "sigmas"), depth + 1);
        if (!s) return {};
        const char* part = from.slot == 0 ? "high" : "low";
        if (n.type == "SplitSigmas") {
            const auto step = numberOf(graph.text(n, "step"));
            if (!step || *step < 0 || *step > mostSteps) return {};
            s->operators.push_back({"split", {{"step", std::int64_t(*step)}, {"part", std::string(part)}}});
        } else if (n.type == "SplitSigmasDenoise") {
            const double denoise = numberOf(graph.text(n, "denoise")).value_or(1);
            const int steps = stepsOf(*s);
            s->operators.push_back(
                {"split", {{"step", std::int64_t(steps - std::lround(steps * denoise))}, {"part", std::string(part)}}});
        } else if (n.type == "FlipSigmas") {
            s->operators.push_back({"reverse", {}});
        } else if (n.type == "SetFirstSigma") {
            const auto level = numberOf(graph.text(n, "sigma"));
            if (!level) return {};
            s->operators.push_back({"first", {{"level", *level}}});
        } else {
            s->notes.push_back({SettingOrigin::NotUnderstood, "Sigmas", n.type + " (node " + n.id + ")", {}});
        }
    }
    s->visited.insert(n.id);
    return s;
}

}  // namespace

std::optional<ComfySigmas> comfySchedule(const ComfyNode& n, const ComfyGraph& graph) {
    const std::string name = graph.text(n, "scheduler");
    auto schedule = scheduleNamed(name, Peer::ComfyUi);
    if (!schedule) return {};
    ComfySigmas s;
    s.schedule = std::move(*schedule);
    s.description = n.type + ": " + name;
    if (!readSteps(s, n, graph)) return {};
    s.description += ", " + std::to_string(stepsOf(s)) + " steps";
    return s;
}

std::optional<ComfySigmas> comfySigmas(const ComfyGraph& graph, const ComfyGraph::Source& from) {
    return changed(graph, from, 0);
}

}  // namespace meander
