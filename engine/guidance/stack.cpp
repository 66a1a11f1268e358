// The rules of one run: their branches, their cost, and their order.
#include <algorithm>
#include <array>
#include <stdexcept>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/recipe/recipe.h"
#include "engine/sampling/sampling.h"

namespace meander {
namespace {

constexpr std::array<const char*, 6> kindNames = {"cond", "uncond", "prompt", "changed", "model", "degraded"};

// A class of the model by name or number.
int classNamed(const std::string& text, const ModelInfo& model) {
    const auto& names = model.classes;
    if (const auto it = std::find(names.begin(), names.end(), text); it != names.end()) return int(it - names.begin());
    const bool isNumber =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (const int index = isNumber && text.size() < 7 ? std::stoi(text) : -1; index >= 0 && index < int(names.size()))
        return index;
    std::string list;
    for (const auto& n : names) list += (list.empty() ? "" : ", ") + n;
    throw Failure("The model '" + model.name + "' has no class \"" + text + "\". Its classes are: " + list + ".");
}

// Keeps the place of a rule that is switched off.
struct SwitchedOff final : GuidanceRun {
    void apply(const GuidanceMoment&, GuidanceParts&) override {}
};

// Prompts joined by AND: D = D(∅) + Σ wᵢ (D(cᵢ) − D(∅)) is the conditional estimate of the rules (Liu et al. 2022).
class JoinedPrompts final : public GuidanceRun {
public:
    JoinedPrompts(const std::vector<JoinedPrompt>& prompts, GuidanceSetup& setup) {
        for (std::size_t i = 0; i < prompts.size(); ++i)
            m_parts.emplace_back(i == 0 ? Branch(Branch::Conditional) : setup.prompt(prompts[i].text),
                                 prompts[i].weight);
    }
    void ask(const GuidanceMoment&, EvaluationPlan& w) const override {
        w.want(Branch::Unconditional);
        for (const auto& [branch, weight] : m_parts) w.want(branch);
    }
    void apply(const GuidanceMoment&, GuidanceParts& parts) override {
        Tensor sum = parts.of(Branch::Unconditional);
        for (const auto& [branch, weight] : m_parts)
            sum = combine({{1, sum}, {weight, parts.of(branch)}, {-weight, parts.of(Branch::Unconditional)}});
        parts.conditional = parts.combined = sum;
    }

private:
    std::vector<std::pair<Branch, double>> m_parts;
};

}  // namespace

std::string nameOf(Branch b) {
    const std::string kind = kindNames[b.kind];
    return b.kind <= Branch::Unconditional ? kind : kind + " " + std::to_string(b.index);
}

std::optional<Branch> branchNamed(const std::string& name) {
    const auto space = name.find(' ');
    const auto it = std::find(kindNames.begin(), kindNames.end(), name.substr(0, space));
    if (it == kindNames.end()) return {};
    const auto kind = Branch::Kind(it - kindNames.begin());
    if (space == std::string::npos) return kind <= Branch::Unconditional ? std::optional<Branch>(kind) : std::nullopt;
    const std::string digits = name.substr(space + 1);
    if (kind <= Branch::Unconditional || digits.empty() || digits.size() > 6
        || digits.find_first_not_of("0123456789") != std::string::npos)
        return {};
    return Branch(kind, std::stoi(digits));
}

const Tensor* GuidanceParts::find(Branch b) const {
    for (const auto& [branch, tensor] : branches)
        if (branch == b) return &tensor;
    return nullptr;
}

const Tensor& GuidanceParts::of(Branch b) const {
    const Tensor* t = find(b);
    if (!t) throw std::logic_error("the branch '" + nameOf(b) + "' was not evaluated");
    return *t;
}

void GuidanceParts::guide(const Tensor& guided) {
    const bool isUntouched = combined.view().data == conditional.view().data;
    combined = isUntouched ? guided : combine({{1, combined}, {1, guided}, {-1, conditional}});
}

void EvaluationPlan::want(Branch b) {
    if (std::find(branches.begin(), branches.end(), b) == branches.end()) branches.push_back(b);
}

Branch GuidanceSetup::add(Branch::Kind kind, BranchSpec spec) {
    int count = 0;
    for (const auto& [branch, known] : m_specs) {
        if (branch.kind == kind && known.sameQuestion(spec)) return branch;
        count += branch.kind == kind;
    }
    m_specs.emplace_back(Branch(kind, count), std::move(spec));
    return m_specs.back().first;
}

Branch GuidanceSetup::prompt(const std::string& text) {
    if (model.conditioning == ConditioningKind::None)
        throw Failure("The model '" + model.name
                      + "' takes no prompt, so a rule that compares prompts cannot work with it. Choose a model with "
                        "prompts or classes, or remove the rule.");
    BranchSpec s{.label = text, .prompt = {}, .classIndex = {}, .condition = BranchSpec::Condition::Own};
    if (model.conditioning == ConditioningKind::Class) s.classIndex = classNamed(text, model);
    else s.prompt = text;
    return add(Branch::Prompt, std::move(s));
}

Branch GuidanceSetup::empty() {
    if (recipe.negativePrompt.empty()) return Branch::Unconditional;
    return add(Branch::Prompt,
               {.label = "no condition", .prompt = {}, .classIndex = {}, .condition = BranchSpec::Condition::None});
}

Branch GuidanceSetup::recorded(const std::string& run) {
    BranchSpec s{.label = "run " + run.substr(0, 8), .prompt = {}, .classIndex = {}};
    s.condition = BranchSpec::Condition::Own;
    s.run = run;
    return add(Branch::Prompt, std::move(s));
}

Branch GuidanceSetup::withoutImage() {
    return add(Branch::Prompt, {.label = "no image",
                                .prompt = {},
                                .classIndex = {},
                                .condition = BranchSpec::Condition::Negative,
                                .seesImage = false});
}

Branch GuidanceSetup::changed(std::vector<Choice> interventions, std::string label) {
    return add(Branch::Changed,
               {.label = std::move(label), .prompt = {}, .classIndex = {}, .interventions = std::move(interventions)});
}

Branch GuidanceSetup::otherModel(const std::string& id, const std::string& text) {
    auto info = inspectModel(id);
    if (!info) throw Failure(info.error().text);
    if (model.state.image.rank() == 3 && info->state.image.rank() == 3 && info->state.granule > 0)
        *info = resized(std::move(*info), int(model.state.image[0]), int(model.state.image[1]));
    const bool isFlow = info->process.kind() == ProcessKind::RectifiedFlow;
    if (info->state.shape != model.state.shape || info->state.type != model.state.type)
        throw Failure("'" + info->name + "' works on states of " + info->state.shape.text() + ", '" + model.name
                      + "' on " + model.state.shape.text() + ". Only models with the same states can be combined.");
    if (isFlow != (model.process.kind() == ProcessKind::RectifiedFlow))
        throw Failure("'" + info->name + "' and '" + model.name
                      + "' mix signal and noise in different ways (a flow and a diffusion), so their estimates cannot "
                        "be combined.");
    auto known = std::find(m_models.begin(), m_models.end(), id);
    if (known == m_models.end()) known = m_models.insert(m_models.end(), id);
    BranchSpec s{.label = text.empty() ? info->name : info->name + ": " + text, .prompt = {}, .classIndex = {}};
    s.model = int(known - m_models.begin()) + 1;
    if (!text.empty()) {
        s.condition = BranchSpec::Condition::Own;
        if (info->conditioning == ConditioningKind::Class) s.classIndex = classNamed(text, *info);
        else s.prompt = text;
    }
    return add(Branch::OtherModel, std::move(s));
}

Branch GuidanceSetup::degraded(BranchSpec spec) { return add(Branch::Degraded, std::move(spec)); }

void GuidanceSetup::tapSelfAttention(Branch branch, int block) {
    (branch == Branch::Unconditional ? m_unconditional : m_conditional).selfBlock = block;
}

const BranchSpec& GuidanceSetup::spec(Branch b) const {
    if (b == Branch::Conditional) return m_conditional;
    if (b == Branch::Unconditional) return m_unconditional;
    for (const auto& [branch, spec] : m_specs)
        if (branch == b) return spec;
    throw std::logic_error("no rule named the branch '" + nameOf(b) + "'");
}

std::vector<Branch> GuidanceSetup::branches() const {
    std::vector<Branch> all;
    for (const auto& s : m_specs) all.push_back(s.first);
    return all;
}

bool GuidanceSetup::knows(Branch b) const {
    return b.kind <= Branch::Unconditional
           || std::any_of(m_specs.begin(), m_specs.end(), [&](const auto& s) { return s.first == b; });
}

GuidanceStack::GuidanceStack(const Recipe& recipe, const ModelInfo& model)
    : m_recipe(std::make_unique<Recipe>(recipe)), m_model(std::make_unique<ModelInfo>(model)) {
    m_setup = std::make_unique<GuidanceSetup>(*m_model, *m_recipe);
    if (const auto prompts = joinedPrompts(recipe.prompt, promptDialect(recipe.promptDialect));
        model.conditioning == ConditioningKind::Text && isJoined(prompts))
        m_joined = std::make_unique<JoinedPrompts>(prompts, *m_setup);
    for (const auto& g : recipe.guidance) {
        const auto* rule = findGuidance(g.id);
        if (!rule) throw Failure("There is no guidance rule named \"" + g.id + "\".");
        m_rules.push_back(isSwitchedOff(g) ? std::make_unique<SwitchedOff>() : rule->make(g.params, *m_setup));
    }
    const auto* sampler = findSampler(recipe.sampler.id);
    m_usesUnconditional = sampler && sampler->unconditional;
    m_samplerWantsUnconditional = m_usesUnconditional && model.conditioning != ConditioningKind::None;
}
GuidanceStack::GuidanceStack(GuidanceStack&&) noexcept = default;
GuidanceStack::~GuidanceStack() = default;

EvaluationPlan GuidanceStack::firstEvaluations(const GuidanceMoment& m) const {
    EvaluationPlan w;
    w.want(Branch::Conditional);
    if (m_samplerWantsUnconditional) w.want(Branch::Unconditional);
    if (m_joined) m_joined->ask(m, w);
    return w;
}

EvaluationPlan GuidanceStack::evaluationPlan(const GuidanceMoment& m) const {
    EvaluationPlan w = firstEvaluations(m);
    for (const auto& rule : m_rules) rule->ask(m, w);
    return w;
}

EvaluationPlan GuidanceStack::evaluationPlanOf(std::size_t i, const GuidanceMoment& m) const {
    EvaluationPlan w;
    m_rules[i]->ask(m, w);
    return w;
}

int GuidanceStack::rowsAddedBy(std::size_t i, const GuidanceMoment& m) const {
    EvaluationPlan w = firstEvaluations(m);
    for (std::size_t k = 0; k < i; ++k) m_rules[k]->ask(m, w);
    const int before = int(w.branches.size()) + w.dependentCount;
    m_rules[i]->ask(m, w);
    return int(w.branches.size()) + w.dependentCount - before;
}

Tensor GuidanceStack::projectedState(const GuidanceMoment& m) const {
    Tensor y = m.state;
    for (const auto& rule : m_rules) y = rule->projectedState(m, y);
    return y;
}

std::vector<std::pair<Branch, Tensor>> GuidanceStack::dependentEvaluations(const GuidanceMoment& m,
                                                                           const GuidanceParts& parts) const {
    std::vector<std::pair<Branch, Tensor>> all;
    for (const auto& rule : m_rules)
        for (auto& q : rule->dependentEvaluations(m, parts)) all.push_back(std::move(q));
    return all;
}

void GuidanceStack::apply(const GuidanceMoment& m, GuidanceParts& parts, const std::vector<std::int64_t>* recorded) {
    const auto applyRule = [&](GuidanceRun& rule) {
        EvaluationPlan w;
        rule.ask(m, w);
        if (std::all_of(w.branches.begin(), w.branches.end(), [&](Branch b) { return parts.find(b); }))
            rule.apply(m, parts);
    };
    if (m_joined) applyRule(*m_joined);
    for (const auto& rule : m_rules) applyRule(*rule);
    if (m_usesUnconditional && !parts.unconditional) parts.unconditional = parts.conditional;
    if (recorded) parts.ancestors = *recorded;
    if (!parts.ancestors.empty())
        for (const auto& rule : m_rules) rule->select(parts.ancestors);
    m_hasSeen = true;
}

double GuidanceStack::weight(const GuidanceMoment& m) const {
    double w = 1;
    for (const auto& rule : m_rules) w += rule->weight(m) - 1;
    return w;
}

}  // namespace meander
