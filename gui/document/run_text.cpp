#include "gui/document/run_text.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

#include "engine/guidance/guidance.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "gui/document/document.h"

namespace meander::gui {

QString samplerLabel(const std::string& id) {
    const SamplerInfo* s = findSampler(id);
    return qstr(s ? s->label : id);
}
QString scheduleLabel(const std::string& id) {
    const ScheduleInfo* s = findSchedule(id);
    return qstr(s ? s->label : id);
}
QString guidanceLabel(const std::string& id) {
    const GuidanceRule* g = findGuidance(id);
    return qstr(g ? g->label : id);
}
QString modelLabel(const std::string& id) {
    static const std::vector<CatalogEntry> catalog = builtInModels();
    for (const auto& e : catalog)
        if (e.id == id) return qstr(e.name);
    return qstr(id).section('/', -1).section(':', -1);
}

QString modelIdOf(const QString& path) {
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower(), absolute = info.absoluteFilePath();
    const bool isModelFolder = info.isDir() && QFileInfo::exists(absolute + QStringLiteral("/model_index.json"));
    const bool isImageFolder =
        info.isDir() && !isModelFolder && !QDir(absolute).entryList({"*.png"}, QDir::Files).isEmpty();
    return isImageFolder || suffix == "csv" || suffix == "npy" || suffix == "json"
               ? QStringLiteral("analytic:points?file=") + absolute
               : absolute;
}

QString runTitle(const Run& run) {
    if (!run.name.empty()) return qstr(run.name);
    if (run.recipe.branch) return Document::tr("branch at step %1").arg(run.recipe.branch->step);
    if (!run.recipe.prompt.empty()) return qstr(run.recipe.prompt).simplified();
    if (!run.model.name.empty()) return qstr(run.model.name);
    return modelLabel(run.recipe.model);
}

QString recipeLine(const Recipe& r) {
    return QStringLiteral("%1 · %2 · %3")
        .arg(samplerLabel(r.sampler.id))
        .arg(r.steps)
        .arg(scheduleLabel(r.schedule.id));
}

QString statusWord(RunStatus status) {
    switch (status) {
    case RunStatus::Queued: return Document::tr("waiting");
    case RunStatus::Running: return Document::tr("running");
    case RunStatus::Paused: return Document::tr("paused");
    case RunStatus::Finished: return Document::tr("finished");
    case RunStatus::Cancelled: return Document::tr("cancelled");
    case RunStatus::Failed: return Document::tr("failed");
    case RunStatus::Interrupted: return Document::tr("interrupted");
    }
    return {};
}

QString statusLine(const Run& run) {
    const int done = run.trajectory ? int(run.trajectory->steps.size()) : 0;
    if (run.status == RunStatus::Failed) return Document::tr("failed: %1").arg(qstr(run.problem));
    if (run.status == RunStatus::Cancelled || run.status == RunStatus::Interrupted)
        return done > 0 ? Document::tr("%1 after step %2").arg(statusWord(run.status)).arg(done)
                        : statusWord(run.status);
    return statusWord(run.status);
}

}  // namespace meander::gui
