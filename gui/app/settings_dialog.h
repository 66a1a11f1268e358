// Settings of the program: appearance, start, engine, keys. Everything takes effect at once.
#pragma once
#include <QDialog>
#include <functional>

#include "gui/commands/command_registry.h"
#include "gui/look/theme.h"

class QListWidget;
class QStackedWidget;

namespace meander::gui {

class SettingsDialog : public QDialog {
    Q_OBJECT
public:
    using ChangeAppearance = std::function<void(ThemeChoice, double fontScale)>;
    SettingsDialog(CommandRegistry& commands, ChangeAppearance changeAppearance, QWidget* parent);

private:
    QWidget* appearancePage();
    QWidget* startPage();
    QWidget* keysPage();
    void addPage(const QString& name, QWidget* page);
    void search(const QString& text);

    CommandRegistry& m_commands;
    ChangeAppearance m_changeAppearance;
    QListWidget* m_names;
    QStackedWidget* m_pages;
};

}  // namespace meander::gui
