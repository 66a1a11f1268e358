#include "engine/models/recommendation.h"

#include <algorithm>
#include <cctype>
#include <regex>

#include "engine/models/checkpoint.h"

namespace meander {
namespace {

// Visits the levels that kind and process were trained at.
Json scheduleFor(const ModelInfo& info) {
    const bool isFewStep = checkpointRule(info.distillation).usualSteps <= 8;
    switch (info.process.kind()) {
    case ProcessKind::RectifiedFlow: return {{"id", "uniform_t"}};
    case ProcessKind::VarianceExploding: return {{"id", "karras"}};
    case ProcessKind::VariancePreserving: break;
    }
    if (!isFewStep) return {{"id", "karras"}};
    // LCM and TCD are distilled on 50 of the teacher's steps, the others see whole trajectories.
    const bool isSubset = info.distillation == Distillation::Lcm || info.distillation == Distillation::Trajectory;
    return {{"id", "model_steps"}, {"params", {{"spacing", isSubset ? "lcm" : "trailing"}}}};
}

// In names of files and titles: whole words, the more particular first.
struct DistilledName {
    const char *pattern, *word;
    Distillation kind;
    int steps;
    bool isAncestral;  // of the ordinary solvers: noise at each step
};
const DistilledName distilledNames[] = {
    {"lightning", "Lightning", Distillation::None, 4, false},
    {"turbo", "Turbo", Distillation::None, 4, true},
    {"schnell", "schnell", Distillation::None, 4, false},
    {"hyper[-_ ]?sd[a-z0-9.]*", "Hyper-SD", Distillation::Trajectory, 4, false},
    {"dmd2?", "DMD", Distillation::DistributionMatching, 4, false},
    {"pcm", "PCM", Distillation::Phased, 4, false},
    {"tcd", "TCD", Distillation::Trajectory, 4, false},
    {"lcm|latent[-_ ]?consistency[a-z]*", "LCM", Distillation::Lcm, 4, false},
    {"s?rcm|scm|sana[-_ ]sprint", "sCM", Distillation::ContinuousConsistency, 2, false},
    {"shortcut", "shortcut", Distillation::Shortcut, 4, false},
    {"perflow|instaflow|2-?rectified[-_ ]flow|rectified[-_ ]diffusion", "rectified", Distillation::Reflow, 4, false},
    {"pfgm(pp|\\+\\+)?", "PFGM++", Distillation::Poisson, 20, false},
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return text;
}

// "4-step", "8 steps".
std::optional<int> stepsIn(const std::string& title) {
    static const std::regex steps(R"((?:^|[^0-9])([0-9]{1,2})[-_ ]?steps?(?![a-z]))");
    std::smatch found;
    if (!std::regex_search(title, found, steps)) return {};
    return std::clamp(std::stoi(found[1]), 1, 50);
}

Json settingsOf(const DistilledName& d, const std::string& title, bool isFlow) {
    Json r = {{"guidance", 1}, {"steps", stepsIn(title).value_or(d.steps)}};
    if (d.kind != Distillation::None) {
        if (!stepsIn(title)) r.erase("steps");
        return r;
    }
    r["sampler"] = {{"id", d.isAncestral && !isFlow ? "euler_ancestral" : "euler"}};
    if (!isFlow) r["schedule"] = {{"id", "model_steps"}, {"params", {{"spacing", "trailing"}}}};
    return r;
}

}  // namespace

Json generalRecommendation(const ModelInfo& info) {
    const bool isFlow = info.process.kind() == ProcessKind::RectifiedFlow;
    const CheckpointRule& rule = checkpointRule(info.distillation);
    const std::string usual = isFlow ? "euler" : "dpmpp_2m";
    const bool takesScale = !rule.holdsGuidance && !info.builtInGuidance && !info.takesGuidance
                            && info.conditioning != ConditioningKind::None;
    const double scale = info.conditioning == ConditioningKind::Class ? 2 : isFlow ? 4.5 : 7.5;
    Json r;
    r["sampler"] = {{"id", *rule.sampler ? rule.sampler : usual}};
    r["schedule"] = scheduleFor(info);
    r["steps"] = rule.usualSteps;
    r["guidance"] = Json::array();
    r["images"] = info.state.isImage() ? 1 : 512;
    if (takesScale && info.imageCondition == ImageCondition::Editing)
        r["guidance"].push_back({{"id", "dual"}, {"params", {{"scale", 7.5}, {"middle_scale", 1.5}}}});
    else if (takesScale) r["guidance"].push_back({{"id", "cfg"}, {"params", {{"scale", scale}}}});
    return r;
}

std::optional<NamedDistillation> distillationNamed(const std::string& title, bool isFlow) {
    static const std::vector<std::regex> patterns = [] {
        std::vector<std::regex> all;
        for (const DistilledName& d : distilledNames)
            all.emplace_back("(^|[^a-z0-9])(" + std::string(d.pattern) + ")($|[^a-z0-9])");
        return all;
    }();
    const std::string text = lower(title);
    for (const DistilledName& d : distilledNames) {
        if (!std::regex_search(text, patterns[std::size_t(&d - std::begin(distilledNames))])) continue;
        return NamedDistillation{d.word, d.kind, settingsOf(d, text, isFlow), d.kind == Distillation::None};
    }
    return {};
}

}  // namespace meander
