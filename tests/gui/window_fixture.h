// A window as a person finds it: real widgets, real engine; questions are answered in the person's place, settings and
// recovery files are the test's own.
#pragma once
#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QMimeData>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>

#include "gui/app/main_window.h"
#include "gui/document/project_file.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/theme.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"

namespace meander::gui::test {

// Once per program; `name` keeps the settings of programs apart, also of one that is started by another.
inline void prepareApplication(const QString& name) {
    QStandardPaths::setTestModeEnabled(true);
    QCoreApplication::setOrganizationName("MeanderTest");
    QCoreApplication::setApplicationName(name);
    loadFonts();
    applyTheme(ThemeChoice::Dark);
}
inline void forgetEverything() {
    QSettings().clear();
    QDir(ProjectFile::recoveryFolder()).removeRecursively();
}

inline std::unique_ptr<MainWindow> openWindow(QSize size = {1440, 900}) {
    auto window = std::make_unique<MainWindow>();
    UserPrompts& q = window->userPrompts();
    q.saveChanges = [](const QString&) { return SaveAnswer::Discard; };
    q.stopRuns = [](int) { return true; };
    q.recover = [](Document&) {};
    window->resize(size);
    window->show();
    window->document().startEngine();
    return window;
}

#define WAIT_FOR_PLAN(document) QTRY_VERIFY_WITH_TIMEOUT(!(document).isPlanning() && (document).draftModel(), 120000)

// An exact model in the plane: a run takes moments.
inline Recipe ringRecipe(int steps = 6, const std::string& model = "analytic:ring8") {
    Recipe r;
    r.model = model;
    r.schedule = {"karras", {}};
    r.sampler = {"heun", {}};
    r.prompt.clear();
    r.guidance.clear();
    r.steps = steps;
    r.images = 32;
    r.attention = AttentionLevel::Off;
    return r;
}
// The smallest trained model of images, one image, so many evaluations that a person has time to do something.
inline Recipe longRecipe(int steps = 400) {
    Recipe r;
    r.model = "builtin:sprites-unet";
    r.prompt = "a red circle above a blue square on a white background";
    r.sampler = {"euler", {}};
    r.schedule = {"karras", {}};
    r.steps = steps;
    r.images = 1;
    r.attention = AttentionLevel::Off;
    return r;
}

inline QToolButton* toolButton(MainWindow& window, const QString& command) {
    return window.findChild<QToolButton*>("button." + command);
}

// What a person does who drags files from elsewhere and lets them go over a widget. False when the widget does not take
// them.
inline bool dropFiles(QWidget* on, const QStringList& paths) {
    QMimeData data;
    QList<QUrl> urls;
    for (const QString& p : paths) urls.append(QUrl::fromLocalFile(p));
    data.setUrls(urls);
    const QPoint at = on->rect().center();
    QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(on, &enter);
    if (!enter.isAccepted()) return false;
    QDragMoveEvent move(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(on, &move);
    QDropEvent drop(QPointF(at), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(on, &drop);
    return drop.isAccepted();
}

// Does something in the next dialog of that name as soon as it is open; dialogs that wait for an answer run an event
// loop of their own.
inline void inDialog(const QString& name, std::function<void(QDialog*)> act) {
    auto* timer = new QTimer;
    QObject::connect(timer, &QTimer::timeout, timer, [timer, name, act] {
        auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget());
        if (!dialog || dialog->objectName() != name) return;
        timer->stop();
        timer->deleteLater();
        act(dialog);
    });
    timer->start(20);
}
inline QAbstractButton* buttonCalled(QWidget* in, const QString& text) {
    for (auto* b : in->findChildren<QAbstractButton*>())
        if (b->text() == text && b->isVisible()) return b;
    return nullptr;
}

}  // namespace meander::gui::test
