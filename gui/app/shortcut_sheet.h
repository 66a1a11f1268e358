// The '?' sheet: every key of the program, grouped as the menus are.
#pragma once
#include <QDialog>

#include "gui/commands/command_registry.h"

namespace meander::gui {

class ShortcutSheet : public QDialog {
    Q_OBJECT
public:
    ShortcutSheet(const CommandRegistry& registry, QWidget* parent);
};

}  // namespace meander::gui
