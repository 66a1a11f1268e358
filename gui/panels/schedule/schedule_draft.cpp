#include "gui/panels/schedule/schedule_draft.h"

#include "engine/schedule/level_edit.h"
#include "engine/schedule/schedule.h"
#include "gui/look/text.h"

namespace meander::gui {

ScheduleDraft scheduleDraft(const Document& document) {
    ScheduleDraft draft;
    const auto info = document.draftModel();
    if (!info) {
        draft.problem = document.isPlanning() || document.draftPlan() ? QObject::tr("Reading what the model is …")
                                                                      : qstr(document.draftPlan().error().text);
        return draft;
    }
    const Recipe& r = document.draft();
    try {
        const ModelInfo model = modelOf(r, *info);
        draft.process = model.process;
        draft.imageTokens = imageTokensOf(model);
    } catch (const std::exception& e) {
        draft.problem = QString::fromUtf8(e.what());
        return draft;
    }
    const auto levels = makeSchedule(r.schedule, r.scheduleOperators, *draft.process,
                                     stepsOf(r.schedule, r.steps).steps, draft.imageTokens);
    if (!levels) draft.problem = qstr(levels.error().text);
    else if (!levels::isFalling(*levels))
        draft.problem = QObject::tr(
            "Levels that rise, for a sampler that inverts, are not edited here. Remove the operator \"Reverse\".");
    else draft.levels = *levels;
    return draft;
}

std::vector<double> presetLevels(const std::string& schedule, const ScheduleDraft& draft, int intervals) {
    if (!draft.process || schedule == "custom") return {};
    const auto levels = makeSchedule(schedule, *draft.process, intervals, {}, draft.imageTokens);
    return levels && levels::isFalling(*levels) ? *levels : std::vector<double>();
}

}  // namespace meander::gui
