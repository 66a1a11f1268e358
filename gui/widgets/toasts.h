// Short notices at the lower right of the window. A problem stays until it is closed; a message goes by itself.
#pragma once
#include <QFrame>
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

private:
    QString m_sentence;
    class QLabel* m_text;
    int m_count = 1;
};

class Toasts : public QObject {
    Q_OBJECT
public:
    explicit Toasts(QWidget* window);
    void showProblem(const QString& sentence, const QString& detail);
    void showMessage(const QString& sentence);
    const std::vector<Toast*>& shown() const { return m_shown; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void add(const QString& sentence, const QString& detail, bool isProblem);
    void remove(Toast* toast);
    void arrange();
    QWidget* m_window;
    std::vector<Toast*> m_shown;
};

}  // namespace meander::gui
