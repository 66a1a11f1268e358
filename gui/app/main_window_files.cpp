// Projects, recipes and pictures: opening, saving, dropping, and the first start.
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

#include "engine/core/json.h"
#include "engine/core/resources.h"
#include "gui/app/dialogs.h"
#include "gui/app/main_window.h"
#include "gui/app/settings.h"
#include "gui/document/run_text.h"
#include "gui/panels/log/log_model.h"
#include "gui/panels/model/model_panel.h"
#include "meander_version.h"

namespace meander::gui {
namespace {

constexpr std::size_t recipeLimit = std::size_t(4) << 20;
const char* const pictureKeys[] = {"meander", "meander_recipe", "meander-recipe"};

Result<Recipe> recipeFromText(const QString& text, const QString& from) {
    auto json = parseJson(text.toStdString(), "'" + from.toStdString() + "'", {recipeLimit, 64});
    if (!json) return json.error();
    if (json->is_object() && json->contains("recipe")) return recipeFromJson((*json)["recipe"]);
    return recipeFromJson(*json);
}

}  // namespace

bool MainWindow::report(const Status& status) {
    if (!status) emit m_document.problem(qstr(status.error().text), qstr(status.error().detail));
    return status.ok();
}

bool MainWindow::mayLeaveProject() {
    if (!m_document.isModified()) return true;
    switch (m_questions.saveChanges(m_document.displayName())) {
        case SaveAnswer::Save: return saveProject();
        case SaveAnswer::Discard: return true;
        case SaveAnswer::Cancel: return false;
    }
    return false;
}

void MainWindow::newProject() {
    const int live = int(m_document.queue().size());
    if ((live > 0 && !m_questions.stopRuns(live)) || !mayLeaveProject()) return;
    m_document.newProject();
}

bool MainWindow::openProject(const QString& path) {
    const int live = int(m_document.queue().size());
    if ((live > 0 && !m_questions.stopRuns(live)) || !mayLeaveProject()) return false;
    if (!report(m_document.open(path))) return false;
    settings::addRecentFile(m_document.path());
    settings::setLastFolder(QFileInfo(path).absolutePath());
    m_hint->hide();
    return true;
}

bool MainWindow::saveProject() {
    if (m_document.path().isEmpty()) return saveProjectAs();
    return report(m_document.save());
}

bool MainWindow::saveProjectAs() {
    const QString path = m_questions.savePath();
    if (path.isEmpty() || !report(m_document.saveAs(path))) return false;
    settings::addRecentFile(path);
    settings::setLastFolder(QFileInfo(path).absolutePath());
    return true;
}

bool MainWindow::openAnything(const QString& path) {
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    if (suffix == "meander") return openProject(path);
    if (suffix == "json" || suffix == "png") return offerRecipe(path);
    if (info.isDir() || suffix == "safetensors" || suffix == "gguf" || suffix == "ckpt" || suffix == "pt" || suffix == "pth") {
        m_model->useModel(info.absoluteFilePath());
        return true;
    }
    emit m_document.problem(tr("Meander does not know what to do with '%1'. It opens projects (.meander), recipes (.json), pictures with a recipe in them (.png) and models.").arg(info.fileName()), {});
    return false;
}

bool MainWindow::offerRecipe(const QString& path) {
    const QString name = QFileInfo(path).fileName();
    QString text;
    if (path.endsWith(".png", Qt::CaseInsensitive)) {
        QImageReader reader(path);
        for (const char* key : pictureKeys)
            if (text.isEmpty()) text = reader.text(QLatin1String(key));
        if (text.isEmpty()) {
            emit m_document.problem(tr("'%1' has no recipe of Meander in it. Pictures exported by Meander carry theirs.").arg(name), {});
            return false;
        }
    } else {
        auto read = readTextFile(path.toStdString(), recipeLimit);
        if (!read) return report(read.error());
        text = qstr(*read);
    }
    const auto recipe = recipeFromText(text, name);
    if (!recipe) return report(recipe.error());
    if (!m_questions.useRecipe(m_document.draft(), *recipe, name)) return false;
    m_document.editDraft(*recipe, tr("recipe of %1").arg(name));
    return true;
}

void MainWindow::exportRecipe() {
    const QString path = QFileDialog::getSaveFileName(this, tr("Export the draft recipe"), settings::lastFolder() + QStringLiteral("/recipe.json"), tr("Recipes (*.json)"));
    if (path.isEmpty()) return;
    QSaveFile file(path);
    const auto& plan = m_document.draftPlan();
    const std::string text = toJson(plan ? plan.value().resolved : m_document.draft()).dump(2) + "\n";
    if (!file.open(QIODevice::WriteOnly) || file.write(text.data(), qint64(text.size())) != qint64(text.size()) || !file.commit())
        emit m_document.problem(tr("Cannot write '%1': %2. Choose another folder or free some space.").arg(path, file.errorString()), {});
    else
        emit m_document.message(tr("Exported %1").arg(QFileInfo(path).fileName()));
}

void MainWindow::begin(const QString& path) {
    m_document.startEngine();
    openFirst(path);
    if (!m_document.recoverable().empty()) m_questions.recover(m_document);
}

void MainWindow::openFirst(const QString& path) {
    if (!path.isEmpty()) {
        openAnything(path);
        return;
    }
    const QString last = QSettings().value("files/last").toString();
    if (settings::opensLastProject() && !last.isEmpty() && QFileInfo::exists(last) && openProject(last)) return;
    if (!QSettings().contains("files/last") || !settings::hintWasSeen()) openSample();
}

void MainWindow::openSample() {
    const auto sample = findResource("samples/sprites-tour.meander");
    if (!sample || !mayLeaveProject()) return;
    if (!report(m_document.openAsUntitled(qstr(*sample), QStringLiteral("sprites-tour.meander")))) return;
    m_hint->show();
}

void MainWindow::copyDiagnostics() {
    QStringList lines{QStringLiteral("Meander %1, Qt %2, %3").arg(QStringLiteral(MEANDER_VERSION), QLatin1String(qVersion()), QSysInfo::prettyProductName()), qstr(m_document.deviceDescription()), qstr(m_document.deviceNote()),
                      QStringLiteral("GUI stalls: %1, longest %2 ms").arg(m_watchdog.stalls()).arg(m_watchdog.longestMs())};
    LogModel& log = programLog();
    for (int i = std::max(0, log.rowCount() - 200); i < log.rowCount(); ++i) lines.append(log.index(i, 0).data().toString());
    QApplication::clipboard()->setText(lines.join('\n'));
    emit m_document.message(tr("Copied"));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    event->acceptProposedAction();
    for (const QUrl& url : event->mimeData()->urls())
        if (url.isLocalFile()) {
            // Not inside the drop: the other program waits for its end.
            QTimer::singleShot(0, this, [this, path = url.toLocalFile()] { openAnything(path); });
            return;
        }
}

}  // namespace meander::gui
