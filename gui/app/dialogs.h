// Questions and sheets of the window.
#pragma once
#include "gui/app/main_window.h"

namespace meander::gui {

UserPrompts defaultUserPrompts(MainWindow* window);

// "Name, value now, value offered" of every setting that would change; true when the person accepts.
bool askForRecipe(QWidget* parent, const Recipe& now, const Recipe& offered, const QString& from,
                  const QStringList& remarks = {});
// Unsaved work of earlier times: Restore, Discard or Later for each.
void askForRecovery(QWidget* parent, Document& document);
void showAbout(QWidget* parent, Document& document);

}  // namespace meander::gui
