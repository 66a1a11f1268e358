#include "gui/selection/step_link.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "engine/run/record_access.h"

namespace meander::gui {
namespace {
QString tr(const char* text) { return QCoreApplication::translate("StepLink", text); }
}  // namespace

std::vector<StepStop> stepStopsOf(const Run& run) {
    std::vector<StepStop> stops;
    if (!run.trajectory) return stops;
    const auto& all = run.trajectory->evaluations;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (stops.empty() || all[i]->step != stops.back().step) stops.push_back({all[i]->step, int(i)});
    const bool isDone =
        run.status != RunStatus::Running && run.status != RunStatus::Paused && run.status != RunStatus::Queued;
    if (isDone && !run.trajectory->steps.empty()) stops.push_back({int(run.trajectory->steps.size()), -1});
    return stops;
}

int stopIndexOf(const std::vector<StepStop>& stops, int evaluation) {
    if (evaluation < 0) return std::max(0, int(stops.size()) - 1);
    int at = 0;
    for (std::size_t i = 0; i < stops.size(); ++i)
        if (stops[i].evaluation >= 0 && stops[i].evaluation <= evaluation) at = int(i);
    return at;
}

int stopIndexOfStep(const std::vector<StepStop>& stops, int step) {
    int at = 0;
    for (std::size_t i = 0; i < stops.size(); ++i)
        if (stops[i].step <= step) at = int(i);
    return at;
}

int stepCount(const Run& run) { return std::max(1, stepsOf(run)); }

LinkedStep linkedStep(const Run& run, const StepCursor& cursor) {
    if (!run.trajectory || run.trajectory->evaluations.empty() || cursor.evaluation < 0) return {};
    const auto& all = run.trajectory->evaluations;
    if (cursor.run == QString::fromStdString(run.id))
        return {std::min(cursor.evaluation, int(all.size()) - 1), 0, false};
    LinkedStep best{-1, INFINITY, true};
    constexpr double same = 1e-9;
    int step = -1;
    bool isAlike = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& e = all[i];
        const bool isCorrector = std::exchange(step, e->step) == e->step;
        double d = std::isinf(e->logSnr) && e->logSnr == cursor.logSnr ? 0 : std::abs(e->logSnr - cursor.logSnr);
        // A corrector shares its level with the predictor of the next step: of equals, the one of the cursor's kind is
        // meant.
        if (d < best.distance - same || (d < best.distance + same && !isAlike && isCorrector == cursor.isCorrector)) {
            best = {int(i), d, true};
            isAlike = isCorrector == cursor.isCorrector;
        }
    }
    if (best.evaluation < 0) best = {0, 0, true};
    return best;
}

std::optional<std::pair<int, int>> stepsIn(const Run& run, const StepRange& range) {
    if (!run.trajectory || run.trajectory->evaluations.empty()) return {};
    const auto& all = run.trajectory->evaluations;
    if (range.run == QString::fromStdString(run.id)) {
        const int last = all.back()->step;
        return std::pair(std::clamp(range.first, 0, last), std::clamp(range.last, 0, last));
    }
    std::optional<std::pair<int, int>> steps;
    double least = INFINITY;
    int nearest = 0, step = -1;
    for (const auto& e : all) {
        if (std::exchange(step, e->step) == e->step) continue;  // the levels of a range are those of predictors
        if (e->logSnr >= range.lowLogSnr && e->logSnr <= range.highLogSnr) {
            if (!steps) steps = std::pair(e->step, e->step);
            steps->second = e->step;
        }
        if (const double d = std::abs(e->logSnr - (range.lowLogSnr + range.highLogSnr) / 2); d < least)
            least = d, nearest = e->step;
    }
    return steps ? steps : std::pair(nearest, nearest);
}

QString rangeText(int first, int last) {
    return first == last ? tr("step %1").arg(first) : tr("steps %1–%2").arg(first).arg(last);
}

double axisValue(const Run& run, const StepStop& stop, StepAxis axis) {
    return axisValues(run, std::vector{stop}, axis).front();
}

std::vector<double> axisValues(const Run& run, const std::vector<StepStop>& stops, StepAxis axis) {
    if (!run.trajectory) return std::vector<double>(stops.size(), 0);
    const auto& t = *run.trajectory;
    // Work done before each evaluation, and all of it at the end.
    std::vector<double> sums{0};
    if (axis == StepAxis::Evaluations || axis == StepAxis::Milliseconds) {
        const double images = std::max<double>(1, run.recipe.images);
        for (const auto& e : t.evaluations)
            sums.push_back(sums.back() + (axis == StepAxis::Milliseconds ? e->milliseconds : e->networkRows / images));
    }
    std::vector<double> values;
    values.reserve(stops.size());
    for (const StepStop& stop : stops) {
        const Evaluation* e = evaluationAt(t, stop.evaluation);
        const double tau = e ? e->tau : levelAt(t, stop.step);
        switch (axis) {
        case StepAxis::Step: values.push_back(stop.step); break;
        case StepAxis::Sigma: values.push_back(e ? e->sigma : run.model.process.sigma(tau)); break;
        case StepAxis::LogSnr: values.push_back(e ? e->logSnr : run.model.process.logSnr(tau)); break;
        case StepAxis::Evaluations:
        case StepAxis::Milliseconds: values.push_back(e ? sums[std::size_t(stop.evaluation)] : sums.back()); break;
        }
    }
    return values;
}

QString axisName(StepAxis axis) {
    switch (axis) {
    case StepAxis::Step: return tr("step");
    case StepAxis::Sigma: return QStringLiteral("σ");
    case StepAxis::LogSnr: return tr("log SNR");
    case StepAxis::Evaluations: return tr("evaluations [NFE]");
    case StepAxis::Milliseconds: return tr("network time [ms]");
    }
    return {};
}

bool isLogAxis(StepAxis axis) { return axis == StepAxis::Sigma; }

RunPtr recordOf(Document& document, const QString& id) {
    if (id.isEmpty()) return nullptr;
    if (const LiveRun* live = document.live(id); live && live->run) return live->run;
    RunPtr run = document.run(id);
    if (run && !run->trajectory) document.requestTrajectory(id);
    return run;
}

StepCursor shownCursor(const Document& document, const SelectionModel& selection) {
    if (selection.isHovering()) return selection.cursor();
    const QString id = selection.currentRun();
    if (const LiveRun* live = document.live(id);
        live && live->run && live->run->trajectory && selection.followsLive()) {
        const auto& all = live->run->trajectory->evaluations;
        if (!all.empty()) return cursorFor(*live->run, int(all.size()) - 1);
    }
    const StepCursor locked = selection.lockedCursor();
    if (locked.run.isEmpty()) return {id, -1, INFINITY};
    return locked;
}

StepCursor cursorFor(const Run& run, int evaluation) {
    const QString id = QString::fromStdString(run.id);
    const Evaluation* e = run.trajectory ? evaluationAt(*run.trajectory, evaluation) : nullptr;
    if (!e) return {id, -1, INFINITY};
    const Evaluation* before = evaluationAt(*run.trajectory, evaluation - 1);
    return {id, evaluation, e->logSnr, before && before->step == e->step};
}

int runStyleIndex(const Document& document, const Run& run) {
    if (run.number > 0) return run.number - 1;
    const auto all = document.runs();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i]->id == run.id) return int(i);
    return 0;
}

QString endText(const Run& run) {
    const bool isStopped =
        run.status == RunStatus::Cancelled || run.status == RunStatus::Interrupted || run.status == RunStatus::Failed;
    if (isStopped && run.trajectory) return tr("stopped after step %1").arg(run.trajectory->steps.size());
    return run.model.state.kind == StateKind::Points ? tr("finished points") : tr("finished image");
}

QString stepText(const Run& run, int evaluation) {
    if (evaluation < 0 || !run.trajectory) return endText(run);
    const Evaluation* e = evaluationAt(*run.trajectory, evaluation);
    return e ? tr("step %1 of %2").arg(e->step).arg(stepCount(run)) : QString();
}

}  // namespace meander::gui
