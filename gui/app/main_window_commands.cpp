// The table of commands, and the menus and the tool bar made from it.
#include <QApplication>
#include <QDesktopServices>
#include <QFileInfo>
#include <QMenuBar>
#include <QToolBar>
#include <QToolButton>

#include "gui/app/dialogs.h"
#include "gui/app/main_window.h"
#include "gui/app/settings_dialog.h"
#include "gui/app/shortcut_sheet.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/icons.h"
#include "gui/panels/model/model_panel.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"
#include "gui/widgets/search_button.h"

namespace meander::gui {

void MainWindow::addFileCommands() {
    const QString menu = tr("File");
    m_commands.add({"file.new",
                    menu,
                    tr("New project"),
                    tr("Starts an empty, untitled project."),
                    {QKeySequence::New},
                    "file",
                    [this] { newProject(); }});
    m_commands.add({"file.open",
                    menu,
                    tr("Open …"),
                    tr("Opens a project, a recipe, an image with a recipe in it, or a model."),
                    {QKeySequence::Open},
                    "folder",
                    [this] {
                        if (const QString path = m_userPrompts.openPath(); !path.isEmpty()) openAnything(path);
                    }});
    m_commands.add({"file.save",
                    menu,
                    tr("Save"),
                    tr("Writes the draft, names and deletions into the project; finished runs are in it already."),
                    {QKeySequence::Save},
                    "save",
                    [this] { saveProject(); },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"file.saveAs", menu, tr("Save as …"), {}, {QKeySequence("Ctrl+Shift+S")}, "save", [this] {
                        saveProjectAs();
                    }});
    m_commands.add({"file.openModel",
                    menu,
                    tr("Open a model file …"),
                    tr("A .safetensors file, or points (.csv, .npy, .json)."),
                    {},
                    "model",
                    [this] { m_model->openFile(); },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"file.openModelFolder",
                    menu,
                    tr("Open a model folder …"),
                    tr("In the layout of diffusers."),
                    {},
                    "folder",
                    [this] { m_model->openFolder(); }});
    m_commands.add({"file.exportRecipe",
                    menu,
                    tr("Export the draft recipe …"),
                    tr("As JSON, for meander-run and other people."),
                    {},
                    "export",
                    [this] { exportRecipe(); }});
    m_commands.add({"file.saveImage",
                    menu,
                    tr("Save the image …"),
                    tr("As PNG, at the step shown, with the recipe in it."),
                    {},
                    "image",
                    [this] { QMetaObject::invokeMethod(m_canvas, "saveImage"); },
                    [this] { return currentRun() != nullptr; }});
    m_commands.add({"file.settings",
                    menu,
                    tr("Settings …"),
                    {},
                    {QKeySequence("Ctrl+,")},
                    "settings",
                    [this] {
                        SettingsDialog(
                            m_commands, [this](ThemeChoice c, double s) { changeAppearance(c, s); }, this)
                            .exec();
                    },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"file.quit",
                    menu,
                    tr("Quit"),
                    {},
                    {QKeySequence("Ctrl+Q")},
                    "close",
                    [this] { close(); },
                    nullptr,
                    nullptr,
                    true});
}

void MainWindow::addEditCommands() {
    const QString menu = tr("Edit");
    QUndoStack& undo = m_document.undoStack();
    m_commands.add({"edit.undo",
                    menu,
                    tr("Undo"),
                    {},
                    {QKeySequence("Ctrl+Z")},
                    "undo",
                    [&undo] { undo.undo(); },
                    [&undo] { return undo.canUndo(); }});
    m_commands.add({"edit.redo",
                    menu,
                    tr("Redo"),
                    {},
                    {QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")},
                    "redo",
                    [&undo] { undo.redo(); },
                    [&undo] { return undo.canRedo(); }});
    const auto naming = [this](const QString& id) {
        QAction* action = m_commands.action(id);
        return [action, verb = action->text()](const QString& edit) {
            action->setText(edit.isEmpty() ? verb : QStringLiteral("%1: %2").arg(verb, edit));
        };
    };
    // The actions go before the stack does.
    connect(&undo, &QUndoStack::undoTextChanged, m_commands.action("edit.undo"), naming("edit.undo"));
    connect(&undo, &QUndoStack::redoTextChanged, m_commands.action("edit.redo"), naming("edit.redo"));
    const auto hasRun = [this] { return currentRun() != nullptr; };
    m_commands.add({"edit.renameRun",
                    menu,
                    tr("Rename the run"),
                    {},
                    {QKeySequence("F2")},
                    "edit",
                    [this] { m_runs->renameCurrent(); },
                    hasRun,
                    nullptr,
                    true});
    m_commands.add({"edit.removeRun",
                    menu,
                    tr("Delete the run"),
                    tr("Can be undone until the project is closed."),
                    {},
                    "trash",
                    [this] { m_runs->removeCurrent(); },
                    hasRun});
    m_commands.action("edit.removeRun")
        ->setText(tr("Delete the run") + '\t'
                  + QKeySequence(Qt::Key_Delete).toString(QKeySequence::NativeText));  // a key of the list only
    m_commands.add({"edit.useRecipe",
                    menu,
                    tr("Use the run's recipe as the draft"),
                    {},
                    {QKeySequence("Ctrl+Shift+D")},
                    "copy",
                    [this] {
                        Recipe r = currentRun()->recipe;
                        r.branch.reset();
                        m_document.editDraft(r, tr("recipe of run %1").arg(currentRun()->number));
                    },
                    hasRun});
    m_commands.add({"edit.copyImage",
                    menu,
                    tr("Copy the image"),
                    tr("As the canvas shows it, pixel by pixel."),
                    {},
                    "copy",
                    [this] { QMetaObject::invokeMethod(m_canvas, "copyImage"); },
                    hasRun,
                    nullptr,
                    true});
    m_commands.add({"edit.prompt",
                    menu,
                    tr("Go to the prompt"),
                    {},
                    {QKeySequence("Ctrl+L")},
                    "edit",
                    [this] {
                        dock("recipe")->show();
                        dock("recipe")->raise();
                        m_recipe->focusPrompt();
                    },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"edit.clear",
                    menu,
                    tr("Clear the selection"),
                    tr("Words, pixel, head, range of steps and comparison."),
                    {QKeySequence("Esc")},
                    "close",
                    [this] {
                        m_selection.setWords({});
                        m_selection.setPixel(std::nullopt);
                        m_selection.clearHover();
                        m_selection.setStepRange(std::nullopt);
                        m_selection.setAttentionSite(-1);
                        m_selection.setAttentionHead(-1);
                        m_selection.setComparedRun({});
                    }});
}

void MainWindow::addRunCommands() {
    const QString menu = tr("Run");
    const auto live = [this]() -> const LiveRun* {
        if (const LiveRun* l = m_document.live(m_selection.currentRun())) return l;
        const QStringList queue = m_document.queue();
        return queue.isEmpty() ? nullptr : m_document.live(queue.front());
    };
    const auto isLive = [live] { return live() != nullptr; };
    const auto id = [live] { return qstr(live()->run->id); };
    m_commands.add({"run.start",
                    menu,
                    tr("Run the draft"),
                    tr("Carries out the recipe."),
                    {QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter"), QKeySequence("Ctrl+Shift+Return")},
                    "play",
                    [this] { m_document.runDraft(); },
                    [this] { return m_document.draftPlan().ok() || m_document.isPlanning(); },
                    nullptr,
                    false,
                    tr("Run")});
    m_commands.add({"run.pause",
                    menu,
                    tr("Pause"),
                    tr("Pauses after the evaluation under way, or goes on."),
                    {QKeySequence("Ctrl+P")},
                    "pause",
                    [this, live, id] {
                        if (live()->run->status == RunStatus::Paused) m_document.resume(id());
                        else m_document.pause(id());
                    },
                    isLive,
                    [live] { return live() && live()->run->status == RunStatus::Paused; }});
    m_commands.add({"run.step",
                    menu,
                    tr("One evaluation"),
                    tr("Does one network evaluation, then pauses."),
                    {QKeySequence("F10")},
                    "step",
                    [this, id] { m_document.singleStep(id()); },
                    isLive});
    m_commands.add({"run.cancel",
                    menu,
                    tr("Cancel"),
                    tr("Stops the run; its steps are kept."),
                    {QKeySequence("Ctrl+.")},
                    "stop",
                    [this, id] { m_document.cancel(id()); },
                    isLive});
    m_commands.add({"run.cancelAll",
                    menu,
                    tr("Cancel everything"),
                    {},
                    {QKeySequence("Ctrl+Shift+.")},
                    "stop",
                    [this] { m_document.cancelAll(); },
                    isLive});
    const auto hasRecord = [this] {
        return currentRun() && currentRun()->trajectory && !currentRun()->trajectory->steps.empty();
    };
    m_commands.add(
        {"run.branch",
         menu,
         tr("Branch from this step"),
         tr("The draft continues the shown run from the step under the cursor; change what should differ, then run."),
         {QKeySequence("B")},
         "branch",
         [this] { branchHere(); },
         hasRecord,
         nullptr,
         true,
         tr("Branch here")});
    m_commands.add({"run.baseline",
                    menu,
                    tr("Make it the baseline"),
                    tr("Other runs are measured against it."),
                    {QKeySequence("P")},
                    "star",
                    [this] { m_document.setPinned(m_selection.currentRun(), !currentRun()->pinned); },
                    [this] { return currentRun() != nullptr; },
                    [this] { return currentRun() && currentRun()->pinned; }});
    m_commands.add(
        {"run.compare",
         menu,
         tr("Compare with the baseline"),
         tr("With the baseline, or with the newest other run of its kind and size. Alt+click a run to choose it."),
         {QKeySequence("Ctrl+D")},
         "compare",
         [this] { toggleCompare(); },
         [this] { return m_document.runs().size() > 1; },
         [this] { return !m_selection.comparedRun().isEmpty(); },
         false,
         tr("Compare")});
    m_commands.add({"run.newSeed",
                    menu,
                    tr("Run with another seed"),
                    {},
                    {QKeySequence("Ctrl+R")},
                    "dice",
                    [this] {
                        Recipe r = m_document.draft();
                        r.seed += 1;
                        m_document.editDraft(r, tr("seed"));
                        m_document.runDraft();
                    },
                    [this] { return m_document.draftPlan().ok(); },
                    nullptr,
                    true});
}

void MainWindow::addStepCommands() {
    const QString menu = tr("Analyse");
    const auto hasRecord = [this] { return currentRun() && currentRun()->trajectory; };
    const auto step = [this](int delta) { return [this, delta] { moveStep(delta); }; };
    m_commands.add({"step.play",
                    menu,
                    tr("Play the steps"),
                    {},
                    {QKeySequence("Space")},
                    "play",
                    [this] { QMetaObject::invokeMethod(m_timeline, "togglePlay"); },
                    hasRecord});
    m_commands.add({"step.next", menu, tr("Next evaluation"), {}, {QKeySequence("Right")}, "step", step(1), hasRecord});
    m_commands.add(
        {"step.previous", menu, tr("Previous evaluation"), {}, {QKeySequence("Left")}, {}, step(-1), hasRecord});
    m_commands.add(
        {"step.forward", menu, tr("Five evaluations on"), {}, {QKeySequence("Shift+Right")}, {}, step(5), hasRecord});
    m_commands.add(
        {"step.back", menu, tr("Five evaluations back"), {}, {QKeySequence("Shift+Left")}, {}, step(-5), hasRecord});
    m_commands.add(
        {"step.first", menu, tr("First evaluation"), {}, {QKeySequence("Home")}, {}, step(-1000000), hasRecord});
    m_commands.add({"step.last",
                    menu,
                    tr("Finished image"),
                    tr("And follow a run that is under way."),
                    {QKeySequence("End")},
                    {},
                    step(1000000),
                    hasRecord});
    const auto timeline = [this](const char* slot) {
        return [this, slot] { QMetaObject::invokeMethod(m_timeline, slot); };
    };
    m_commands.add({"range.from",
                    menu,
                    tr("Range of steps from here"),
                    tr("Attention is averaged over the range, and playing stays within it. Shift+drag on the film "
                       "strip does the same."),
                    {QKeySequence("[")},
                    {},
                    timeline("rangeFromHere"),
                    hasRecord,
                    nullptr,
                    true});
    m_commands.add({"range.to",
                    menu,
                    tr("Range of steps to here"),
                    {},
                    {QKeySequence("]")},
                    {},
                    timeline("rangeToHere"),
                    hasRecord});
    m_commands.add({"range.clear",
                    menu,
                    tr("No range of steps"),
                    {},
                    {},
                    {},
                    [this] { m_selection.setStepRange(std::nullopt); },
                    [this] { return m_selection.stepRange().has_value(); }});
    const std::pair<StepAxis, QString> axes[] = {{StepAxis::Step, tr("Axis: step")},
                                                 {StepAxis::Sigma, tr("Axis: σ")},
                                                 {StepAxis::LogSnr, tr("Axis: log SNR")},
                                                 {StepAxis::Evaluations, tr("Axis: evaluations (NFE)")},
                                                 {StepAxis::Milliseconds, tr("Axis: milliseconds")}};
    bool isFirst = true;
    for (const auto& [axis, text] : axes) {
        m_commands.add({QStringLiteral("axis.%1").arg(int(axis)),
                        menu,
                        text,
                        tr("What the plots show along their horizontal axis."),
                        {},
                        {},
                        [this, axis = axis] { m_selection.setAxis(axis); },
                        nullptr,
                        [this, axis = axis] { return m_selection.axis() == axis; },
                        isFirst});
        isFirst = false;
    }
    for (auto signal : {&SelectionModel::axisChanged, &SelectionModel::rangeChanged})
        connect(&m_selection, signal, &m_commands, &CommandRegistry::refresh);
}

void MainWindow::addViewCommands() {
    const QString menu = tr("View"), window = tr("Window");
    // Views that know these answer; the names are slots of the canvas.
    const auto canvas = [this](const char* slot) {
        return [this, slot] { QMetaObject::invokeMethod(m_canvas, slot); };
    };
    m_commands.add({"view.fit", menu, tr("Fit the image"), {}, {QKeySequence("1")}, {}, canvas("zoomToFit")});
    m_commands.add({"view.actual", menu, tr("100 %"), {}, {QKeySequence("2")}, {}, canvas("zoomTo100")});
    m_commands.add({"view.double", menu, tr("200 %"), {}, {QKeySequence("3")}, {}, canvas("zoomTo200")});
    m_commands.add({"view.blink",
                    menu,
                    tr("Blink the compared images"),
                    {},
                    {QKeySequence("X")},
                    {},
                    canvas("toggleBlink"),
                    [this] { return !m_selection.comparedRun().isEmpty(); }});
    m_commands.add({"view.dark",
                    menu,
                    tr("Dark theme"),
                    {},
                    {},
                    {},
                    [this] { changeAppearance(ThemeChoice::Dark, settings::fontScale()); },
                    nullptr,
                    [] { return settings::themeChoice() == ThemeChoice::Dark; },
                    true});
    m_commands.add({"view.light",
                    menu,
                    tr("Light theme"),
                    {},
                    {},
                    {},
                    [this] { changeAppearance(ThemeChoice::Light, settings::fontScale()); },
                    nullptr,
                    [] { return settings::themeChoice() == ThemeChoice::Light; }});
    m_commands.add({"view.system",
                    menu,
                    tr("Theme of the system"),
                    {},
                    {},
                    {},
                    [this] { changeAppearance(ThemeChoice::System, settings::fontScale()); },
                    nullptr,
                    [] { return settings::themeChoice() == ThemeChoice::System; }});
    m_commands.add({"view.larger",
                    menu,
                    tr("Larger text"),
                    {},
                    {QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")},
                    {},
                    [this] { changeAppearance(settings::themeChoice(), settings::fontScale() + 0.1); },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"view.smaller", menu, tr("Smaller text"), {}, {QKeySequence("Ctrl+-")}, {}, [this] {
                        changeAppearance(settings::themeChoice(), settings::fontScale() - 0.1);
                    }});
    m_commands.add({"view.fullScreen",
                    menu,
                    tr("Full screen"),
                    {},
                    {QKeySequence("F11")},
                    {},
                    [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); },
                    nullptr,
                    [this] { return isFullScreen(); },
                    true});
    const auto lab = [this](const char* slot) {
        return [this, slot] {
            dock("lab")->show();
            dock("lab")->raise();
            QMetaObject::invokeMethod(m_lab, slot);
        };
    };
    m_commands.add({"lab.convergence",
                    menu,
                    tr("Lab: convergence of samplers"),
                    tr("Error on an exact model against evaluations, and the fitted orders."),
                    {},
                    {},
                    lab("showConvergence"),
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"lab.stability",
                    menu,
                    tr("Lab: stability of a sampler"),
                    tr("Where one step damps, over the complex plane."),
                    {},
                    {},
                    lab("showStability")});
    for (auto& [id, info] : m_docks) {
        QDockWidget* d = info.dock;
        m_commands.add({"dock." + id,
                        window,
                        tr("Show %1").arg(d->windowTitle()),
                        tr("Shows or hides the panel."),
                        {},
                        {},
                        [this, d] {
                            d->setVisible(!d->isVisible());
                            if (d->isVisible()) d->raise();
                            updateDockTitles();
                        },
                        nullptr,
                        [d] { return !d->isHidden(); }});
    }
    m_commands.add({"window.next",
                    window,
                    tr("Next panel"),
                    {},
                    {QKeySequence("F6")},
                    {},
                    [this] { focusNextDock(1); },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"window.previous", window, tr("Previous panel"), {}, {QKeySequence("Shift+F6")}, {}, [this] {
                        focusNextDock(-1);
                    }});
    m_commands.add({"window.reset", window, tr("Reset the layout"), {}, {}, "reset", [this] { resetLayout(); }});
}

void MainWindow::addHelpCommands() {
    const QString menu = tr("Help");
    m_commands.add(
        {"help.palette", menu, tr("Search commands …"), {}, {QKeySequence("Ctrl+Shift+P")}, "search", [this] {
             m_palette->popUp();
         }});
    m_commands.add(
        {"help.keys", menu, tr("Keyboard shortcuts"), {}, {QKeySequence("?"), QKeySequence("F1")}, "help", [this] {
             ShortcutSheet(m_commands, this).exec();
         }});
    m_commands.add({"help.tour",
                    menu,
                    tr("Open the sample project"),
                    tr("A finished run to look at; opened as a copy."),
                    {},
                    "image",
                    [this] { openSample(); }});
    m_commands.add({"help.diagnostics",
                    menu,
                    tr("Copy diagnostic information"),
                    tr("Versions, device and log; no prompts, no images."),
                    {},
                    "copy",
                    [this] { copyDiagnostics(); }});
    m_commands.add({"help.about",
                    menu,
                    tr("About Meander"),
                    {},
                    {},
                    "info",
                    [this] { showAbout(this, m_document); },
                    nullptr,
                    nullptr,
                    true});
}

void MainWindow::buildMenus() {
    std::map<QString, QMenu*> menus;
    for (const QString& name :
         {tr("File"), tr("Edit"), tr("Run"), tr("View"), tr("Analyse"), tr("Window"), tr("Help")}) {
        menus[name] = menuBar()->addMenu(name);
        connect(menus[name], &QMenu::aboutToShow, &m_commands, &CommandRegistry::refresh);
    }
    for (const Command& c : m_commands.commands()) {
        QMenu* menu = menus.at(c.menu);
        if (c.separatorBefore) menu->addSeparator();
        menu->addAction(m_commands.action(c.id));
        if (c.id != "file.open") continue;
        m_recentMenu = menu->addMenu(tr("Open recent"));
        connect(m_recentMenu, &QMenu::aboutToShow, this, &MainWindow::fillRecentMenu);
    }
    m_commands.action("file.quit")->setMenuRole(QAction::QuitRole);
    m_commands.action("file.settings")->setMenuRole(QAction::PreferencesRole);
    m_commands.action("help.about")->setMenuRole(QAction::AboutRole);
}

void MainWindow::fillRecentMenu() {
    m_recentMenu->clear();
    for (const QString& path : settings::recentFiles()) {
        const bool exists = QFileInfo::exists(path);
        QAction* a = m_recentMenu->addAction(
            exists ? QFileInfo(path).fileName() : tr("%1 (missing)").arg(QFileInfo(path).fileName()), this,
            [this, path] {
                if (QFileInfo::exists(path)) {
                    openAnything(path);
                    return;
                }
                settings::removeRecentFile(path);
                emit m_document.problem(
                    tr("'%1' is not there any more and was taken from the list. It may have been moved or renamed.")
                        .arg(path),
                    {});
            });
        a->setToolTip(path);
    }
    if (m_recentMenu->isEmpty()) m_recentMenu->addAction(tr("None yet"))->setEnabled(false);
    m_recentMenu->addSeparator();
    m_recentMenu->addAction(tr("Clear the list"), this, [] { settings::clearRecentFiles(); });
}

void MainWindow::buildToolBar() {
    auto* bar = new QToolBar(tr("Tools"), this);
    bar->setObjectName("toolBar");
    bar->setMovable(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->setIconSize({16, 16});
    addToolBar(bar);
    setContextMenuPolicy(Qt::NoContextMenu);
    const auto button = [this, bar](const QString& id, bool hasText) {
        auto* b = new QToolButton(bar);
        QAction* a = m_commands.action(id);
        const Command* c = m_commands.find(id);
        b->setObjectName("button." + id);
        b->setDefaultAction(a);
        b->setToolButtonStyle(hasText ? Qt::ToolButtonTextOnly : Qt::ToolButtonIconOnly);
        b->setAccessibleName(c->text);
        b->setFocusPolicy(Qt::TabFocus);
        if (hasText) {
            b->setText(c->toolText);
            connect(a, &QAction::changed, b, [b, text = c->toolText] { b->setText(text); });
        }
        bar->addWidget(b);
        return b;
    };
    QToolButton* run = button("run.start", true);
    run->setProperty("primary", true);
    run->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    run->setIcon(icon("play", IconTone::OnAccent));
    run->setIconSize({14, 14});
    run->setMinimumWidth(80);
    connect(m_commands.action("run.start"), &QAction::changed, run,
            [run] { run->setIcon(icon("play", IconTone::OnAccent)); });
    for (const char* id : {"run.pause", "run.step", "run.cancel"}) button(id, false);
    bar->addSeparator();
    button("run.branch", true);
    button("run.compare", true);
    bar->addSeparator();
    auto* label = new QLabel(tr("Axis"), bar);
    label->setProperty("muted", true);
    label->setContentsMargins(2, 0, 6, 0);
    bar->addWidget(label);
    m_axis =
        new Segmented({tr("step"), QStringLiteral("σ"), tr("log SNR"), QStringLiteral("NFE"), QStringLiteral("ms")},
                      {tr("Plots over steps"), tr("Plots over the noise level"),
                       tr("Plots over log SNR, which links runs of other lengths"), tr("Plots over evaluations"),
                       tr("Plots over measured time")},
                      bar);
    m_axis->setCurrent(int(m_selection.axis()));
    connect(m_axis, &Segmented::chosen, this, [this](int i) { m_selection.setAxis(StepAxis(i)); });
    connect(&m_selection, &SelectionModel::axisChanged, this, [this] { m_axis->setCurrent(int(m_selection.axis())); });
    bar->addWidget(m_axis);
    auto* space = new QWidget(bar);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(space);
    auto* search = new SearchButton(tr("Search commands and settings"), m_commands.keyText("help.palette"), bar);
    search->setObjectName("search");
    connect(search, &QAbstractButton::clicked, this, [this] { m_commands.trigger("help.palette"); });
    bar->addWidget(search);
}

}  // namespace meander::gui
