#include "gui/document/run_text.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <algorithm>

#include "engine/run/recipe_differences.h"
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

namespace {

// "Heun", "12 steps", "seed 7", "Guidance Scale w 4"
QString settingOf(const Difference& d) {
    const QString value = qstr(d.right).simplified();
    if (value.isEmpty() || d.right == "–" || d.right == "none")
        return Document::tr("no %1").arg(qstr(d.label).toLower());
    if (d.key == "model") return modelLabel(d.right);
    if (d.key == "prompt" || d.key == "sampler" || d.key == "schedule") return value;
    if (d.key == "steps") return Document::tr("%1 steps").arg(value);
    if (d.key == "images") return Document::tr("%1 images").arg(value);
    if (d.key == "seed") return Document::tr("seed %1").arg(value);
    if (d.key == "branch") return Document::tr("branch at %1").arg(value.section(QStringLiteral(", "), 1));
    return qstr(d.label) + ' ' + value;
}

}  // namespace

// What tells a run apart from another: of a changed sampler its name, not each of its parameters too.
QString differenceText(const Recipe& beside, const Recipe& recipe) {
    constexpr qsizetype most = 2;
    QStringList parts;
    std::vector<std::string> keys;
    for (const Difference& d : differences(beside, recipe)) {
        if (d.key == "attention" || d.key == "record_states" || d.key == "device") continue;  // no other numbers
        if (std::any_of(keys.begin(), keys.end(), [&](const auto& k) { return d.key.starts_with(k + "."); })) continue;
        keys.push_back(d.key);
        parts.append(settingOf(d));
    }
    const qsizetype left = parts.size() - most;
    QString text = parts.mid(0, most).join(QStringLiteral(" · "));
    return left > 0 ? text + Document::tr(" +%1").arg(left) : text;
}

QString runTitle(const Run& run, const Run* beside) {
    if (!run.name.empty()) return qstr(run.name);
    if (beside && beside->id != run.id)
        if (const QString text = differenceText(beside->recipe, run.recipe); !text.isEmpty()) return text;
    if (run.recipe.branch) return Document::tr("branch at step %1").arg(run.recipe.branch->step);
    if (!run.recipe.prompt.empty()) return qstr(run.recipe.prompt).simplified();
    if (!run.model.name.empty()) return qstr(run.model.name);
    return modelLabel(run.recipe.model);
}

QString runName(const Document& document, const Run& run) {
    RunPtr beside = document.baseline();
    if (!beside)
        if (const auto all = document.runs(); !all.empty()) beside = all.front();
    return runTitle(run, beside.get());
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

QString emptyReason(const Document& document, const QString& runId, const QString& otherwise) {
    const RunPtr run = document.run(runId);
    if (!run) return otherwise;
    const auto said = [&](const char* sentence) {
        return QCoreApplication::translate("RunText", sentence).arg(run->number);
    };
    switch (run->status) {
    case RunStatus::Queued: return said(QT_TRANSLATE_NOOP("RunText", "Run %1 waits for its turn."));
    case RunStatus::Running:
        return said(QT_TRANSLATE_NOOP("RunText", "The steps of run %1 appear here as they are done."));
    case RunStatus::Paused:
        return said(QT_TRANSLATE_NOOP("RunText", "Run %1 is paused; nothing of it is recorded yet."));
    case RunStatus::Failed: return said(QT_TRANSLATE_NOOP("RunText", "Run %1 failed before anything was recorded."));
    case RunStatus::Cancelled:
        return said(QT_TRANSLATE_NOOP("RunText", "Run %1 was cancelled before anything was recorded."));
    case RunStatus::Interrupted:
        return said(QT_TRANSLATE_NOOP("RunText", "Run %1 was interrupted before anything was recorded."));
    case RunStatus::Finished: break;
    }
    return otherwise;
}

}  // namespace meander::gui
