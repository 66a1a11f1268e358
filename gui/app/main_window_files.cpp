// Projects, recipes and images: opening, saving, dropping, and the first start.
#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QImageReader>
#include <QMimeData>
#include <QSaveFile>
#include <QTimer>

#include "engine/core/file_identity.h"
#include "engine/core/resources.h"
#include "engine/exchange/file_kind.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/recipe/recipe_fields.h"
#include "gui/app/dialogs.h"
#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/panels/log/log_model.h"
#include "gui/panels/model/model_panel.h"
#include "gui/widgets/drop_hint.h"
#include "meander_version.h"

namespace meander::gui {
namespace {

// A list of points rather than a recipe: [[1, 2], ...] or {"points": ...}.
bool holdsPoints(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) return false;
    const QByteArray head = file.read(4096).trimmed();
    return head.startsWith('[')
           || (head.startsWith('{') && head.contains("\"points\"") && !head.contains("\"sampler\""));
}

bool hasFiles(const QMimeData* data) {
    for (const QUrl& url : data->urls())
        if (url.isLocalFile()) return true;
    return false;
}

}  // namespace

bool MainWindow::report(const Status& status) {
    if (!status) emit m_document.problem(qstr(status.error().text), qstr(status.error().detail));
    return status.ok();
}

bool MainWindow::mayLeaveProject() {
    if (!m_document.isModified()) return true;
    switch (m_userPrompts.saveChanges(m_document.displayName())) {
    case SaveAnswer::Save: return saveProject();
    case SaveAnswer::Discard: return true;
    case SaveAnswer::Cancel: return false;
    }
    return false;
}

void MainWindow::newProject() {
    const int live = int(m_document.queue().size());
    if ((live > 0 && !m_userPrompts.stopRuns(live)) || !mayLeaveProject()) return;
    m_document.newProject();
    forgetLastProject();
}

bool MainWindow::openProject(const QString& path) {
    const int live = int(m_document.queue().size());
    if ((live > 0 && !m_userPrompts.stopRuns(live)) || !mayLeaveProject()) return false;
    if (!report(m_document.open(path))) return false;
    settings::addRecentFile(m_document.path());
    settings::setLastFolder(QFileInfo(path).absolutePath());
    forgetLastProject();
    emit m_document.message(tr("Opened %1").arg(m_document.displayName()));
    return true;
}

// What was said about another project is not true of this one.
void MainWindow::forgetLastProject() {
    m_hint->hide();
    m_lastMessage->clear();
}

bool MainWindow::saveProject() {
    commitField();
    if (m_document.path().isEmpty()) return saveProjectAs();
    return report(m_document.save());
}

bool MainWindow::saveProjectAs() {
    commitField();
    const QString path = m_userPrompts.savePath();
    if (path.isEmpty() || !report(m_document.saveAs(path))) return false;
    settings::addRecentFile(path);
    settings::setLastFolder(QFileInfo(path).absolutePath());
    return true;
}

bool MainWindow::openAnything(const QString& path) {
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    const FileKind kind = fileKindOf(path.toStdString());
    if (kind == FileKind::Project) return openProject(path);
    if (kind == FileKind::Image || (kind == FileKind::Recipe && !holdsPoints(path))) return offerRecipe(path);
    // Weights of other formats too: opening one says what it is.
    if (info.isDir()
        || QStringList{"safetensors", "gguf", "ckpt", "pt", "pth", "csv", "npy", "json"}.contains(suffix)) {
        m_model->useModel(modelIdOf(path));
        return true;
    }
    const FileFormat format = formatOfFile(path.toStdString());
    emit m_document.problem(
        tr("Meander does not know what to do with '%1'%2. It opens projects (.meander), recipes (.json, .txt), images "
           "with a recipe in them (.png, .jpg, .webp), models, and points (.csv, .npy, .json).")
            .arg(info.fileName(),
                 format == FileFormat::Unknown ? QString() : tr(", %1").arg(QString::fromUtf8(nameOf(format)))),
        {});
    return false;
}

bool MainWindow::offerRecipe(const QString& path) {
    const QString name = QFileInfo(path).fileName();
    auto read = readRecipeFrom(path.toStdString());
    if (!read) return startFrom(path) || report(read.error());
    Recipe offered = read->recipe;
    const Recipe& now = m_document.draft();
    if (read->source != "meander") {
        // A foreign recipe names neither our model nor how we run and record.
        for (const RecipeField& field : recipeFields())
            if (field.isLocal) copyField(field, now, offered);
    }
    offered.branch.reset();  // its parent is in another project
    QStringList remarks;     // what was assumed first, each with its kind
    if (const auto model = m_document.draftModel();
        model && model->state.granule == 0 && (offered.width || offered.height)) {
        remarks.append(tr("Left out: the size of the image, since %1 has one size only").arg(qstr(model->name)));
        offered.width.reset();
        offered.height.reset();
    }
    for (const std::string& r : read->assumed()) remarks.append(tr("Assumed: %1").arg(qstr(r)));
    for (const std::string& r : read->notUnderstood()) remarks.append(tr("Not understood: %1").arg(qstr(r)));
    if (!m_userPrompts.useRecipe(now, offered, name, remarks)) return false;
    m_document.editDraft(offered, tr("recipe of %1").arg(name));
    return true;
}

// An image that tells no recipe is something to start from, where the model draws images.
bool MainWindow::startFrom(const QString& path) {
    const auto model = m_document.draftModel();
    if (QFileInfo(path).suffix().toLower() != "png" || !model || model->state.kind != StateKind::Image
        || QImageReader(path).size().isEmpty())
        return false;
    Recipe next = m_document.draft();
    next.branch.reset();
    next.start.id = "data";
    next.start.params.erase("run");
    next.start.params["file"] = path.toStdString();
    m_document.editDraft(next, tr("start"));
    emit m_document.message(tr("The draft starts from %1, which holds no recipe").arg(QFileInfo(path).fileName()));
    return true;
}

void MainWindow::exportRecipe() {
    const QString path =
        QFileDialog::getSaveFileName(this, tr("Export the draft recipe"),
                                     settings::lastFolder() + QStringLiteral("/recipe.json"), tr("Recipes (*.json)"));
    if (path.isEmpty()) return;
    QSaveFile file(path);
    const auto& plan = m_document.draftPlan();
    const std::string text = toJson(plan ? plan.value().resolved : m_document.draft()).dump(2) + "\n";
    if (!file.open(QIODevice::WriteOnly) || file.write(text.data(), qint64(text.size())) != qint64(text.size())
        || !file.commit())
        emit m_document.problem(
            tr("Cannot write '%1': %2. Choose another folder or free some space.").arg(path, file.errorString()), {});
    else emit m_document.message(tr("Exported %1").arg(QFileInfo(path).fileName()));
}

void MainWindow::begin(const QString& path, bool asCopy) {
    m_document.startEngine();
    openFirst(path, asCopy);
    if (m_document.recoverable().empty()) return;
    m_userPrompts.recover(m_document);
    if (!m_document.isModified() || m_document.runs().empty()) return;  // nothing was restored
    m_hint->hide();
    showRun(m_document.runs().back());  // what was under way is what is missed, not the baseline
}

void MainWindow::openFirst(const QString& path, bool asCopy) {
    if (!path.isEmpty()) {
        if (asCopy && QFileInfo(path).suffix().toLower() == "meander")
            report(m_document.openAsUntitled(path, QFileInfo(path).fileName()));
        else openAnything(path);
        return;
    }
    const QString last = QSettings().value("files/last").toString();
    if (settings::opensLastProject() && !last.isEmpty() && QFileInfo::exists(last) && openProject(last)) return;
    if (!QSettings().contains("files/last") || !settings::hintWasSeen()) openSample();
    else offerStart();
}

// Instead of an empty window that says nothing.
void MainWindow::offerStart() {
    QList<HintBar::Answer> answers{
        {tr("Open the sample"), tr("A finished run to look at; opened as a copy."), [this] { openSample(); }}};
    for (const QString& path : settings::recentFiles())
        if (QFileInfo::exists(path) && answers.size() < (width() < 1400 ? 2 : 4))
            answers.append({QFileInfo(path).fileName(), path, [this, path] { openAnything(path); }});
    answers.append({tr("Open …"), {}, [this] { m_commands.trigger("file.open"); }});
    m_hint->say(tr("This project is new and empty. Run the draft, or go on with:"), answers);
}

void MainWindow::openSample() {
    const auto sample = findResource("samples/sprites-tour.meander");
    if (!sample || !mayLeaveProject()) return;
    if (!report(m_document.openAsUntitled(qstr(*sample), QStringLiteral("sprites-tour.meander")))) return;
    forgetLastProject();
    if (settings::hintWasSeen()) return;
    m_hint->say(tr("This is a finished run. Move over the film strip to see how the image came about, click a word "
                   "to see where it looked, then change the recipe and press Run."),
                {{tr("Got it"), {}, [] { settings::setHintWasSeen(true); }}});
}

void MainWindow::copyDiagnostics() {
    QStringList lines{
        QStringLiteral("Meander %1, Qt %2, %3")
            .arg(QStringLiteral(MEANDER_VERSION), QLatin1String(qVersion()), QSysInfo::prettyProductName()),
        qstr(m_document.deviceDescription()), qstr(m_document.deviceNote()),
        QStringLiteral("GUI stalls: %1, longest %2 ms").arg(m_watchdog.stalls()).arg(qRound(m_watchdog.longest().ms))};
    LogModel& log = programLog();
    for (int i = std::max(0, log.rowCount() - 200); i < log.rowCount(); ++i)
        lines.append(log.index(i, 0).data().toString());
    QApplication::clipboard()->setText(lines.join('\n'));
    emit m_document.message(tr("Copied"));
}

// What letting go of the files will do.
static QString dropSentence(const QMimeData* data) {
    for (const QUrl& url : data->urls()) {
        if (!url.isLocalFile()) continue;
        const QFileInfo file(url.toLocalFile());
        return file.suffix().toLower() == "meander" ? MainWindow::tr("Open the project %1").arg(file.fileName())
                                                    : MainWindow::tr("Open %1").arg(file.fileName());
    }
    return {};
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!hasFiles(event->mimeData())) return;
    event->acceptProposedAction();
    m_dropHint->say(dropSentence(event->mimeData()));
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent*) { m_dropHint->leave(); }

void MainWindow::dropEvent(QDropEvent* event) {
    m_dropHint->leave();
    event->acceptProposedAction();
    QStringList paths;
    for (const QUrl& url : event->mimeData()->urls())
        if (url.isLocalFile()) paths.append(url.toLocalFile());
    if (paths.isEmpty()) return;
    if (paths.size() > 1) emit m_document.message(tr("Of %1 files the first is opened").arg(paths.size()));
    // Not inside the drop: the other program waits for its end.
    QTimer::singleShot(0, this, [this, path = paths.front()] { openAnything(path); });
}

// A file that is dropped on a text field is opened, not written into it.
bool MainWindow::takeDrop(QObject* watched, QEvent* event) {
    const auto* widget = qobject_cast<QWidget*>(watched);
    if (!widget || widget == this || widget->window() != this || widget->property("takesFiles").toBool()) return false;
    auto* drop = static_cast<QDropEvent*>(event);
    if (!hasFiles(drop->mimeData())) return false;
    if (event->type() == QEvent::Drop) {
        dropEvent(drop);
    } else {
        drop->acceptProposedAction();
        m_dropHint->say(dropSentence(drop->mimeData()));
    }
    return true;
}

}  // namespace meander::gui
