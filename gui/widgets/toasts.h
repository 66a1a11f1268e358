// Short notices at the lower right of the window. They go by themselves, a problem after a longer while, but not under
// the pointer or with its details open; the log keeps what they said.
#pragma once
#include <QFrame>
#include <QPushButton>
#include <QTimer>
#include <QWidget>
#include <vector>

namespace meander::gui {

class Toast : public QFrame {
    Q_OBJECT
public:
    Toast(const QString& sentence, const QString& detail, bool isProblem, QWidget* parent);
    QString sentence() const { return m_sentence; }
    int count() const { return m_count; }
    void addOne();

signals:
    void closed();

protected:
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    QString m_sentence;
    class QLabel *m_text, *m_detail = nullptr;
    QTimer m_life;
    int m_count = 1;
};

class Toasts : public QObject {
    Q_OBJECT
public:
    explicit Toasts(QWidget* window);
    void showProblem(const QString& sentence, const QString& detail);
    void showMessage(const QString& sentence);
    const std::vector<Toast*>& shown() const { return m_shown; }
    QPushButton* closeAll() const { return m_closeAll; }  // above the notices, where there are several

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void add(const QString& sentence, const QString& detail, bool isProblem);
    void remove(Toast* toast);
    void arrange();
    QWidget* m_window;
    std::vector<Toast*> m_shown;
    QPushButton* m_closeAll;
};

}  // namespace meander::gui
