#include "engine/run/run_guidance.h"

#include <algorithm>
#include <cmath>

#include "engine/interventions/source_record.h"
#include "engine/run/shared_work.h"
#include "engine/run/trajectory.h"

namespace meander {

GuidanceMoment momentOf(const Plan& plan, const DenoiseRequest& q, int steps) {
    return {.process = plan.model.process,
            .parametrization = plan.model.parametrization,
            .sigmaData = plan.model.sigmaData,
            .tau = q.tau,
            .target = q.target,
            .networkTau = q.networkTau,
            .step = q.step,
            .steps = steps,
            .seed = plan.resolved.seed,
            .state = q.x};
}

RunGuidance::RunGuidance(const Plan& plan, std::vector<Model*> models, SharedWork* shared)
    : m_recipe(plan.resolved),
      m_info(plan.model),
      m_source(plan.source),
      m_models(std::move(models)),
      m_shared(shared),
      m_stack(plan.resolved, plan.model),
      m_steps(plan.intervals()),
      m_sourceRun(plan.sourceRun) {
    // Now, so that a prompt the model refuses fails before the run starts.
    for (int step = 0; step < std::max(m_steps, 1); ++step) {
        conditioning(Branch::Conditional, step);
        conditioning(Branch::Unconditional, step);
        for (const Branch b : m_stack.branches()) conditioning(b, step);
    }
}

Prompt RunGuidance::ofRun(Prompt p) const {
    if (const Shape& image = m_info.state.image; image.rank() == 3) p.height = int(image[0]), p.width = int(image[1]);
    p.dialect = promptDialect(m_recipe.promptDialect);
    p.clipSkip = m_recipe.clipSkip;
    return p;
}

Prompt RunGuidance::promptOf(const BranchSpec& s, ConditioningKind kind) const {
    const Recipe& r = m_recipe;
    const auto dialect = promptDialect(r.promptDialect);
    switch (s.condition) {
    case BranchSpec::Condition::Recipe:
        return {joinedPrompts(r.prompt, dialect).front().text, r.classIndex,
                kind == ConditioningKind::Class && !r.classIndex};
    case BranchSpec::Condition::Negative: return {r.negativePrompt, {}, r.negativePrompt.empty(), true};
    case BranchSpec::Condition::None: return {{}, {}, true};
    case BranchSpec::Condition::Own: break;
    }
    if (!s.run.empty()) {
        const Recipe& source = m_sourceRun->recipe;
        return {source.prompt, source.classIndex, kind == ConditioningKind::Class && !source.classIndex};
    }
    return {s.prompt, s.classIndex, false};
}

ConditioningPtr RunGuidance::conditioning(Branch b, int step) {
    const BranchSpec& s = m_stack.spec(b);
    Model& model = *m_models[std::size_t(s.model)];
    const ConditioningKind kind = model.info().conditioning;
    if (kind == ConditioningKind::None) return nullptr;
    Prompt p = ofRun(promptOf(s, kind));
    if (s.seesImage && model.info().imageCondition == m_info.imageCondition) p.source = m_source;
    p.text = promptAt(p.text, p.dialect, step, m_steps);
    for (const Known& k : m_conditionings)
        if (k.branch == b && k.prompt == p) return k.conditioning;
    m_conditionings.push_back({b, p, m_shared ? m_shared->condition(model, p) : model.condition(p)});
    return m_conditionings.back().conditioning;
}

RowGroup RunGuidance::group(Branch b, const Tensor& state, const GuidanceMoment& m, const EvaluationPlan& w) {
    const BranchSpec& s = m_stack.spec(b);
    RowGroup g{b, state, m.tau, m.target, conditioning(b, m.step)};
    g.model = m_models[std::size_t(s.model)];
    g.info = s.model == 0 ? &m_info : &g.model->info();
    g.selfBlock = s.selfBlock;
    g.networkTau = m.networkTau;
    for (const Choice& c : s.interventions) g.hooks.push_back(hook(b, c, g.conditioning));
    if (s.model != 0) return g;
    g.guidance = w.guidance;
    for (const auto& [c, rows, source] : w.interventions) {
        const bool isIn =
            rows == EvaluationPlan::Rows::All
            || (rows == EvaluationPlan::Rows::Unconditional && b == Branch::Unconditional)
            || (rows == EvaluationPlan::Rows::RecipePrompt && s.condition == BranchSpec::Condition::Recipe);
        if (!isIn) continue;
        const nn::SiteHookPtr h = hook(b, c, g.conditioning, source);
        // One with a memory sees an evaluation once, also where a rule stands twice.
        const bool isThere = std::find(g.hooks.begin(), g.hooks.end(), h) != g.hooks.end();
        if (h->description || !isThere) g.hooks.push_back(h);
    }
    return g;
}

// Of a recorded run the evaluation nearest in noise level, at its own level.
RowGroup RunGuidance::sourceGroup(Branch b, const Tensor& state, const GuidanceMoment& m, const EvaluationPlan& w) {
    RowGroup g = group(b, state, m, w);
    if (!m_stack.spec(b).run.empty()) {
        const auto& all = m_sourceRun->trajectory->evaluations;
        const auto distance = [&](const Evaluation& e) { return std::abs(e.tau - m.tau); };
        const Evaluation* nearest = all.front().get();
        for (const auto& e : all)
            if (distance(*e) < distance(*nearest)) nearest = e.get();
        const Tensor one = upload(state.backend(), nearest->state).converted(state.type());
        const std::vector<Tensor> copies(std::size_t(state.rows() / one.rows()), one);
        g.state = stackRows(copies);
        g.tau = nearest->tau;
        g.networkTau.reset();
    }
    for (const auto& inside : w.interventions)
        if (inside.source == b) g.hooks.push_back(sourceHook(b, inside.choice, g.conditioning));
    return g;
}

InterventionSetup RunGuidance::setup(Branch b, const ConditioningPtr& conditioning) {
    Model& model = *m_models[std::size_t(m_stack.spec(b).model)];
    return {m_stack.spec(b).model == 0 ? m_info : model.info(),
            [this, &model](Prompt p) {
                p = ofRun(std::move(p));
                p.source = m_source;
                return model.condition(p);
            },
            conditioning ? &conditioning->tokens : nullptr};
}

std::shared_ptr<SourceRecord> RunGuidance::sourceRecord(Branch source, const Choice& intervention) {
    for (const SourceOf& known : m_sourceRecords)
        if (known.source == source && known.intervention == intervention) return known.record;
    m_sourceRecords.push_back({source, intervention, std::make_shared<SourceRecord>()});
    return m_sourceRecords.back().record;
}

nn::SiteHookPtr RunGuidance::hook(Branch b, const Choice& intervention, const ConditioningPtr& conditioning,
                                  std::optional<Branch> source) {
    const InterventionInfo* info = findIntervention(intervention.id);
    const ConditioningPtr words = info && info->readsPrompt ? conditioning : nullptr;
    for (const BranchHook& known : m_hooks)
        if (known.branch == b && known.intervention == intervention && known.conditioning == words) return known.hook;
    InterventionSetup made = setup(b, conditioning);
    if (source) made.source = sourceRecord(*source, intervention);
    m_hooks.push_back({b, intervention, words, makeHook(intervention, made)});
    return m_hooks.back().hook;
}

nn::SiteHookPtr RunGuidance::sourceHook(Branch b, const Choice& intervention, const ConditioningPtr& conditioning) {
    const auto record = sourceRecord(b, intervention);
    record->tokens = conditioning ? conditioning->tokens : std::vector<Token>();
    for (const BranchHook& known : m_sourceHooks)
        if (known.branch == b && known.intervention == intervention) return known.hook;
    InterventionSetup made = setup(b, conditioning);
    made.source = record;
    m_sourceHooks.push_back({b, intervention, nullptr, makeSourceHook(intervention, made)});
    return m_sourceHooks.back().hook;
}

GuidanceMoment RunGuidance::held(const GuidanceMoment& m) const {
    GuidanceMoment h = m;
    h.state = m_stack.projectedState(m);
    return h;
}

// Per image, the mean over the branches; empty where nothing may be reused.
static std::vector<double> savedWork(const RequestProgress& p) {
    std::vector<double> saved;
    bool isMeasured = false;
    for (const auto& [asked, answer] : p.answers) {
        saved.resize(std::max(saved.size(), answer.saved.size()));
        for (std::size_t r = 0; r < answer.saved.size(); ++r) {
            isMeasured |= answer.saved[r].has_value();
            saved[r] += answer.saved[r].value_or(0) / double(p.answers.size());
        }
    }
    return isMeasured ? saved : std::vector<double>();
}

void RunGuidance::ask(RequestProgress& p, const GuidanceMoment& m) {
    if (p.isAsked) return;
    p.isAsked = true;
    const EvaluationPlan w = m_stack.evaluationPlan(m);
    const Tensor state = m_stack.projectedState(m);
    const auto isSource = [&](Branch b) {
        return std::any_of(w.interventions.begin(), w.interventions.end(),
                           [&](const EvaluationPlan::Inside& i) { return i.source == b; });
    };
    for (const Branch b : w.branches)  // a source first: what reads from it is made with its words
        if (isSource(b)) p.waiting.push_back(sourceGroup(b, state, m, w));
    for (const Branch b : w.branches)
        if (!isSource(b)) p.readers.push_back(group(b, state, m, w));
    if (w.dependentCount == 0) {  // self-attention is summed only where a rule degrades the state by it
        p.hasFollowed = true;
        for (auto* groups : {&p.waiting, &p.readers})
            for (auto& g : *groups) g.selfBlock.reset();
    }
    if (p.waiting.empty()) p.waiting.swap(p.readers);
}

bool RunGuidance::take(RequestProgress& p, const GuidanceMoment& m, std::vector<GroupAnswer> answers) {
    for (std::size_t i = 0; i < answers.size(); ++i)
        p.answers.emplace_back(std::move(p.waiting[i]), std::move(answers[i]));
    p.waiting.clear();
    if (!p.readers.empty()) {
        p.waiting.swap(p.readers);
        return false;
    }
    const auto conditional = std::find_if(p.answers.begin(), p.answers.end(),
                                          [](const auto& a) { return a.first.branch == Branch::Conditional; });
    std::rotate(p.answers.begin(), conditional, p.answers.end());
    if (p.hasFollowed) return true;
    p.hasFollowed = true;
    const GuidanceMoment h = held(m);
    GuidanceParts parts(p.answers.front().second.denoised);
    for (const auto& [asked, answer] : p.answers) {
        parts.branches.emplace_back(asked.branch, answer.denoised);
        if (!answer.selfMass.empty()) parts.selfMass.emplace_back(asked.branch, answer.selfMass);
    }
    const EvaluationPlan w = m_stack.evaluationPlan(m);
    for (const auto& [branch, state] : m_stack.dependentEvaluations(h, parts))
        p.waiting.push_back(group(branch, state, m, w));
    return p.waiting.empty();
}

GuidanceParts RunGuidance::combine(const RequestProgress& p, const GuidanceMoment& m) {
    GuidanceParts parts(p.answers.front().second.denoised);
    for (const auto& [asked, answer] : p.answers) {
        parts.branches.emplace_back(asked.branch, answer.denoised);
        if (asked.branch.kind == Branch::Degraded) parts.askedAt.emplace_back(asked.branch, asked.state);
        if (asked.branch == Branch::Unconditional) parts.unconditional = answer.denoised;
    }
    m_stack.apply(held(m), parts);
    if (auto saved = savedWork(p); !saved.empty()) parts.metrics.push_back({savedWorkName, std::move(saved)});
    return parts;
}

GuidanceParts RunGuidance::replay(const GuidanceMoment& m, const Evaluation& e, Backend& backend) {
    GuidanceParts parts(upload(backend, e.denoised));
    for (const auto& b : e.branches) {
        const Tensor denoised = upload(backend, b.denoised);
        if (b.branch == Branch::Conditional) parts.conditional = parts.combined = denoised;
        if (b.branch == Branch::Unconditional) parts.unconditional = denoised;
        // A branch of the same name may have another condition in the parent's stack.
        if (b.branch.kind <= Branch::Unconditional || (m_stack.knows(b.branch) && label(b.branch) == b.label))
            parts.branches.emplace_back(b.branch, denoised);
    }
    if (!parts.find(Branch::Conditional)) parts.branches.emplace_back(Branch::Conditional, parts.conditional);
    m_stack.apply(held(m), parts, &e.ancestors);
    return parts;
}

}  // namespace meander
