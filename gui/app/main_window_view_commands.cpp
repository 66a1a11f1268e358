// Commands of the menus View, Window and Help.
#include <QApplication>

#include "gui/app/dialogs.h"
#include "gui/app/help_window.h"
#include "gui/app/main_window.h"
#include "gui/app/shortcut_sheet.h"
#include "gui/document/settings.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/guidance/guidance_panel.h"
#include "gui/panels/lab/lab_panel.h"
#include "gui/panels/schedule/schedule_panel.h"

namespace meander::gui {

void MainWindow::addViewCommands() {
    const QString menu = tr("View");
    m_commands.add(
        {"view.fit", menu, tr("Fit the image"), {}, {QKeySequence("1")}, {}, [this] { m_canvas->zoomToFit(); }});
    m_commands.add({"view.actual", menu, tr("100 %"), {}, {QKeySequence("2")}, {}, [this] { m_canvas->zoomTo100(); }});
    m_commands.add({"view.double", menu, tr("200 %"), {}, {QKeySequence("3")}, {}, [this] { m_canvas->zoomTo200(); }});
    m_commands.add({"view.blink",
                    menu,
                    tr("Blink the compared images"),
                    {},
                    {QKeySequence("X")},
                    {},
                    [this] { m_canvas->toggleBlink(); },
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
}

void MainWindow::addLabCommands() {
    const QString menu = tr("View");
    const auto lab = [this](void (LabPanel::*show)()) {
        return [this, show] {
            dock("lab")->show();
            dock("lab")->raise();
            (m_lab->*show)();
        };
    };
    m_commands.add({"lab.convergence",
                    menu,
                    tr("Lab: convergence of samplers"),
                    tr("Error on an exact model against evaluations, and the fitted orders."),
                    {},
                    {},
                    lab(&LabPanel::showConvergence),
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"lab.stability",
                    menu,
                    tr("Lab: stability of a sampler"),
                    tr("Where one step damps, over the complex plane."),
                    {},
                    {},
                    lab(&LabPanel::showStability)});
}

// The curve editors; what they do besides stands in their own menus.
void MainWindow::addEditorCommands() {
    const QString menu = tr("Edit");
    auto* schedule = qobject_cast<SchedulePanel*>(panel("schedule"));
    auto* guidance = qobject_cast<GuidancePanel*>(panel("guidance"));
    if (!schedule || !guidance) return;
    const auto raise = [this](const char* id, QWidget* editor) {
        dock(id)->show();
        dock(id)->raise();
        updateDockTitles();
        editor->setFocus(Qt::ShortcutFocusReason);
    };
    m_commands.add({"schedule.edit",
                    menu,
                    tr("Edit the schedule as a curve"),
                    tr("Its levels as points that are dragged, over what a run measured."),
                    {},
                    "edit",
                    [raise, schedule] { raise("schedule", schedule->editor()); },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"guidance.edit",
                    menu,
                    tr("Edit the guidance as a curve"),
                    tr("Its weight in each step and the interval in which it acts."),
                    {},
                    "edit",
                    [raise, guidance] { raise("guidance", guidance->editor()); }});
    const auto hasLevels = [schedule] { return !schedule->levels().empty(); };
    m_commands.add({"schedule.copy",
                    menu,
                    tr("Copy the schedule as text"),
                    tr("Its levels as numbers, in the form that ComfyUI takes."),
                    {},
                    "copy",
                    [schedule] { schedule->copyText(); },
                    hasLevels});
    m_commands.add({"schedule.paste",
                    menu,
                    tr("Paste a schedule"),
                    tr("Levels σ or t with anything between them, JSON, or a diffusers list."),
                    {},
                    {},
                    [schedule] { schedule->paste(); },
                    hasLevels});
    m_commands.add({"schedule.equalise",
                    menu,
                    tr("Equal shares of the error …"),
                    tr("Steps of equal local error, as far as the shown run measured it."),
                    {},
                    {},
                    [schedule] { schedule->equaliseError(); },
                    hasLevels});
    m_commands.add({"schedule.fit",
                    menu,
                    tr("Fit schedule from this run …"),
                    tr("Levels at which few steps come nearest to a fine run of the shown run's recipe."),
                    {},
                    {},
                    [schedule] { schedule->fitSchedule(); },
                    hasLevels});
}

void MainWindow::addWindowCommands() {
    const QString window = tr("Window");
    for (const Place& place : m_places) {
        QDockWidget* d = place.dock;
        if (!d) continue;
        m_commands.add({"dock." + place.info.id,
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
                    [this] { focusNextPanel(1); },
                    nullptr,
                    nullptr,
                    true});
    m_commands.add({"window.previous", window, tr("Previous panel"), {}, {QKeySequence("Shift+F6")}, {}, [this] {
                        focusNextPanel(-1);
                    }});
    m_commands.add({"window.reset", window, tr("Reset the layout"), {}, {}, "reset", [this] { resetLayout(); }});
}

HelpWindow& MainWindow::help() {
    if (!m_help) m_help = new HelpWindow(this);
    return *m_help;
}

void MainWindow::addHelpCommands() {
    const QString menu = tr("Help");
    m_commands.add(
        {"help.palette", menu, tr("Search commands …"), {}, {QKeySequence("Ctrl+Shift+P")}, "search", [this] {
             m_palette->popUp();
         }});
    m_commands.add({"help.pages",
                    menu,
                    tr("Help"),
                    tr("Samplers, schedules, guidance and noise, with a glossary of all words and symbols."),
                    {QKeySequence("F1")},
                    "help",
                    [this] {
                        help().showPage(HelpWindow::pageFor(QApplication::focusWidget()));
                        help().show();
                        help().raise();
                        help().activateWindow();
                    }});
    m_commands.add({"help.keys", menu, tr("Keyboard shortcuts"), {}, {QKeySequence("?")}, "help", [this] {
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

}  // namespace meander::gui
