// What is running and waiting: progress, time left, order, pause, cancel.
#pragma once
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWidget>
#include <vector>

#include "gui/document/document.h"

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
    void show(int waitingPosition, int waitingCount);  // position −1: not waiting

private:
    Document& m_document;
    QString m_id;
    QLabel *m_number, *m_name, *m_state;
    ProgressLine* m_bar;
    QToolButton *m_up, *m_down, *m_pause, *m_cancel;
    int m_position = 0;
};

class QueuePanel : public QWidget {
    Q_OBJECT
public:
    explicit QueuePanel(Document& document, QWidget* parent = nullptr);

private:
    void rebuild();
    void refresh();

    Document& m_document;
    QLabel* m_empty;
    QToolButton* m_cancelAll;
    QVBoxLayout* m_box;
    std::vector<QueueRow*> m_rows;
};

}  // namespace meander::gui
