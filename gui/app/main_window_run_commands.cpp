// Commands of the menus Run and Analyse.
#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/panels/timeline/timeline_panel.h"

namespace meander::gui {

void MainWindow::addRunCommands() {
    const QString menu = tr("Run");
    const auto live = [this]() -> const LiveRun* {
        if (const LiveRun* l = m_document.live(m_selection.currentRun())) return l;
        const QStringList queue = m_document.queue();
        return queue.isEmpty() ? nullptr : m_document.live(queue.front());
    };
    const auto isLive = [live] { return live() != nullptr; };
    const auto id = [live] { return qstr(live()->run->id); };
    m_commands.add({"run.start",
                    menu,
                    tr("Run the draft"),
                    tr("Carries out the recipe."),
                    {QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter"), QKeySequence("Ctrl+Shift+Return")},
                    "play",
                    [this] {
                        commitField();
                        m_document.runDraft();
                    },
                    [this] {
                        return m_document.invalidFields().isEmpty()
                               && (m_document.draftPlan().ok() || m_document.isPlanning());
                    },
                    nullptr,
                    false,
                    tr("Run")});
    m_commands.add({"run.pause",
                    menu,
                    tr("Pause"),
                    tr("Pauses after the evaluation under way, or goes on."),
                    {QKeySequence("Ctrl+P")},
                    "pause",
                    [this, live, id] {
                        if (live()->run->status == RunStatus::Paused) m_document.resume(id());
                        else m_document.pause(id());
                    },
                    isLive,
                    [live] { return live() && live()->run->status == RunStatus::Paused; }});
    m_commands.add({"run.step",
                    menu,
                    tr("One evaluation"),
                    tr("Does one network evaluation, then pauses."),
                    {QKeySequence("F10")},
                    "step",
                    [this, id] { m_document.singleStep(id()); },
                    isLive});
    m_commands.add({"run.cancel",
                    menu,
                    tr("Cancel"),
                    tr("Stops the run; its steps are kept."),
                    {QKeySequence("Ctrl+.")},
                    "stop",
                    [this, id] { m_document.cancel(id()); },
                    isLive});
    m_commands.add({"run.cancelAll",
                    menu,
                    tr("Cancel everything"),
                    {},
                    {QKeySequence("Ctrl+Shift+.")},
                    "stop",
                    [this] { m_document.cancelAll(); },
                    isLive});
    addQueueCommands();
    const auto hasRecord = [this] {
        return currentRun() && currentRun()->trajectory && !currentRun()->trajectory->steps.empty();
    };
    m_commands.add(
        {"run.branch",
         menu,
         tr("Branch from this step"),
         tr("The draft continues the shown run from the step under the cursor; change what should differ, then run."),
         {QKeySequence("B")},
         "branch",
         [this] { branchHere(); },
         hasRecord,
         nullptr,
         true,
         tr("Branch here")});
    m_commands.add({"run.baseline",
                    menu,
                    tr("Make it the baseline"),
                    tr("Other runs are measured against it."),
                    {QKeySequence("P")},
                    "star",
                    [this] { m_document.setPinned(m_selection.currentRun(), !currentRun()->pinned); },
                    [this] { return currentRun() != nullptr; },
                    [this] { return currentRun() && currentRun()->pinned; }});
    m_commands.add(
        {"run.compare",
         menu,
         tr("Compare with the baseline"),
         tr("With the baseline; without one with the run it branches from, or the newest other run of its kind and "
            "size. Alt+click a run to choose it."),
         {QKeySequence("Ctrl+D")},
         "compare",
         [this] { toggleCompare(); },
         [this] { return m_document.runs().size() > 1; },
         [this] { return !m_selection.comparedRun().isEmpty(); },
         false,
         tr("Compare")});
    m_commands.add({"run.newSeed",
                    menu,
                    tr("Run with another seed"),
                    {},
                    {QKeySequence("Ctrl+R")},
                    "dice",
                    [this] {
                        commitField();
                        Recipe r = m_document.draft();
                        r.seed += 1;
                        m_document.editDraft(r, tr("seed"));
                        m_document.runDraft();
                    },
                    [this] { return m_document.invalidFields().isEmpty() && m_document.draftPlan().ok(); },
                    nullptr,
                    true});
}

void MainWindow::addStepCommands() {
    const QString menu = tr("Analyse");
    const auto hasRecord = [this] { return currentRun() && currentRun()->trajectory; };
    const auto step = [this](int delta) { return [this, delta] { moveStep(delta); }; };
    m_commands.add({"step.play",
                    menu,
                    tr("Play the steps"),
                    {},
                    {QKeySequence("Space")},
                    "play",
                    [this] { m_timeline->togglePlay(); },
                    hasRecord});
    m_commands.add({"step.next", menu, tr("Next evaluation"), {}, {QKeySequence("Right")}, "step", step(1), hasRecord});
    m_commands.add(
        {"step.previous", menu, tr("Previous evaluation"), {}, {QKeySequence("Left")}, {}, step(-1), hasRecord});
    m_commands.add(
        {"step.forward", menu, tr("Five evaluations on"), {}, {QKeySequence("Shift+Right")}, {}, step(5), hasRecord});
    m_commands.add(
        {"step.back", menu, tr("Five evaluations back"), {}, {QKeySequence("Shift+Left")}, {}, step(-5), hasRecord});
    m_commands.add(
        {"step.first", menu, tr("First evaluation"), {}, {QKeySequence("Home")}, {}, step(-1000000), hasRecord});
    m_commands.add({"step.last",
                    menu,
                    tr("Finished image"),
                    tr("And follow a run that is under way."),
                    {QKeySequence("End")},
                    {},
                    step(1000000),
                    hasRecord});
    m_commands.add({"range.from",
                    menu,
                    tr("Range of steps from here"),
                    tr("Attention is averaged over the range, and playing stays within it. Shift+drag on the film "
                       "strip does the same."),
                    {QKeySequence("[")},
                    {},
                    [this] { m_timeline->rangeFromHere(); },
                    hasRecord,
                    nullptr,
                    true});
    m_commands.add({"range.to",
                    menu,
                    tr("Range of steps to here"),
                    {},
                    {QKeySequence("]")},
                    {},
                    [this] { m_timeline->rangeToHere(); },
                    hasRecord});
    m_commands.add({"range.clear",
                    menu,
                    tr("No range of steps"),
                    {},
                    {},
                    {},
                    [this] { m_selection.setStepRange(std::nullopt); },
                    [this] { return m_selection.stepRange().has_value(); }});
    const std::pair<StepAxis, QString> axes[] = {{StepAxis::Step, tr("Axis: step")},
                                                 {StepAxis::Sigma, tr("Axis: σ")},
                                                 {StepAxis::LogSnr, tr("Axis: log SNR")},
                                                 {StepAxis::Evaluations, tr("Axis: evaluations (NFE)")},
                                                 {StepAxis::Milliseconds, tr("Axis: milliseconds")}};
    bool isFirst = true;
    for (const auto& [axis, text] : axes) {
        m_commands.add({QStringLiteral("axis.%1").arg(int(axis)),
                        menu,
                        text,
                        tr("What the plots show along their horizontal axis."),
                        {},
                        {},
                        [this, axis = axis] { m_selection.setAxis(axis); },
                        nullptr,
                        [this, axis = axis] { return m_selection.axis() == axis; },
                        isFirst});
        isFirst = false;
    }
    for (auto signal : {&SelectionModel::axisChanged, &SelectionModel::rangeChanged})
        connect(&m_selection, signal, &m_commands, &CommandRegistry::refresh);
}

}  // namespace meander::gui
