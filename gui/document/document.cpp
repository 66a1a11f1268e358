#include "gui/document/document.h"

#include <QtConcurrent>

#include "engine/models/declarations.h"
#include "engine/recipe/recipe_fields.h"
#include "gui/document/document_state.h"
#include "gui/document/run_text.h"

namespace meander::gui {
namespace {

// A setting of sampling, as the model may recommend it.
bool isSetting(const RecipeField& f) { return !f.isSubject && !f.isLocal; }

Recipe withSettingsOf(const Recipe& recommended, Recipe recipe) {
    for (const RecipeField& f : recipeFields())
        if (isSetting(f)) copyField(f, recommended, recipe);
    return recipe;
}

// With what the draft declares of it, as far as that goes together.
ModelInfo asDeclared(ModelInfo stated, const Choice& checkpoint) {
    try {
        return declared(stated, checkpoint);
    } catch (const Failure&) {
        return stated;
    }
}

// The recipe on another model: what it can run stays, the rest is what it recommends.
Recipe carriedOver(const Recipe& now, const ModelInfo* before, const ModelInfo& model) {
    const Recipe recommended = recommendedRecipe(model);
    Recipe next = now;
    next.model = recommended.model;
    next.branch.reset();
    next.checkpoint = recommended.checkpoint;  // declared of the other model
    if (model.conditioning != ConditioningKind::Text) next.prompt.clear(), next.negativePrompt.clear();
    else if (next.prompt.empty()) next.prompt = recommended.prompt;
    if (next.classIndex && *next.classIndex >= int(model.classes.size())) next.classIndex = recommended.classIndex;
    if (model.conditioning == ConditioningKind::None) next.guidance = recommended.guidance;
    const bool isOtherKind = !before || before->state != model.state;
    if (isOtherKind) next.images = recommended.images;
    if (isOtherKind || next.start.id == "run") next.start = recommended.start;
    if (plan(next, model).ok()) return next;
    for (const RecipeField& f : recipeFields()) {
        if (!isSetting(f)) continue;
        Recipe mended = next;
        copyField(f, recommended, mended);
        if (plan(mended, model).ok()) return mended;
    }
    const Recipe all = withSettingsOf(recommended, next);
    return plan(all, model).ok() ? all : next;  // else something other than a setting is in the way
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
        if (a.asked != draft()) return useModel(a.id);  // it was edited meanwhile
        editDraft(a.draft, tr("model"));
        if (withSettingsOf(recommendedRecipe(*a.model), a.draft) != a.draft)
            emit settingsKept(tr("The recipe stays as far as %1 can run it. The model recommends other settings.")
                                  .arg(qstr(a.model->name)));
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
        if (startRunOf(draft()) == id.toStdString() || sourceRunOf(draft()) == id.toStdString()
            || (branch && branch->run == id.toStdString()))
            m_implementation->startPlanning();  // it could not be planned without the record
    });
    connect(&d.file, &ProjectFile::trajectoryLost, this, [this](const QString& id, const QString& sentence) {
        m_implementation->changeRun(id, [&](Run& r) {
            r.trajectory = std::make_shared<const Trajectory>();
            if (r.problem.empty()) r.problem = sentence.toStdString();
        });
        emit trajectoryLoaded(id);
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
    m_implementation->modelWork->request([id = idOrPath, now = draft(), before = draftModel()] {
        ModelAnswer answer{id, now, inspectModel(id.toStdString()), {}};
        if (answer.model) answer.draft = carriedOver(now, before.get(), *answer.model);
        return answer;
    });
}

void Document::useModelSettings() {
    if (const auto model = draftModel()) editDraft(withSettingsOf(recommendedRecipe(*model), draft()), tr("settings"));
}

void Document::setInvalidFields(const QStringList& sentences) {
    if (sentences == m_implementation->invalidFields) return;
    m_implementation->invalidFields = sentences;
    emit planChanged();
}

const QStringList& Document::invalidFields() const { return m_implementation->invalidFields; }

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
    const RunPtr parent = draft.branch ? recordFor(draft.branch->run) : nullptr, start = recordFor(startRunOf(draft)),
                 source = recordFor(sourceRunOf(draft));
    planning.setFuture(QtConcurrent::run(&planPool, [recipe = draft, parent, start, source]() -> PlanAnswer {
        PlanAnswer answer;
        try {
            auto info = inspectModel(recipe.model);
            if (!info) {
                answer.plan = info.error();
                return answer;
            }
            answer.plan = meander::plan(recipe, *info, parent.get(), start.get(), source.get());
            answer.model = std::make_shared<const ModelInfo>(asDeclared(*info, recipe.checkpoint));
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
