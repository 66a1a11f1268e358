// The window: docks around the canvas, menus and tool bar from one table of commands, files, start and end.
#pragma once
#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>
#include <functional>

#include "gui/app/watchdog.h"
#include "gui/commands/command_palette.h"
#include "gui/commands/command_registry.h"
#include "gui/document/document.h"
#include "gui/look/restyling.h"
#include "gui/look/theme.h"
#include "gui/panels/panel.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/dock_title.h"
#include "gui/widgets/hint_bar.h"
#include "gui/widgets/segmented.h"
#include "gui/widgets/toasts.h"

namespace meander::gui {

class CanvasPanel;
class DropHint;
class HelpWindow;
class LabPanel;
class ModelPanel;
class RecipePanel;
class RunsPanel;
class TimelinePanel;

enum class SaveAnswer { Save, Discard, Cancel };

// Everything the window asks a person; tests answer in their place.
struct UserPrompts {
    std::function<SaveAnswer(const QString& name)> saveChanges;
    std::function<bool(int runs)> stopRuns;       // true: stop them and go on
    std::function<QString()> openPath, savePath;  // empty: never mind
    // `remarks`: what of a foreign recipe has no counterpart here.
    std::function<bool(const Recipe& now, const Recipe& offered, const QString& from, const QStringList& remarks)>
        useRecipe;
    std::function<void(Document&)> recover;
};

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(const std::vector<PanelInfo>& panels = gui::panels(), QWidget* parent = nullptr);
    ~MainWindow() override;

    // After the first paint: starts the engine and opens `path`, else the last project, else the sample. `asCopy`: the
    // file itself stays untouched.
    void begin(const QString& path, bool asCopy = false);

    Document& document() { return m_document; }
    SelectionModel& selection() { return m_selection; }
    CommandRegistry& commands() { return m_commands; }
    CommandPalette& palette() { return *m_palette; }
    Toasts& toasts() { return *m_toasts; }
    HelpWindow& help();  // made at the first call
    RecipePanel& recipePanel() { return *m_recipe; }
    RunsPanel& runsPanel() { return *m_runs; }
    Watchdog& watchdog() { return m_watchdog; }
    Restyling& restyling() { return m_restyling; }
    UserPrompts& userPrompts() { return m_userPrompts; }
    QDockWidget* dock(const QString& id) const;  // null for panels of the centre
    QWidget* panel(const QString& id) const;

    bool openProject(const QString& path);
    bool saveProject();
    bool saveProjectAs();
    // Project, recipe, image with a recipe, or model.
    bool openAnything(const QString& path);
    void resetLayout();
    static constexpr QSize usualSize{1440, 900};  // where the screen has room

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    bool focusNextPrevChild(bool next) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;
    bool event(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    // A panel in its place: in the centre, or in a dock.
    struct Place {
        PanelInfo info;
        QWidget* panel = nullptr;
        QDockWidget* dock = nullptr;
        DockTitle* title = nullptr;
    };
    // main_window_docks.cpp
    void buildCentre();
    void buildDocks();
    void addDock(Place& place);
    void connectPanels();
    const Place* place(const QString& id) const;
    void arrangeDocks();
    void updateDockTitles();
    void showRemarks();
    void focusNextPanel(int direction);
    // main_window_layout.cpp
    void fitDocks();
    void fitSides(int height);
    void keepCanvas();
    QList<QDockWidget*> bottomDocks() const;  // one for each place
    void restoreLayout();
    void saveLayout() const;
    // main_window_commands.cpp, main_window_run_commands.cpp, main_window_view_commands.cpp
    void addFileCommands();
    void addEditCommands();
    void addRunCommands();
    void addQueueCommands();
    void addStepCommands();
    void addViewCommands();
    void addLabCommands();
    void addEditorCommands();
    void addWindowCommands();
    void addHelpCommands();
    // main_window_bars.cpp
    void buildMenus();
    void buildToolBar();
    void fillRecentMenu();
    // main_window_recipe.cpp
    std::vector<Command> recipeEntries();
    void goToField(QWidget* field);
    // main_window_files.cpp
    bool mayLeaveProject();
    bool report(const Status& status);
    void newProject();
    bool offerRecipe(const QString& path);
    bool startFrom(const QString& path);
    bool takeDrop(QObject* watched, QEvent* event);
    void exportRecipe();
    void openFirst(const QString& path, bool asCopy);
    void openSample();
    void offerStart();
    void forgetLastProject();
    void copyDiagnostics();
    // main_window.cpp
    void connectDocument();
    void buildStatusBar();
    void showTitle();
    void showEngine();
    void showFirstRun();
    void showRun(const RunPtr& run);
    void keepComparable();
    void moveStep(int delta);
    void branchHere();
    void toggleCompare();
    void commitField();  // what is typed in the focused field becomes its value, as if it were left
    void offerModelSettings(const QString& sentence);
    void changeAppearance(ThemeChoice choice, double fontScale);
    RunPtr currentRun() const;

    Document m_document;
    SelectionModel m_selection;
    CommandRegistry m_commands;
    Watchdog m_watchdog;
    Restyling m_restyling;
    UserPrompts m_userPrompts;
    CommandPalette* m_palette = nullptr;
    Toasts* m_toasts = nullptr;
    RecipePanel* m_recipe = nullptr;
    RunsPanel* m_runs = nullptr;
    ModelPanel* m_model = nullptr;
    CanvasPanel* m_canvas = nullptr;
    TimelinePanel* m_timeline = nullptr;
    LabPanel* m_lab = nullptr;
    Segmented* m_axis = nullptr;
    HintBar* m_hint = nullptr;
    DropHint* m_dropHint = nullptr;
    HelpWindow* m_help = nullptr;
    QMenu* m_recentMenu = nullptr;
    std::vector<Place> m_places;  // in the order of the registry
    int m_layoutVersion = 0;
    bool m_isComparing = false;
    bool m_isLayoutByHand = false;  // a person moved a separator: sizes stay as they are, as far as the canvas has room
    QLabel *m_engineDot = nullptr, *m_engineState = nullptr, *m_lastMessage = nullptr, *m_load = nullptr;
};

}  // namespace meander::gui
