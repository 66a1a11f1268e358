#include "gui/panels/runs/runs_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/panels/runs/run_delegate.h"

namespace meander::gui {

RunsPanel::RunsPanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_selection(selection),
      m_model(new RunListModel(document, this)),
      m_list(new QListView(this)),
      m_empty(new QWidget(this)) {
    setProperty("panel", true);
    m_list->setModel(m_model);
    m_list->setItemDelegate(new RunDelegate(selection, m_list));
    m_list->setMouseTracking(true);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    m_list->setContextMenuPolicy(Qt::CustomContextMenu);
    m_list->setAccessibleName(tr("Runs"));
    m_list->viewport()->installEventFilter(this);
    m_list->installEventFilter(this);
    auto* text =
        new QLabel(tr("Runs appear here, each with its image, settings and distance to the baseline."), m_empty);
    text->setWordWrap(true);
    text->setProperty("muted", true);
    text->setAlignment(Qt::AlignCenter);
    auto* run = new QPushButton(tr("Run the draft"), m_empty);
    connect(run, &QPushButton::clicked, this, &RunsPanel::runRequested);
    auto* emptyBox = new QVBoxLayout(m_empty);
    emptyBox->setContentsMargins(20, 12, 20, 12);
    emptyBox->addStretch();
    emptyBox->addWidget(text);
    emptyBox->addWidget(run, 0, Qt::AlignHCenter);
    emptyBox->addStretch();
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->addWidget(m_list, 1);
    box->addWidget(m_empty, 1);
    connect(m_list, &QListView::customContextMenuRequested, this, &RunsPanel::showMenu);
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        showEmpty();
        showSelection();
    });
    connect(&m_selection, &SelectionModel::runChanged, this, &RunsPanel::showSelection);
    showEmpty();
}

void RunsPanel::showEmpty() {
    const bool isEmpty = m_model->rowCount() == 0;
    m_list->setVisible(!isEmpty);
    m_empty->setVisible(isEmpty);
}

void RunsPanel::showSelection() {
    const QModelIndex index = m_model->indexOf(m_selection.currentRun());
    if (index.isValid() && m_list->currentIndex() != index) m_list->setCurrentIndex(index);
    m_list->viewport()->update();
}

bool RunsPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_list->viewport() && event->type() == QEvent::MouseButtonPress) {
        auto* press = static_cast<QMouseEvent*>(event);
        const QModelIndex index = m_list->indexAt(press->position().toPoint());
        if (press->button() == Qt::LeftButton && index.isValid()) {
            const QString id = index.data(RunListModel::IdRole).toString();
            // Many window managers take Alt+click for themselves.
            if (press->modifiers() & (Qt::AltModifier | Qt::ControlModifier)) {
                compareWith(id);
                return true;
            }
            m_selection.setCurrentRun(id);
        }
    }
    if (watched == m_list && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Delete || key == Qt::Key_Backspace) {
            removeCurrent();
            return true;
        }
        // Letters are the window's commands; the list would take those that are disabled just now for the beginning of
        // a name.
        if (const QString typed = static_cast<QKeyEvent*>(event)->text(); !typed.isEmpty() && typed.front().isPrint())
            return true;
        // Only keys move the selection with the list's own cursor: the list also moves it by itself, to the first row,
        // when it gets the focus.
        if (key == Qt::Key_Up || key == Qt::Key_Down || key == Qt::Key_Home || key == Qt::Key_End
            || key == Qt::Key_PageUp || key == Qt::Key_PageDown)
            QTimer::singleShot(0, this, [this] {
                if (const QModelIndex now = m_list->currentIndex(); now.isValid())
                    m_selection.setCurrentRun(now.data(RunListModel::IdRole).toString());
            });
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            m_selection.setCurrentRun(m_list->currentIndex().data(RunListModel::IdRole).toString());
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void RunsPanel::compareWith(const QString& id) {
    const RunPtr shown = m_document.run(m_selection.currentRun()), other = m_document.run(id);
    if (!shown || !other || m_selection.comparedRun() == id) m_selection.setComparedRun({});
    else if (areComparable(*shown, *other)) m_selection.setComparedRun(id);
    else
        emit m_document.message(
            tr("Runs %1 and %2 cannot stand side by side: their images or points are not of one kind and size")
                .arg(shown->number)
                .arg(other->number));
}

void RunsPanel::renameCurrent() {
    const QModelIndex index = m_model->indexOf(m_selection.currentRun());
    if (index.isValid()) m_list->edit(index);
}

void RunsPanel::removeCurrent() {
    const QModelIndex index = m_model->indexOf(m_selection.currentRun());
    if (!index.isValid()) return;
    const RunPtr next =
        m_model->runAt(index.row() + 1) ? m_model->runAt(index.row() + 1) : m_model->runAt(index.row() - 1);
    const QString removed = m_selection.currentRun();
    m_selection.setCurrentRun(next ? qstr(next->id) : QString());
    m_document.removeRun(removed);
}

void RunsPanel::showMenu(const QPoint& at) {
    const QModelIndex index = m_list->indexAt(at);
    const RunPtr run = m_model->runAt(index.row());
    if (!index.isValid() || !run) return;
    const QString id = qstr(run->id);
    QMenu menu(this);
    menu.addAction(tr("Show"), this, [&] { m_selection.setCurrentRun(id); });
    QAction* compare =
        menu.addAction(m_selection.comparedRun() == id ? tr("Stop comparing") : tr("Compare with the shown run"), this,
                       [&] { compareWith(id); });
    compare->setEnabled(id != m_selection.currentRun() && !m_selection.currentRun().isEmpty());
    menu.addAction(run->pinned ? tr("No longer the baseline") : tr("Make it the baseline"), this,
                   [&] { m_document.setPinned(id, !run->pinned); });
    menu.addSeparator();
    menu.addAction(tr("Use its recipe as the draft"), this, [&] {
        Recipe r = run->recipe;
        r.branch.reset();
        m_document.editDraft(r, tr("recipe of run %1").arg(run->number));
    });
    menu.addAction(tr("Copy its recipe"), this, [&] {
        QApplication::clipboard()->setText(qstr(toJson(run->recipe).dump(2)));
        emit m_document.message(tr("The recipe of run %1 was copied").arg(run->number));
    });
    menu.addSeparator();
    if (m_document.live(id)) menu.addAction(tr("Cancel"), this, [&] { m_document.cancel(id); });
    if (m_document.canGoOn(id))
        menu.addAction(tr("Go on from its last evaluation"), this, [&] { m_document.goOn(id); });
    menu.addAction(tr("Run its recipe again"), this, [&] { m_document.duplicate(id); });
    menu.addAction(tr("Rename"), this, [&] { m_list->edit(index); });
    menu.addAction(tr("Delete"), this, [&] {
        m_selection.setCurrentRun(id);
        removeCurrent();
    });
    menu.exec(m_list->viewport()->mapToGlobal(at));
}

}  // namespace meander::gui
