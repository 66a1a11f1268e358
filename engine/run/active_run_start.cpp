// How a run begins: from noise, from data, from a record of its own, or at a branch of another run.
#include <algorithm>
#include <tuple>

#include "engine/run/active_run.h"
#include "engine/run/branching.h"
#include "engine/sampling/manifold_common.h"

namespace meander {

void ActiveRun::begin() {
    m_task = {};
    m_sampling.reset();
    m_progress.clear();
    m_lastStep.reset();
    m_replayUntil = 0;
    m_run.evaluations = 0;
    m_guidance.emplace(m_plan, m_models, m_shared);
    m_record = {};
    if (const ConditioningPtr c = m_guidance->conditioning(Branch::Conditional, 0)) m_record.tokens = c->tokens;
    m_record.levels = m_plan.levels;
    m_record.sites = m_plan.model.attention;
    if (m_parent && !m_plan.restoresHistory) beginAtBranch();
    else beginAtStart();
}

void ActiveRun::beginAtStart() {
    m_noise = makeNoise(m_plan.resolved.noise, noiseContext());
    const Tensor start = startState();
    m_record.initial = keep(download(start));
    if (m_source) {
        const auto& known = m_source->evaluations;
        while (m_replayUntil < known.size()
               && (m_isOwnRecord || known[m_replayUntil]->step < m_plan.resolved.branch->step))
            ++m_replayUntil;
    }
    m_warmFrom = needsFeatures() ? featuresFollowFrom(*m_source, m_replayUntil, m_plan.resolved) : m_replayUntil;
    begin(start, 0);
}

// Features at the end of what is replayed are those of the record: it is the run's own, or the parent reused some too.
bool ActiveRun::needsFeatures() const {
    return m_replayUntil > 0 && keepsFeatures(m_plan.resolved) && (m_isOwnRecord || keepsFeatures(m_parent->recipe));
}

// Sampler or noise differ from the parent's: its steps are taken over as they are and the sampler starts afresh from
// the recorded state.
void ActiveRun::beginAtBranch() {
    const int step = m_plan.resolved.branch->step;
    const Trajectory& old = *m_parent->trajectory;
    m_record.initial = old.initial;
    for (const auto& e : old.evaluations)
        if (e->step < step) {
            auto copy = std::make_shared<Evaluation>(*e);
            copy->replayed = true;
            m_record.evaluations.push_back(copy);
        }
    m_record.steps.assign(old.steps.begin(), old.steps.begin() + step);
    if (m_isOwnRecord) m_replayUntil = m_source->evaluations.size();
    m_warmFrom = needsFeatures() ? std::max(m_record.evaluations.size(),
                                            featuresFollowFrom(*m_source, m_replayUntil, m_plan.resolved))
                                 : m_replayUntil;
    // Noise that is drawn in order goes on behind the first state's and what the steps so far drew.
    m_noise = makeNoise(m_plan.resolved.noise, noiseContext());
    m_noise->initial();
    m_noise->skip(
        int(std::count_if(m_record.steps.begin(), m_record.steps.end(), [](const auto& s) { return s->stochastic; })));
    m_clean = startData();
    watchRecord(old, step);
    begin(upload(m_backend, old.stateAt(step)), step);
}

void ActiveRun::begin(Tensor start, int step) {
    const Choice& sampler = m_plan.resolved.sampler;
    m_sampling = std::make_unique<Sampling>(process(), m_plan.levels, sampler.params, std::move(start), *this, step);
    m_sampling->clean = m_clean;
    m_task = findSampler(sampler.id)->run(*m_sampling);
    resume();
}

// The data that the run starts from, one row for each image; empty when it starts from noise or from a state in
// between.
Tensor ActiveRun::startData() const {
    const StartPoint& p = m_plan.start;
    const Recipe& r = m_plan.resolved;
    HostTensor data = p.isDrawn    ? m_model.drawData(r.images, r.seed, {r.prompt, r.classIndex, false})
                      : p.images   ? m_model.encode(p.images)
                      : p.tau == 0 ? p.state
                                   : HostTensor();
    if (!data) return {};
    const Tensor rows = upload(m_backend, data).converted(m_plan.model.state.type);
    if (rows.rows() == r.images) return rows;
    const std::vector<Tensor> copies(std::size_t(r.images), rows);
    return stackRows(copies);
}

// y at the first level: noise, data with noise on it (on a curved space: the point between both on their geodesic), or
// what another run left.
Tensor ActiveRun::startState() {
    const ModelInfo& m = m_plan.model;
    const double tau = m_plan.levels.front();
    m_clean = startData();
    if (m_plan.start.tau > 0) {
        const Tensor state = upload(m_backend, m_plan.start.state).converted(m.state.type);
        const std::vector<Tensor> copies(std::size_t(state.rows() == 1 ? m_plan.resolved.images : 1), state);
        return stackRows(copies);
    }
    if (m_clean && tau == 0) return m_clean;
    const Tensor unit = m_noise->initial();
    if (const Manifold& space = m.process.manifold(); !space.isFlat()) {
        const Tensor prior = priorOf(space, unit);
        return m_clean ? alongGeodesic(space, m_clean, prior, tau / m.process.maximum()) : prior;
    }
    if (m_clean) return combine({{m.process.signal(tau), m_clean}, {tau, unit}});
    return makeFirstState(firstState(m_plan.resolved.noise, m.process, tau, m.sigmaData, m.state.shape[-1]), unit);
}

NoiseContext ActiveRun::noiseContext() const {
    const ModelInfo& m = m_plan.model;
    std::vector<std::int64_t> extents{m_plan.resolved.images};
    for (auto e : m.state.shape.extents()) extents.push_back(e);
    NoiseContext c{m_backend, Shape(extents), m.state.type, m.state.kind == StateKind::Image, m_plan.resolved.seed};
    std::tie(c.tauMin, c.tauMax) = levelRange(m_plan.levels);
    c.rising = m_plan.levels.back() > m_plan.levels.front();
    return c;
}

Tensor ActiveRun::noise(const NoiseRequest& q, const Tensor&) { return m_noise->step(q); }

}  // namespace meander
