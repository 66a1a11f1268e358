// Entry fields of the forms. A value changes at Enter, when the field is left, by an arrow key of a number, or by a
// choice from an open list: never while it is half typed, and never by the mouse wheel, which scrolls the form.
#pragma once
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QToolButton>
#include <functional>

namespace meander::gui {

class ChoicePopup;

// With many entries it opens a list that can be searched; letters typed on the closed field start the search. Keys open
// the closed list and never change the choice; Home, End, Left and Right are left to the window.
class ChoiceField : public QComboBox {
    Q_OBJECT
public:
    using Grouping = std::function<QString(const QString& id)>;
    explicit ChoiceField(QWidget* parent = nullptr);
    void addChoice(const QString& id, const QString& label, const QString& help = {});
    // Headings of the searchable list. Entries of one group stand together, groups in the order of their first entries;
    // "" has no heading.
    void setGrouping(Grouping groupOf) { m_groupOf = std::move(groupOf); }
    // For "Add …": every key and click opens the list, and no choice is kept.
    void setPicksOnly(bool on) { m_picksOnly = on; }
    // Search and descriptions, however short the list is.
    void setDescribed(bool on) { m_isDescribed = on; }
    bool isSearchable() const;
    ChoicePopup* popup() const { return m_popup; }  // null before it was opened
    void showPopup() override;
    void hidePopup() override;
    QString choice() const { return currentData().toString(); }
    // Shows an id that is not in the list too, so that a file of another version keeps what it says.
    void setChoice(const QString& id);

signals:
    void chosen(const QString& id);  // by a person

protected:
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    void openSearch(const QString& text);
    QString shownText() const;  // shortened to the room there is

    Grouping m_groupOf;
    ChoicePopup* m_popup = nullptr;
    bool m_picksOnly = false, m_isDescribed = false;
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
    // A fraction in [0, 1] that people read and type as per cent.
    void setPercent(bool on) { m_scale = on ? 100 : 1; }
    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void stepBy(int steps) override;

protected:
    void wheelEvent(QWheelEvent* event) override;

private:
    bool m_logarithmic = false;
    double m_scale = 1;
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

// Label, field, and beside the label what the field is compared to: an amber dot when the draft differs from the
// current run, a button when the value is not the default.
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
    // Before the label and at the end of its line, for rows whose field stands below.
    void addToHead(QWidget* before, const QList<QWidget*>& after);

signals:
    void resetRequested();

protected:
    void changeEvent(QEvent* event) override;

private:
    QLabel* m_label;
    QLabel* m_dot;
    QToolButton* m_reset;
    QWidget* m_field;
    QHBoxLayout* m_head;
    QWidget* m_labels = nullptr;  // beside the field
    bool m_different = false;
};

// Width of the label column of all forms at the present font.
int formLabelWidth();

}  // namespace meander::gui
