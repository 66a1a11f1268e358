// The planner, inside: one step after the other fills in the plan. Every check of a recipe is one of them.
#pragma once
#include "engine/run/plan.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule_notes.h"

namespace meander {

class Planner {
public:
    Planner(const Recipe& recipe, const ModelInfo& model, const Run* parent, const Run* start, const Run* source)
        : m_parent(parent), m_startRun(start), m_sourceRun(source) {
        m_plan.resolved = recipe;
        m_plan.model = model;
    }
    // Throws Failure with a sentence.
    Plan make();

private:
    // plan_choices.cpp: the model as declared and at its size; numbers in range, ids known, parameters filled in
    void resolveModel();
    void checkNumbers();
    void resolveChoices();
    void resolveNoise();
    // plan_levels.cpp: the noise levels visited
    void makeLevels();
    void takeOwnLevels();
    void takeStart();
    void makeBranch();
    double judgedSigmaData() const;
    ScheduleUse scheduleUse() const;
    void fixPath();
    void takeSource();
    // plan_cost.cpp: evaluations, bytes, seconds
    void countCost();
    void estimate();
    // plan_advice.cpp: what a person should know
    void adviseSampler();
    void adviseLaw();
    void adviseNoise();
    void adviseSpace();
    void adviseConditioning();
    void adviseWords(const char* key, const std::string& name, const std::string& text);
    std::string usualSampler() const;

    const SamplerInfo& sampler() const { return *findSampler(m_plan.resolved.sampler.id); }  // once resolved
    void note(NoteKind kind, std::string key, std::string text) {
        m_plan.notes.push_back({kind, std::move(key), std::move(text)});
    }

    Plan m_plan;
    const Run *m_parent, *m_startRun, *m_sourceRun;
    int m_mostRows = 1;  // of one request
    bool m_usesNegative = false;
};

}  // namespace meander
