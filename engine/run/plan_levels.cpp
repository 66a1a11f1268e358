// The noise levels that a run visits: of the schedule, the sampler's own, of data, of a branch.
#include <limits>

#include "engine/run/branching.h"
#include "engine/run/planner.h"
#include "engine/sampling/noise/noise.h"

namespace meander {

// Standard deviation of the data, which a last jump may not start above. Checkpoints that jump to the data do so from
// any level.
double Planner::judgedSigmaData() const {
    return m_plan.model.distillation == Distillation::None ? m_plan.model.sigmaData
                                                           : std::numeric_limits<double>::infinity();
}

ScheduleUse Planner::scheduleUse() const {
    if (sampler().inverts) return ScheduleUse::Inverts;
    return m_plan.resolved.start.id == "noise" ? ScheduleUse::FromNoise : ScheduleUse::FromData;
}

void Planner::makeLevels() {
    Recipe& r = m_plan.resolved;
    const ScheduleSteps own = stepsOf(r.schedule, r.steps);
    if (own.note) note(NoteKind::Hint, own.note->key, own.note->text);
    r.steps = own.steps;
    auto levels =
        makeSchedule(r.schedule, r.scheduleOperators, m_plan.model.process, r.steps, imageTokensOf(m_plan.model));
    if (!levels) throw Failure(levels.error().text);
    m_plan.levels = *levels;
    const std::vector<double> scheduled = m_plan.levels;
    if (const auto n = stepsNote(scheduled, r.steps)) note(NoteKind::Hint, n->key, n->text);
    takeOwnLevels();
    takeStart();
    // Data and other runs begin in the middle of the schedule: there the levels that are visited count.
    const bool isPart = r.start.id != "noise" && !sampler().roundTrip;
    for (const auto& n :
         scheduleNotes(isPart ? m_plan.levels : scheduled, m_plan.model.process, scheduleUse(), judgedSigmaData()))
        note(n.warning ? NoteKind::Warning : NoteKind::Hint, n.key, n.text);
    if (!sampler().inverts && m_plan.levels.back() > m_plan.levels.front())
        throw Failure(sampler().label
                      + " goes from noise to the image, but the levels of the schedule rise. Remove its operator "
                        "\"Reverse\", or choose a sampler that inverts.");
    if (r.branch) makeBranch();
}

// Data and other runs begin somewhere on the levels; samplers that invert go up them.
void Planner::takeStart() {
    const Recipe& r = m_plan.resolved;
    const SamplerInfo& sampler = *findSampler(r.sampler.id);
    if (r.start.id == "noise") {
        if (sampler.inverts)
            throw Failure(sampler.label
                          + " goes from data to noise, and the recipe starts from noise. Start it from data or "
                            "from another run.");
        if (sampler.needsData)
            throw Failure(sampler.label
                          + " changes given data, and the recipe starts from noise. Start it from data or from "
                            "another run that ended at the data.");
        return;
    }
    m_plan.start = resolveStart(r, m_plan.model, m_startRun);
    if (!m_plan.start.note.empty()) note(NoteKind::Hint, "start", m_plan.start.note);
    if (sampler.needsData && m_plan.start.tau > 0)
        throw Failure(sampler.label + " changes given data, but the run to start from did not end at the data.");
    const double strength = real(r.start.params, "strength");
    const int whole = m_plan.intervals();
    m_plan.levels = startLevels(m_plan.levels, m_plan.start, strength, sampler.inverts);
    const int done = m_plan.intervals();
    if (sampler.roundTrip) m_plan.levels = roundTripLevels(m_plan.levels);
    if (m_plan.start.tau > 0)
        note(NoteKind::Hint, "start",
             "The run goes on from level " + display(m_plan.start.tau)
                 + ", where the other one ended: " + std::to_string(done) + (done == 1 ? " step." : " steps."));
    else if (done < whole)
        note(NoteKind::Hint, "start",
             "Of the schedule's " + std::to_string(whole) + " steps the " + std::to_string(done)
                 + " next to the data are done (strength " + display(strength) + ").");
}

// Rules with levels of their own put them in place of the schedule's.
void Planner::takeOwnLevels() {
    const Recipe& r = m_plan.resolved;
    const SamplerInfo& sampler = *findSampler(r.sampler.id);
    if (!sampler.ownLevels) return;
    const auto own = sampler.ownLevels(m_plan.model.process, m_plan.levels, r.sampler.params);
    if (own == m_plan.levels) return;
    const int steps = int(own.size()) - 1;
    note(NoteKind::Hint, "schedule",
         sampler.label + " visits levels of its own"
             + (steps == r.steps ? ""
                                 : ", " + std::to_string(steps) + " instead of " + std::to_string(r.steps) + " steps")
             + "; the schedule only says where it begins and ends.");
    m_plan.levels = own;
}

void Planner::makeBranch() {
    Recipe& r = m_plan.resolved;
    if (!m_parent->trajectory || m_parent->trajectory->empty())
        throw Failure("The run to branch from has no recorded states.");
    if (m_parent->recipe.model != r.model)
        throw Failure("A branch continues with its parent's model; choose that model or start a new run.");
    if (m_parent->recipe.images != r.images)
        throw Failure("A branch has as many images as its parent: " + std::to_string(m_parent->recipe.images) + ".");
    const auto& record = *m_parent->trajectory;
    if (r.branch->step < 0 || r.branch->step > int(record.steps.size())
        || r.branch->step + 1 >= int(record.levels.size()))
        throw Failure("The run to branch from has no step " + std::to_string(r.branch->step)
                      + " that something could follow.");
    if (sampler().roundTrip && m_plan.levels != record.levels)
        throw Failure(
            "A branch of a round trip keeps the levels of its parent. Choose its schedule, steps and strength, "
            "or start a new run.");
    if (r.start != m_parent->recipe.start)
        note(NoteKind::Warning, "start",
             "A branch goes on from a state of its parent, so the recipe's own start is not used. Leave out the branch "
             "or the start.");
    BranchPlan branch = planBranch(r, *m_parent, m_plan.levels);
    m_plan.levels = std::move(branch.levels);
    m_plan.restoresHistory = branch.restoresHistory;
    m_plan.restoresFeatures = branch.restoresHistory && keepsFeatures(r) && keepsFeatures(m_parent->recipe);
    r.steps = m_plan.intervals();
    if (branch.restoresHistory) note(NoteKind::Hint, "branch", "The sampler's history is restored from the record.");
    else
        note(NoteKind::Hint, "branch",
             "The sampler restarts at step " + std::to_string(r.branch->step)
                 + " without history, because it, its noise or the levels it chooses from differ from the parent's.");
}

void Planner::fixPath() {
    Recipe& r = m_plan.resolved;
    if (r.noise.id != "brownian") return;
    const auto [low, high] = levelRange(m_plan.levels);
    r.noise.params.insert({"high", high});
    r.noise.params.insert({"low", low});
}

}  // namespace meander
