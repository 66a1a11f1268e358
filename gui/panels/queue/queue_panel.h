// What is running and waiting: image, what tells the runs apart, progress, time left, order, pauses, copies. A row has
// the keyboard: Alt+Up and Alt+Down move it, Space pauses it, Delete cancels it, Enter edits it while it waits.
#pragma once
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>
#include <vector>

#include "gui/document/document.h"
#include "gui/widgets/front_panel.h"

namespace meander::gui {

class ProgressLine : public QWidget {
    Q_OBJECT
public:
    explicit ProgressLine(QWidget* parent = nullptr);
    void setShare(double share);  // done, 0 to 1
    double share() const { return m_share; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    double m_share = 0;
};

class QueueRow : public QWidget {
    Q_OBJECT
public:
    QueueRow(Document& document, const QString& id, QWidget* parent = nullptr);
    QString id() const { return m_id; }
    // Position −1: not waiting. `first`: the recipe that the row's differs from, as the row says.
    void show(int waitingPosition, int waitingCount, const Recipe& first);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void connectButtons();
    void togglePause();
    void fillMenu();
    QString stateText() const;

    Document& m_document;
    QString m_id;
    QLabel *m_number, *m_image, *m_name, *m_line, *m_state;
    ProgressLine* m_bar;
    QToolButton *m_up, *m_down, *m_pause, *m_cancel, *m_more;
    int m_position = 0;
};

class QueuePanel : public FrontPanel {
    Q_OBJECT
public:
    explicit QueuePanel(Document& document, QWidget* parent = nullptr);

private:
    static constexpr int mostRows = 60;  // a sweep may hold thousands of runs
    void frontChanged() override;
    void layingOut() override { rebuild(); }
    void buildBar();
    void follow();  // the queue, while this panel is in front
    void rebuild();
    void refresh();
    void refreshBar(int waiting);

    Document& m_document;
    QWidget* m_bar;
    QLabel *m_empty, *m_count, *m_rest;
    QToolButton *m_pause, *m_pauseAfter, *m_cancelAll;
    QVBoxLayout* m_box;
    std::vector<QueueRow*> m_rows;
};

}  // namespace meander::gui
