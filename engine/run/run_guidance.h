// Guidance of one run in progress: the rows that each request still needs, the estimates made, and their combination;
// the same again from a record.
#pragma once
#include <span>
#include <utility>
#include <vector>

#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"
#include "engine/models/model.h"
#include "engine/run/plan.h"
#include "engine/sampling/sampling.h"

namespace meander {

class SharedWork;

// Rows of one branch, for the network.
struct RowGroup {
    Branch branch;
    Tensor state;  // y
    double tau = 0, target = 0;
    ConditioningPtr conditioning;
    std::vector<nn::SiteHookPtr> hooks;  // in the order in which they apply
    std::optional<double> guidance;      // NetworkBatch::guidance
    Model* model = nullptr;
    const ModelInfo* info = nullptr;        // of the model as the run uses it
    std::optional<int> selfBlock;           // whose self-attention is summed
    std::optional<double> networkTau = {};  // DenoiseRequest::networkTau
};
struct GroupAnswer {
    Tensor denoised;
    std::vector<HostTensor> selfMass;  // per row, of tapped branches
    std::vector<std::vector<AttentionMap>> attention;
    // Per row: the share of the network that was reused instead of computed; nothing where nothing may be.
    std::vector<std::optional<double>> saved;
    int rowsInCall = 0;
    double milliseconds = 0;
    bool isShared = false;  // made for equal rows of another run
};

// The evaluations of one request that wait, and those that are made.
struct RequestProgress {
    std::vector<RowGroup> waiting;
    std::vector<RowGroup> readers;  // that wait for those, because interventions in them read from these
    std::vector<std::pair<RowGroup, GroupAnswer>> answers;  // the conditional branch first
    bool isAsked = false, hasFollowed = false;
};

// The moment of a request: everything that plan and request determine. The rest (isFirst, isStepStart, isOwnState, the
// model) is the caller's.
GuidanceMoment momentOf(const Plan& plan, const DenoiseRequest& q, int steps);

class RunGuidance {
public:
    // models: the recipe's, then the further ones of the plan; shared: what the runs of its group know, or null. Throws
    // Failure (conditioning).
    RunGuidance(const Plan& plan, std::vector<Model*> models, SharedWork* shared = nullptr);

    // Of a branch at a step: prompts may change in the course of a run.
    ConditioningPtr conditioning(Branch b, int step);
    // Fills `waiting` the first time.
    void ask(RequestProgress& p, const GuidanceMoment& m);
    // The estimates of everything that waited; names the dependent evaluations. True when the request has all it needs.
    bool take(RequestProgress& p, const GuidanceMoment& m, std::vector<GroupAnswer> answers);
    GuidanceParts combine(const RequestProgress& p, const GuidanceMoment& m);
    // The rules see a recorded evaluation, so that what they gather is as if they had made it.
    GuidanceParts replay(const GuidanceMoment& m, const Evaluation& e, Backend& backend);
    double weight(const GuidanceMoment& m) const { return m_stack.weight(m); }
    bool hasSeen() const { return m_stack.hasSeen(); }
    const std::string& label(Branch b) const { return m_stack.spec(b).label; }

private:
    RowGroup group(Branch b, const Tensor& state, const GuidanceMoment& m, const EvaluationPlan& w);
    GuidanceMoment held(const GuidanceMoment& m) const;
    RowGroup sourceGroup(Branch b, const Tensor& state, const GuidanceMoment& m, const EvaluationPlan& w);
    nn::SiteHookPtr hook(Branch b, const Choice& intervention, const ConditioningPtr& conditioning,
                         std::optional<Branch> source = {});
    nn::SiteHookPtr sourceHook(Branch b, const Choice& intervention, const ConditioningPtr& conditioning);
    std::shared_ptr<SourceRecord> sourceRecord(Branch source, const Choice& intervention);
    InterventionSetup setup(Branch b, const ConditioningPtr& conditioning);

    // A condition with the settings of the run: size of the image, dialect of the text.
    Prompt ofRun(Prompt p) const;
    Prompt promptOf(const BranchSpec& s, ConditioningKind kind) const;

    Recipe m_recipe;
    ModelInfo m_info;
    std::shared_ptr<const SourceImage> m_source;
    std::vector<Model*> m_models;
    SharedWork* m_shared;
    GuidanceStack m_stack;
    int m_steps;
    struct Known {
        Branch branch;
        Prompt prompt;
        ConditioningPtr conditioning;
    };
    std::vector<Known> m_conditionings;
    // Made once per branch: a hook may keep something from one evaluation to the next.
    struct BranchHook {
        Branch branch;
        Choice intervention;
        ConditioningPtr conditioning;  // null: it does not depend on the words
        nn::SiteHookPtr hook;
    };
    std::vector<BranchHook> m_hooks, m_sourceHooks;
    struct SourceOf {
        Branch source;
        Choice intervention;
        std::shared_ptr<SourceRecord> record;
    };
    std::vector<SourceOf> m_sourceRecords;
    std::shared_ptr<const Run> m_sourceRun;
};

}  // namespace meander
