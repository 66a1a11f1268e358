// The file side of the document: everything keeps the old project when it fails.
#include <QFileInfo>

#include "gui/document/document_state.h"
#include "gui/document/run_text.h"

namespace meander::gui {

void Document::Implementation::adopt(ProjectContent content) {
    if (Engine* e = bridge.engine(); e && !live.empty()) e->cancelAll();
    held.clear();
    preparing.clear();
    withdrawn.clear();
    cells.clear();
    sweeps = std::move(content.sweeps);
    edited.clear();
    pauseAfter.clear();
    if (Engine* e = bridge.engine(); e && isQueuePaused) e->resumeQueue();
    live.clear();  // what still comes of them is late and recognised by its id
    waitingOrder.clear();
    requested.clear();
    removed.clear();
    autosave.stop();
    runWhenPlanned = false;
    dirty = false;
    runs = std::move(content.runs);
    lastNumber = 0;
    for (const RunPtr& r : runs) lastNumber = std::max(lastNumber, r->number);
    draft = content.draft;
    undo.clear();
    bridge.setRecorder(file.recorder());
    hold(content.waiting);
    startPlanning();
    emit owner.draftChanged();
    emit owner.runsChanged();
    emit owner.sweepsChanged();
    emit owner.projectChanged();
    if (content.unsavedDraft && *content.unsavedDraft != draft)
        owner.editDraft(*content.unsavedDraft, Document::tr("unsaved changes of last time"));
}

ProjectContent Document::Implementation::content() const {
    ProjectContent c;
    c.draft = draft;
    for (const RunPtr& r : runs)
        if (!removed.contains(qstr(r->id))) c.runs.push_back(r);
    c.removed = QStringList(removed.begin(), removed.end());
    return c;
}

void Document::Implementation::saved() {
    autosave.stop();
    dirty = false;
    undo.setClean();
    emit owner.projectChanged();
    emit owner.message(Document::tr("Saved %1").arg(file.name()));
}

void Document::newProject() {
    auto& d = *m_implementation;
    auto content = d.file.create();
    if (!content) {
        emit problem(qstr(content.error().text), qstr(content.error().detail));
        return;
    }
    if (const auto model = inspectModel(content->draft.model)) content->draft = recommendedRecipe(*model);
    d.adopt(std::move(*content));
}

Status Document::open(const QString& path) {
    auto content = m_implementation->file.open(path);
    if (!content) return content.error();
    m_implementation->adopt(std::move(*content));
    return Done{};
}

Status Document::openAsUntitled(const QString& path, const QString& name) {
    auto content = m_implementation->file.openCopy(path, name);
    if (!content) return content.error();
    m_implementation->adopt(std::move(*content));
    return Done{};
}

Status Document::save() {
    auto& d = *m_implementation;
    const Status s = d.file.save(d.content());
    if (s) d.saved();
    return s;
}

Status Document::saveAs(const QString& path) {
    auto& d = *m_implementation;
    const Status s = d.file.saveAs(path, d.content());
    if (s) d.saved();
    return s;
}

QString Document::path() const { return m_implementation->file.path(); }
QString Document::displayName() const { return m_implementation->file.name(); }

std::vector<RecoveryEntry> Document::recoverable() const { return m_implementation->file.recoverable(); }

Status Document::restore(const RecoveryEntry& entry) {
    auto content = m_implementation->file.restore(entry);
    if (!content) return content.error();
    m_implementation->adopt(std::move(*content));
    m_implementation->dirty = true;
    emit projectChanged();
    return Done{};
}

void Document::discard(const RecoveryEntry& entry) { ProjectFile::discard(entry); }

}  // namespace meander::gui
