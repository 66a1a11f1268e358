#include "gui/commands/command_registry.h"

#include <QSettings>
#include <QWidget>

#include "gui/look/icons.h"

namespace meander::gui {
namespace {

QString settingsKey(const QString& id) { return QStringLiteral("keys/") + id; }

QList<QKeySequence> storedKeys(const Command& c) {
    const QSettings settings;
    if (!settings.contains(settingsKey(c.id))) return c.keys;
    QList<QKeySequence> keys;
    for (const QString& k : settings.value(settingsKey(c.id)).toStringList())
        keys.append(QKeySequence(k, QKeySequence::PortableText));
    return keys;
}

}  // namespace

QString tooltipOf(const Command& c, const QString& keys) {
    const QString text = c.tooltip.isEmpty() ? c.text : c.tooltip;
    return keys.isEmpty() ? text : QStringLiteral("%1  (%2)").arg(text, keys);
}

CommandRegistry::CommandRegistry(QWidget* window) : QObject(window), m_window(window) {}

void CommandRegistry::add(Command command) {
    Q_ASSERT(!m_actions.contains(command.id));
    if (m_actions.contains(command.id)) return;
    auto* action = new QAction(command.text, this);
    action->setObjectName(command.id);
    if (!command.icon.isEmpty()) action->setIcon(icon(command.icon));
    action->setIconVisibleInMenu(false);
    action->setShortcuts(storedKeys(command));
    action->setShortcutContext(Qt::WindowShortcut);
    action->setCheckable(command.isChecked != nullptr);
    action->setToolTip(tooltipOf(command, action->shortcut().toString(QKeySequence::NativeText)));
    action->setStatusTip(QString());
    connect(action, &QAction::triggered, this, [this, id = command.id] {
        if (const Command* c = find(id); c && c->run && (!c->isEnabled || c->isEnabled())) {
            c->run();
            emit triggered(id);
        }
        refresh();
    });
    m_actions.insert(command.id, action);
    if (m_window) m_window->addAction(action);
    m_commands.push_back(std::move(command));
}

const Command* CommandRegistry::find(const QString& id) const {
    for (const Command& c : m_commands)
        if (c.id == id) return &c;
    return nullptr;
}

bool CommandRegistry::trigger(const QString& id) {
    refresh();
    QAction* a = action(id);
    if (!a || !a->isEnabled()) return false;
    a->trigger();
    return true;
}

void CommandRegistry::refresh() {
    for (const Command& c : m_commands) {
        QAction* a = m_actions.value(c.id);
        a->setEnabled(!c.isEnabled || c.isEnabled());
        if (c.isChecked) a->setChecked(c.isChecked());
    }
}

QString CommandRegistry::keyText(const QString& id) const {
    const QAction* a = action(id);
    return a ? a->shortcut().toString(QKeySequence::NativeText) : QString();
}

QStringList CommandRegistry::duplicateShortcuts() const {
    QHash<QString, QString> owner;
    QStringList clashes;
    for (const Command& c : m_commands)
        for (const QKeySequence& k : m_actions.value(c.id)->shortcuts()) {
            const QString text = k.toString(QKeySequence::PortableText);
            if (text.isEmpty()) continue;
            if (owner.contains(text) && owner.value(text) != c.id)
                clashes.append(QStringLiteral("%1: %2, %3").arg(text, owner.value(text), c.id));
            owner.insert(text, c.id);
        }
    return clashes;
}

void CommandRegistry::setKeys(const QString& id, const QList<QKeySequence>& keys) {
    QAction* a = action(id);
    if (!a) return;
    a->setShortcuts(keys);
    a->setToolTip(tooltipOf(*find(id), keyText(id)));
    QStringList texts;
    for (const QKeySequence& k : keys) texts.append(k.toString(QKeySequence::PortableText));
    QSettings().setValue(settingsKey(id), texts);
}

void CommandRegistry::resetKeys() {
    QSettings().remove(QStringLiteral("keys"));
    for (const Command& c : m_commands) m_actions.value(c.id)->setShortcuts(c.keys);
}

}  // namespace meander::gui
