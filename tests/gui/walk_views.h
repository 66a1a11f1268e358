// Brings every view of the window to every place of the shown run where the step cursor can stand, on every axis, and
// paints it: an index that a record does not hold is found here.
#pragma once
#include "gui/panels/timeline/film_strip.h"
#include "tests/gui/window_fixture.h"

namespace meander::gui::test {

inline void walkViews(MainWindow& window, int paints = 3) {
    SelectionModel& selection = window.selection();
    const QString id = selection.currentRun();
    const RunPtr run = window.document().run(id);
    if (!run) return;
    const int count = run->trajectory ? int(run->trajectory->evaluations.size()) : 0;
    for (int evaluation : {-1, 0, count / 2, count - 1, count, count + 7}) selection.lockStep({id, evaluation, 0.3});
    for (int axis = 0; axis <= int(StepAxis::Milliseconds); ++axis) selection.setAxis(StepAxis(axis));
    selection.setAxis(StepAxis::Step);
    window.commands().trigger("step.first");
    window.commands().trigger("range.from");
    window.commands().trigger("step.next");
    window.commands().trigger("range.to");
    selection.setPixel(QPointF(0.4, 0.6));
    selection.setWords({0, 1});
    const QPoint hover(200, 20);
    for (auto* strip : window.findChildren<FilmStrip*>()) QTest::mouseMove(strip, hover);
    for (int i = 0; i < paints; ++i) {
        window.commands().trigger(i % 2 ? "step.forward" : "step.next");
        window.grab();
        QCoreApplication::processEvents();
    }
    selection.setStepRange(std::nullopt);
    selection.setPixel(std::nullopt);
    window.commands().trigger("step.last");
}

// Waits until the record of the shown run is there, or is known to be lost.
inline void showRun(MainWindow& window, const QString& id, const QString& beside = {}) {
    QSignalSpy loaded(&window.document(), &Document::trajectoryLoaded), lost(&window.document(), &Document::problem);
    window.selection().setCurrentRun(id);
    window.selection().setComparedRun(beside);
    for (int i = 0; i < 400; ++i) {
        const RunPtr run = window.document().run(id);
        if (!run || run->trajectory || !lost.isEmpty()) break;
        QTest::qWait(5);
    }
}

}  // namespace meander::gui::test
