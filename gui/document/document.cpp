#include "gui/document/document.h"

#include <QtConcurrent>

#include "gui/document/document_state.h"
#include "gui/document/run_text.h"

namespace meander::gui {
namespace {

// The draft on another model: what was asked for stays, how it is sampled is what the model recommends.
Recipe carriedOver(const Recipe& now, const ModelInfo* before, const ModelInfo& model) {
    Recipe next = recommendedRecipe(model);
    next.seed = now.seed;
    next.device = now.device;
    next.attention = now.attention;
    next.recordStates = now.recordStates;
    if (model.conditioning == ConditioningKind::Text && !now.prompt.empty()) {
        next.prompt = now.prompt;
        next.negativePrompt = now.negativePrompt;
    }
    if (before && before->state == model.state) next.images = now.images;
    return next;
}

}  // namespace

Document::Document(QObject* parent) : QObject(parent), m_implementation(std::make_unique<Implementation>(*this)) {
    auto& d = *m_implementation;
    d.undo.setUndoLimit(200);
    d.planPool.setMaxThreadCount(1);
    d.autosave.setSingleShot(true);
    d.autosave.setInterval(10'000);
    connect(&d.planning, &QFutureWatcherBase::finished, this, [this] { m_implementation->planned(); });
    connect(&d.undo, &QUndoStack::cleanChanged, this, &Document::projectChanged);
    connect(&d.undo, &QUndoStack::indexChanged, this, [this] { m_implementation->scheduleAutosave(); });
    connect(&d.autosave, &QTimer::timeout, this, [this] { m_implementation->snapshot(); });
    d.modelWork = std::make_unique<Latest<ModelAnswer>>(this, [this](const ModelAnswer& a) {
        if (!a.model) {
            emit problem(qstr(a.model.error().text), qstr(a.model.error().detail));
            emit draftChanged();  // forms that already show the new name go back
            return;
        }
        editDraft(carriedOver(draft(), draftModel().get(), *a.model), tr("model"));
    });
    connect(&d.bridge, &EngineBridge::arrived, this, [this](const Arrival& a) { m_implementation->receive(a); });
    connect(&d.file, &ProjectFile::trajectoryLoaded, this, [this](const QString& id, std::shared_ptr<const Run> full) {
        m_implementation->requested.remove(id);
        m_implementation->changeRun(id, [&](Run& r) {
            r.trajectory = full->trajectory;
            if (full->images) r.images = full->images;
        });
        emit trajectoryLoaded(id);
        const auto& branch = draft().branch;
        if (startRunOf(draft()) == id.toStdString() || (branch && branch->run == id.toStdString()))
            m_implementation->startPlanning();  // it could not be planned without the record
    });
    connect(&d.file, &ProjectFile::imagesLoaded, this, [this](const QString& id, const HostTensor& images) {
        m_implementation->changeRun(id, [&](Run& r) { r.images = images; });
        emit runChanged(id);
    });
    connect(&d.file, &ProjectFile::prepared, this,
            [this](const QString& id, Continuation how, const Result<Submission>& ready) {
                m_implementation->prepared(id, how, ready);
            });
    connect(&d.file, &ProjectFile::problem, this, &Document::problem);
    newProject();
}

Document::~Document() {
    auto& d = *m_implementation;
    d.planning.disconnect(this);
    d.planning.waitForFinished();
    disconnect(&d.undo, nullptr, this, nullptr);
    d.bridge.setRecorder(nullptr);
    d.file.close();
}

void Document::startEngine() {
    auto& d = *m_implementation;
    d.bridge.start();
    emit deviceChanged();
    if (!d.isPlanUnderWay && !d.plan.plan) d.startPlanning();
}

std::string Document::deviceDescription() const {
    const Engine* e = m_implementation->bridge.engine();
    return e ? e->deviceDescription() : std::string();
}
std::string Document::deviceNote() const {
    const Engine* e = m_implementation->bridge.engine();
    return e ? e->deviceNote() : std::string();
}

const Recipe& Document::draft() const { return m_implementation->draft; }
QUndoStack& Document::undoStack() { return m_implementation->undo; }
const Result<Plan>& Document::draftPlan() const { return m_implementation->plan.plan; }
bool Document::isPlanning() const { return m_implementation->isPlanUnderWay; }
std::vector<RuleCost> Document::guidanceCosts() const {
    return draftPlan() ? draftPlan()->guidance : std::vector<RuleCost>();
}
std::shared_ptr<const ModelInfo> Document::draftModel() const { return m_implementation->plan.model; }

void Document::editDraft(const Recipe& next, const QString& label, const QString& mergeKey) {
    auto& d = *m_implementation;
    if (next == d.draft) return;
    const auto set = [this](const Recipe& r) {
        m_implementation->draft = r;
        m_implementation->startPlanning();
        emit draftChanged();
    };
    d.undo.push(new DocumentEdit(
        label, mergeKey.isEmpty() ? QString() : "draft/" + mergeKey, [set, next] { set(next); },
        [set, before = d.draft] { set(before); }));
}

void Document::useModel(const QString& idOrPath) {
    m_implementation->modelWork->request([id = idOrPath.toStdString()] { return ModelAnswer{id, inspectModel(id)}; });
}

RunPtr Document::Implementation::recordFor(const std::string& id) {
    RunPtr* found = id.empty() ? nullptr : find(qstr(id));
    if (!found) return nullptr;
    if (!(*found)->trajectory) owner.requestTrajectory(qstr(id));
    return *found;
}

void Document::Implementation::startPlanning() {
    if (isPlanUnderWay) {
        replan = true;
        return;
    }
    isPlanUnderWay = true;
    const RunPtr parent = draft.branch ? recordFor(draft.branch->run) : nullptr, start = recordFor(startRunOf(draft));
    planning.setFuture(QtConcurrent::run(&planPool, [recipe = draft, parent, start]() -> PlanAnswer {
        PlanAnswer answer;
        try {
            auto info = inspectModel(recipe.model);
            if (!info) {
                answer.plan = info.error();
                return answer;
            }
            answer.model = std::make_shared<const ModelInfo>(*info);
            answer.plan = meander::plan(recipe, *info, parent.get(), start.get());
        } catch (const std::exception& e) {
            answer.plan = Error{"The recipe could not be planned: " + std::string(e.what()), ""};
        }
        return answer;
    }));
}

void Document::Implementation::planned() {
    isPlanUnderWay = false;
    if (replan) {  // the answer is about an older draft; a newer one takes its place
        replan = false;
        startPlanning();
        return;
    }
    plan = planning.result();
    emit owner.planChanged();
    if (!runWhenPlanned) return;
    runWhenPlanned = false;
    submit();
}

bool Document::isModified() const { return m_implementation->dirty || !m_implementation->undo.isClean(); }

void Document::Implementation::snapshot() {
    autosave.stop();
    if (const Status s = file.snapshot(content()); !s) emit owner.problem(qstr(s.error().text), qstr(s.error().detail));
}

void Document::Implementation::scheduleAutosave() {
    if (owner.isModified() && !autosave.isActive()) autosave.start();
}

}  // namespace meander::gui
