// A line of text that becomes a value at Enter or when it is left, never while it is being typed. Text that is no value
// stays there, marked, and `problem` tells why; Escape brings back the value that holds.
#pragma once
#include <QKeyEvent>
#include <QLineEdit>
#include <QStyle>
#include <functional>

namespace meander::gui {

class ValueLine : public QLineEdit {
    Q_OBJECT
public:
    // A sentence when the text is no value, else empty.
    using Check = std::function<QString(const QString& text)>;
    explicit ValueLine(Check check, QWidget* parent = nullptr) : QLineEdit(parent), m_check(std::move(check)) {
        connect(this, &QLineEdit::textEdited, this, [this] { mark(); });
        connect(this, &QLineEdit::editingFinished, this, &ValueLine::commit);
    }
    // The value that holds. The same one again leaves alone what is being typed.
    void showValue(const QString& value) {
        if (value == m_value && isModified()) return;
        m_value = value;
        restore();
    }
    void restore() {
        setText(m_value);  // no longer modified
        mark();
        setProblem({});
    }
    // Of text that was left or confirmed.
    QString problem() const { return m_problem; }

signals:
    void committed(const QString& text);
    void problemChanged();

protected:
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Escape && isModified()) restore();
        else QLineEdit::keyPressEvent(event);
    }
    bool event(QEvent* event) override {
        // Escape is the window's own shortcut only where there is nothing to bring back.
        if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape
            && isModified())
            event->accept();
        return QLineEdit::event(event);
    }

private:
    void commit() {
        if (!isModified()) return;
        const QString problem = m_check(text());
        setProblem(problem);
        if (!problem.isEmpty()) return;
        setModified(false);
        emit committed(text());
    }
    void mark() {
        const QString why = isModified() ? m_check(text()) : QString();
        if (property("invalid").toBool() == !why.isEmpty()) return;
        setProperty("invalid", !why.isEmpty());
        style()->unpolish(this);
        style()->polish(this);
    }
    void setProblem(const QString& problem) {
        if (problem == m_problem) return;
        m_problem = problem;
        emit problemChanged();
    }

    Check m_check;
    QString m_value, m_problem;
};

}  // namespace meander::gui
