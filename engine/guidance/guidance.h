// Guidance turns one request of a sampler into several network rows (branches) and combines the answers. Rules stack in
// a visible order: each sees the branches and the combination so far. A rule is a row of the table (what forms, command
// line, files and documentation need) and makes an object with its state for every run.
//
// House rule: rules work on x̂0. Branches differ by an affine map from ε, v or the network's own output, so linear
// combinations are the same in every space; where a formula is not linear, the rule has a parameter `space` (spaces.h).
// Combinations add: a rule adds what it would change of the conditional estimate, so CFG and PAG commute.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/params.h"
#include "engine/guidance/branch.h"
#include "engine/process/parametrization.h"
#include "engine/tensor/tensor.h"

namespace meander {

class Model;
struct ModelInfo;
struct Recipe;
class GuidanceSetup;

// The request that is evaluated, or planned.
struct GuidanceMoment {
    const Process& process;
    Parametrization parametrization = Parametrization::X0;
    double sigmaData = 0.5;
    double tau = 0, target = 0;             // now, and where the step ends
    std::optional<double> networkTau = {};  // the network is conditioned on the time of this level instead of τ's
    int step = 0, steps = 1;
    bool isFirst = true;      // the rules have seen nothing yet
    bool isStepStart = true;  // the first request of its interval; later ones are at states that a sampler only tries
    bool isOwnState = true;   // evaluated at the run's own state, not at a copy the sampler moved
    std::uint64_t seed = 0;
    Tensor state;            // y; empty while a plan counts
    Tensor clean = {};       // x0 that the run starts from; empty when it starts from noise
    Model* model = nullptr;  // for images of states; null while a plan counts and in tests

    double signal() const { return process.signal(tau); }
    double sigma() const { return process.sigma(tau); }
};

// One number per image, for display: log-densities, cosines, effective sample size, residuals.
struct Metric {
    std::string name;
    std::vector<double> values;
};

// The answers of the branches and what is made of them.
struct GuidanceParts {
    // The two that combinations extrapolate between. Rules before them may replace these; `branches` keeps the answers
    // as they came.
    Tensor conditional, unconditional;  // unconditional is empty where it was not evaluated
    Tensor combined;                    // starts as the conditional estimate
    std::vector<std::pair<Branch, Tensor>> branches;
    // States of dependent evaluations (GuidanceRun::dependentEvaluations), and self-attention of tapped branches:
    // (rows) of (height, width).
    std::vector<std::pair<Branch, Tensor>> askedAt;
    std::vector<std::pair<Branch, std::vector<HostTensor>>> selfMass;
    std::vector<Metric> metrics;
    // Particle selection: row r goes on as row ancestors[r]; empty: every row as itself.
    std::vector<std::int64_t> ancestors;

    explicit GuidanceParts(Tensor estimate) : conditional(estimate), combined(std::move(estimate)) {}
    GuidanceParts() = default;
    const Tensor* find(Branch b) const;
    const Tensor& of(Branch b) const;  // throws std::logic_error when the branch was not evaluated
    // combined += guided − conditional, without rounding where the combination is still the conditional estimate.
    void guide(const Tensor& guided);
};

// The evaluations of the network at a moment.
struct EvaluationPlan {
    std::vector<Branch> branches;
    // Interventions in rows of the recipe's model, beside those of their branch: in all of them, in those with the
    // recipe's prompt, or in the unconditional ones; and the branch that one reads from, which is evaluated before.
    enum class Rows : std::uint8_t { All, RecipePrompt, Unconditional };
    struct Inside {
        Choice choice;
        Rows rows = Rows::All;
        std::optional<Branch> source = {};
    };
    std::vector<Inside> interventions;
    std::optional<double> guidance;   // the scale that a guidance-distilled network is conditioned on
    bool usesNegativePrompt = false;  // inside an intervention, without a branch of its own
    int dependentCount = 0;           // branches of dependentEvaluations
    void want(Branch b);
};

// A rule in one run. `apply` is called for every request in order, with the branches that `ask` named; under replay
// they come from the record, so state (momentum, log-densities) is right by construction.
class GuidanceRun {
public:
    virtual ~GuidanceRun() = default;
    virtual void ask(const GuidanceMoment&, EvaluationPlan&) const {}
    // States of further evaluations, made from the first estimates.
    virtual std::vector<std::pair<Branch, Tensor>> dependentEvaluations(const GuidanceMoment&,
                                                                        const GuidanceParts&) const {
        return {};
    }
    // The state at which the network is evaluated instead of y, for rules that hold states to a constraint.
    virtual Tensor projectedState(const GuidanceMoment&, const Tensor& y) const { return y; }
    virtual void apply(const GuidanceMoment&, GuidanceParts&) = 0;
    // Rows were selected (GuidanceParts::ancestors): what the rule keeps per row follows.
    virtual void select(const std::vector<std::int64_t>&) {}
    // The weight on (conditional − unconditional) at this moment, for display; 1: none beyond the conditional estimate.
    virtual double weight(const GuidanceMoment&) const { return 1; }
};

// What decides whether a rule does anything: its parameters, the model, and the stack it stands in.
struct GuidanceContext {
    const Params& params;
    const ModelInfo& model;
    const Recipe& recipe;
    std::size_t position = 0;  // in recipe.guidance
};

struct GuidanceRule {
    std::string id, label, group, summary, source;
    std::string cost;  // in words: "one more row while it acts"
    std::vector<ParamSpec> params;
    bool usesUnconditional = false;  // extrapolates from the unconditional estimate
    bool guides = false;             // changes the combination, so that rules after it have something to tame
    bool keepsFeatures = false;      // of the network from one evaluation to the next; no record holds them
    bool reuses = false;  // takes what was computed for something else: its error is that against a run without
    // Throws Failure with a sentence when the rule cannot work with the model or the recipe.
    std::unique_ptr<GuidanceRun> (*make)(const Params&, GuidanceSetup&) = nullptr;
    // A sentence when the rule does nothing at these settings, else empty.
    std::string (*idle)(const GuidanceContext&) = nullptr;
    // A sentence worth knowing at these settings, else empty; null: never.
    std::string (*advice)(const GuidanceContext&) = nullptr;
};

const std::vector<GuidanceRule>& guidanceRules();
const GuidanceRule* findGuidance(const std::string& id);
// Does an enabled rule of the recipe keep features of the network from one evaluation to the next?
bool keepsFeatures(const Recipe& recipe);
// The recipe without its rules that reuse; the same recipe where it has none that is switched on.
Recipe withoutReuse(const Recipe& recipe);

// What a rule is made with: it names its branches here, once per run. Equal conditions share a branch.
class GuidanceSetup {
public:
    GuidanceSetup(const ModelInfo& model, const Recipe& recipe) : model(model), recipe(recipe) {}
    const ModelInfo& model;
    const Recipe& recipe;

    // Text for text models, a class by name or number for class models. Throws Failure for models without conditions.
    Branch prompt(const std::string& text);
    // No condition at all, even where the recipe has a negative prompt.
    Branch empty();
    // What a recorded run had at the same noise level: its states, with its prompt.
    Branch recorded(const std::string& run);
    // As the unconditional branch, without the source image too.
    Branch withoutImage();
    // The recipe's condition, with interventions inside the network.
    Branch changed(std::vector<Choice> interventions, std::string label);
    // The recipe's condition, or `text` unless it is empty, seen by another model. Throws Failure when its states are
    // others.
    Branch otherModel(const std::string& id, const std::string& text = {});
    Branch degraded(BranchSpec spec);
    // Sums the self-attention of `block` in `branch` (the conditional or unconditional one).
    void tapSelfAttention(Branch branch, int block);

    const BranchSpec& spec(Branch b) const;
    bool knows(Branch b) const;
    std::vector<Branch> branches() const;  // all that were named, beside the conditional and unconditional ones
    const std::vector<std::string>& models() const { return m_models; }  // further ones, by index − 1

private:
    Branch add(Branch::Kind kind, BranchSpec spec);
    std::vector<std::pair<Branch, BranchSpec>> m_specs;
    std::vector<std::string> m_models;
    BranchSpec m_conditional{.label = "conditional"},
        m_unconditional{.label = "unconditional", .condition = BranchSpec::Condition::Negative};
};

// All rules of one run.
class GuidanceStack {
public:
    // Throws Failure. `recipe` is resolved.
    GuidanceStack(const Recipe& recipe, const ModelInfo& model);
    GuidanceStack(GuidanceStack&&) noexcept;
    ~GuidanceStack();

    // Everything the request costs at this moment: first the conditional branch, then those of sampler and rules.
    EvaluationPlan evaluationPlan(const GuidanceMoment& m) const;
    // What rule `i` alone evaluates and changes.
    EvaluationPlan evaluationPlanOf(std::size_t i, const GuidanceMoment& m) const;
    // The rows that rule `i` adds to those before it.
    int rowsAddedBy(std::size_t i, const GuidanceMoment& m) const;
    Tensor projectedState(const GuidanceMoment& m) const;
    std::vector<std::pair<Branch, Tensor>> dependentEvaluations(const GuidanceMoment& m,
                                                                const GuidanceParts& parts) const;
    // Applies the rules in order. Rules whose branches are not all there are left out (a record of another stack).
    // Where the sampler uses the unconditional estimate of a model without a condition, it is the conditional one.
    // `recorded`: the selection in a record, in place of the rules' own.
    void apply(const GuidanceMoment& m, GuidanceParts& parts, const std::vector<std::int64_t>* recorded = nullptr);
    double weight(const GuidanceMoment& m) const;
    // Has it applied anything yet?
    bool hasSeen() const { return m_hasSeen; }
    const BranchSpec& spec(Branch b) const { return m_setup->spec(b); }
    bool knows(Branch b) const { return m_setup->knows(b); }
    std::vector<Branch> branches() const { return m_setup->branches(); }
    const std::vector<std::string>& models() const { return m_setup->models(); }

private:
    std::unique_ptr<GuidanceSetup> m_setup;
    std::unique_ptr<Recipe> m_recipe;  // what the set-up refers to
    std::unique_ptr<ModelInfo> m_model;
    std::unique_ptr<GuidanceRun> m_joined;  // prompts joined by AND, before the rules; null: there is one prompt
    std::vector<std::unique_ptr<GuidanceRun>> m_rules;
    EvaluationPlan firstEvaluations(const GuidanceMoment& m) const;  // of sampler and prompts, before the rules
    bool m_usesUnconditional = false;                                // the sampler, inside its step
    bool m_samplerWantsUnconditional = false, m_hasSeen = false;
};

}  // namespace meander
