// Finds any command by a few letters of its words. Opened by Ctrl+Shift+P or the search field of the tool bar.
#pragma once
#include <QFrame>
#include <QLineEdit>
#include <QListWidget>

#include "gui/commands/command_registry.h"

namespace meander::gui {

// How well `query` names `text`: every word of the query must begin a word of the text (better) or occur in it. 0: not
// at all.
int matchScore(const QString& query, const QString& text);

class CommandPalette : public QFrame {
    Q_OBJECT
public:
    CommandPalette(CommandRegistry& registry, QWidget* window);
    void popUp();
    // What else can be found, asked for anew each time: settings, shown once something is typed.
    void setSettings(std::function<std::vector<Command>()> settings) { m_askSettings = std::move(settings); }
    // Ids in the order shown.
    QStringList shownCommands() const;
    QLineEdit* searchField() const { return m_search; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter(const QString& query);
    void runCurrent();

    CommandRegistry& m_registry;
    std::function<std::vector<Command>()> m_askSettings;
    std::vector<Command> m_settings;
    QLineEdit* m_search;
    QListWidget* m_list;
};

}  // namespace meander::gui
