#include "engine/sweep/sweep_plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "engine/models/model.h"

namespace meander {
namespace {

// How often the gaps of an axis with `n` places must be halved until place i is reached; 0 for both ends.
int depth(int i, int n) {
    if (i == 0 || i == n - 1) return 0;
    int stride = 1;
    while (stride * 2 < n - 1) stride *= 2;
    int level = 1;
    for (; i % stride != 0; stride /= 2) ++level;
    return level;
}

class SweepPlanner {
public:
    SweepPlanner(const Sweep& sweep, const Run* parent, const Run* start, const Run* source)
        : m_sweep(sweep), m_parent(parent), m_start(start), m_source(source) {}

    SweepPlan make() {
        checkAxes(m_sweep.axes);
        for (std::size_t i = 0; i < m_sweep.size(); ++i) add(i);
        sortCells();
        return std::move(m_plan);
    }

private:
    void add(std::size_t i) {
        PlannedCell cell{planOf(i), i};
        if (!cell.plan) {
            ++m_plan.refused;
            m_plan.cells.push_back(std::move(cell));
            return;
        }
        const Plan& p = *cell.plan;
        const auto known = m_known.emplace(toJson(p.resolved).dump(), i).first;
        cell.same = known->second;
        if (cell.same == i) {
            m_plan.order.push_back(i);
            m_plan.evaluations += std::int64_t(p.evaluations) * p.resolved.images;
            m_plan.seconds += p.seconds;
            m_isTimed &= p.seconds > 0;
            m_plan.recordBytes += p.recordBytes;
            m_plan.bytes = std::max(m_plan.bytes, p.bytes);
        } else {
            ++m_plan.repeated;
        }
        m_plan.cells.push_back(std::move(cell));
    }

    Result<Plan> planOf(std::size_t i) {
        try {
            const Recipe r = m_sweep.recipe(i);
            auto model = m_models.find(r.model);
            if (model == m_models.end()) model = m_models.emplace(r.model, inspectModel(r.model)).first;
            if (!model->second) return model->second.error();
            return plan(r, *model->second, m_parent, m_start, m_source);
        } catch (const std::exception& e) {
            return Error{e.what(), {}};
        }
    }

    void sortCells() {
        std::vector<int> levels(m_plan.cells.size());
        for (const std::size_t i : m_plan.order) {
            const auto place = m_sweep.place(i);
            for (std::size_t a = 0; a < place.size(); ++a)
                levels[i] = std::max(levels[i], depth(place[a], m_sweep.axes[a].size()));
        }
        std::stable_sort(m_plan.order.begin(), m_plan.order.end(),
                         [&](std::size_t a, std::size_t b) { return levels[a] < levels[b]; });
        if (!m_isTimed) m_plan.seconds = 0;
    }

    const Sweep& m_sweep;
    const Run *m_parent, *m_start, *m_source;
    SweepPlan m_plan;
    bool m_isTimed = true;
    std::map<std::string, std::size_t> m_known;  // resolved recipe → its first cell
    std::map<std::string, Result<ModelInfo>> m_models;
};

}  // namespace

Result<SweepPlan> planSweep(const Sweep& sweep, const Run* parent, const Run* start, const Run* source) {
    try {
        return SweepPlanner(sweep, parent, start, source).make();
    } catch (const std::exception& e) {
        return Error{e.what(), {}};
    }
}

Submission submissionOf(const Sweep& sweep, Plan plan, std::shared_ptr<const Run> parent, int number) {
    return {.plan = std::move(plan),
            .parent = std::move(parent),
            .id = newRunId(),
            .number = number,
            .priority = RunPriority::Background,
            .group = sweep.id};
}

std::vector<Submission> submissionsOf(Sweep& sweep, const SweepPlan& plan, std::shared_ptr<const Run> parent,
                                      int firstNumber) {
    sweep.cells.assign(sweep.size(), {});
    std::map<std::size_t, Submission> all;  // in the order of the grid
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
        const PlannedCell& c = plan.cells[i];
        if (!c.plan) sweep.cells[i].problem = c.plan.error().text;
        else if (c.same != i) sweep.cells[i].run = sweep.cells[c.same].run;
        else {
            Submission s = submissionOf(sweep, *c.plan, parent, firstNumber + int(all.size()));
            sweep.cells[i].run = s.id;
            all.emplace(i, std::move(s));
        }
    }
    std::vector<Submission> ordered;
    for (const std::size_t i : plan.order) ordered.push_back(std::move(all.at(i)));
    return ordered;
}

}  // namespace meander
