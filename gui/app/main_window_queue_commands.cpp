// Commands about the queue, in the menu Run.
#include "gui/app/main_window.h"
#include "gui/document/run_text.h"

namespace meander::gui {

void MainWindow::addQueueCommands() {
    const QString menu = tr("Run");
    const auto shown = [this] { return m_selection.currentRun(); };
    const auto isShownLive = [this, shown] { return m_document.live(shown()) != nullptr; };
    const auto isShownWaiting = [this, shown] { return m_document.isWaiting(shown()); };
    // The place of the shown run among those that wait.
    const auto move = [this, shown](int by) {
        int place = 0;
        for (const QString& id : m_document.queue()) {
            if (id == shown()) return m_document.moveInQueue(id, place + by);
            place += m_document.isWaiting(id);
        }
    };
    m_commands.add({"queue.pause",
                    menu,
                    tr("Pause the queue"),
                    tr("Nothing starts and nothing goes on until the queue is resumed."),
                    {QKeySequence("Ctrl+Shift+Space")},
                    "queue",
                    [this] {
                        if (m_document.isQueuePaused()) m_document.resumeQueue();
                        else m_document.pauseQueue();
                    },
                    [this] { return m_document.isBusy() || m_document.isQueuePaused(); },
                    [this] { return m_document.isQueuePaused(); },
                    true});
    m_commands.add({"queue.resume",
                    menu,
                    tr("Resume the queue"),
                    tr("Starts what waits, also since an earlier session."),
                    {},
                    {},
                    [this] { m_document.resumeQueue(); },
                    [this] { return m_document.isBusy(); }});
    m_commands.add({"queue.pauseAfter",
                    menu,
                    tr("Pause the queue after this run"),
                    {},
                    {},
                    {},
                    [this, shown] { m_document.pauseAfter(m_document.pausesAfter() == shown() ? QString() : shown()); },
                    isShownLive,
                    [this, shown] { return !shown().isEmpty() && m_document.pausesAfter() == shown(); }});
    m_commands.add({"queue.edit",
                    menu,
                    tr("Edit the waiting run"),
                    tr("Its recipe becomes the draft; Run puts it back into its place in the queue."),
                    {},
                    "edit",
                    [this, shown] { m_document.editWaiting(shown()); },
                    isShownWaiting});
    m_commands.add({"queue.stopEditing",
                    menu,
                    tr("Leave the waiting run as it was"),
                    {},
                    {},
                    {},
                    [this] { m_document.stopEditing(); },
                    [this] { return !m_document.editedRun().isEmpty(); }});
    m_commands.add(
        {"queue.earlier", menu, tr("Earlier in the queue"), {}, {}, "up", [move] { move(-1); }, isShownWaiting});
    m_commands.add(
        {"queue.later", menu, tr("Later in the queue"), {}, {}, "down", [move] { move(1); }, isShownWaiting});
    m_commands.add(
        {"run.duplicate",
         menu,
         tr("Run its recipe again"),
         tr("The recipe of the shown run as a new run: a duplicate of one that waits, another try of one that "
            "failed."),
         {},
         "copy",
         [this, shown] { m_document.duplicate(shown()); },
         [this] { return currentRun() != nullptr; }});
    m_commands.add({"run.goOn",
                    menu,
                    tr("Go on with the interrupted run"),
                    tr("From its last recorded evaluation, as the same run and with the same numbers."),
                    {},
                    "play",
                    [this, shown] { m_document.goOn(shown()); },
                    [this, shown] { return m_document.canGoOn(shown()); }});
    connect(&m_document, &Document::queueChanged, &m_commands, &CommandRegistry::refresh);
}

}  // namespace meander::gui
