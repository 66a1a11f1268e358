// Entry fields of the forms. None of them takes the mouse wheel before it has the focus, so scrolling a form never changes a value.
#pragma once
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QToolButton>

namespace meander::gui {

class ChoiceField : public QComboBox {
    Q_OBJECT
public:
    explicit ChoiceField(QWidget* parent = nullptr);
    void addChoice(const QString& id, const QString& label, const QString& help = {});
    QString choice() const { return currentData().toString(); }
    // Shows an id that is not in the list too, so that a file of another version keeps what it says.
    void setChoice(const QString& id);

signals:
    void chosen(const QString& id);  // by a person

protected:
    void wheelEvent(QWheelEvent* event) override;
};

class IntegerField : public QSpinBox {
    Q_OBJECT
public:
    explicit IntegerField(QWidget* parent = nullptr);

protected:
    void wheelEvent(QWheelEvent* event) override;
};

class RealField : public QDoubleSpinBox {
    Q_OBJECT
public:
    explicit RealField(QWidget* parent = nullptr);
    void setLogarithmic(bool on) { m_logarithmic = on; }
    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void stepBy(int steps) override;

protected:
    void wheelEvent(QWheelEvent* event) override;

private:
    bool m_logarithmic = false;
};

// Several lines; grows with its text up to a limit. Undo belongs to the document.
class PromptField : public QPlainTextEdit {
    Q_OBJECT
public:
    PromptField(int minimumLines, int maximumLines, QWidget* parent = nullptr);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

signals:
    void left();  // lost the focus: the next edit is a new undo step

protected:
    bool event(QEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    int m_minimumLines, m_maximumLines;
};

// Label, field, and beside the label what the field is compared to: an amber dot when the draft differs from the current run, a button when the value is
// not the default.
class FormRow : public QWidget {
    Q_OBJECT
public:
    enum class Layout { Beside, Above };
    FormRow(const QString& label, QWidget* field, QWidget* parent = nullptr, Layout layout = Layout::Beside);
    QWidget* field() const { return m_field; }
    QLabel* label() const { return m_label; }
    void setHelp(const QString& help);
    void setDifference(const QString& otherValue);  // empty: none
    void setResettable(bool on, const QString& defaultText = {});
    bool isDifferent() const { return m_different; }

signals:
    void resetRequested();

private:
    QLabel* m_label;
    QLabel* m_dot;
    QToolButton* m_reset;
    QWidget* m_field;
    bool m_different = false;
};

// Width of the label column of all forms at the present font.
int formLabelWidth();

}  // namespace meander::gui
