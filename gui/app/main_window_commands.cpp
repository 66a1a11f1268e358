// Commands of the menus File and Edit.
#include "gui/app/main_window.h"
#include "gui/app/settings_dialog.h"
#include "gui/document/run_text.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/model/model_panel.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"

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
                    tr("A checkpoint (.safetensors, .gguf, .ckpt), or points (.csv, .npy, .json)."),
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
                    [this] { m_canvas->saveImage(); },
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
    m_commands.add({"edit.modelSettings",
                    menu,
                    tr("Use the model's settings"),
                    tr("Sampler, steps, schedule, guidance and noise as the model recommends; the prompt stays."),
                    {},
                    "reset",
                    [this] { m_document.useModelSettings(); },
                    [this] { return m_document.draftModel() != nullptr; }});
    m_commands.add({"edit.copyImage",
                    menu,
                    tr("Copy the image"),
                    tr("As the canvas shows it, pixel by pixel."),
                    {},
                    "copy",
                    [this] { m_canvas->copyImage(); },
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

}  // namespace meander::gui
