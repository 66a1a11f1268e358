// One table of everything a person can do: it feeds menus, tool bar, palette, shortcut sheet and tests.
#pragma once
#include <QAction>
#include <QHash>
#include <QKeySequence>
#include <QList>
#include <QObject>
#include <QString>
#include <functional>
#include <vector>

namespace meander::gui {

struct Command {
    QString id;       // "run.start"; stable, used for key settings
    QString menu;     // "Run"; groups the shortcut sheet too. Empty: palette only
    QString text;     // "Run the draft"
    QString tooltip;  // what it does and when; empty: the text
    QList<QKeySequence> keys;
    QString icon;  // name in resources/icons; may be empty
    std::function<void()> run;
    std::function<bool()> isEnabled = nullptr;  // null: always
    std::function<bool()> isChecked = nullptr;  // null: not checkable
    bool separatorBefore = false;               // in its menu
    QString toolText = {};                      // shorter text for a tool button
};

class CommandRegistry : public QObject {
    Q_OBJECT
public:
    explicit CommandRegistry(QWidget* window);

    // Later commands with a known id are refused.
    void add(Command command);
    const std::vector<Command>& commands() const { return m_commands; }
    QAction* action(const QString& id) const { return m_actions.value(id); }
    const Command* find(const QString& id) const;
    bool trigger(const QString& id);
    // Asks every predicate again; cheap, called when something changed.
    void refresh();
    // Keys in the form of this platform, "" when none.
    QString keyText(const QString& id) const;
    // Key sequences that two commands claim; empty when all is well.
    QStringList duplicateShortcuts() const;

    // The user's own keys replace the defaults; an empty list removes them.
    void setKeys(const QString& id, const QList<QKeySequence>& keys);
    void resetKeys();

signals:
    void triggered(const QString& id);

private:
    QWidget* m_window;
    std::vector<Command> m_commands;
    QHash<QString, QAction*> m_actions;
};

// The command line ("text (keys)") for a tool tip.
QString tooltipOf(const Command& command, const QString& keys);

}  // namespace meander::gui
