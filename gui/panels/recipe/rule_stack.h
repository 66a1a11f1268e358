// A list of rules in the order they are applied (guidance, operators on the schedule). They can be moved, exchanged,
// switched off in their place and taken out; each says what it costs there, or why it does nothing.
#pragma once
#include <QCheckBox>

#include "gui/forms/choice_section.h"

namespace meander::gui {

// What a list calls its rules.
struct StackWords {
    QString one;   // "Guidance"
    QString many;  // "Guidance rules, applied from above"
    QString add;   // "Add a guidance rule"
};

struct RuleNote {
    QString text;
    bool isIdle = false;  // it does nothing, and the text says why
};

class RuleCard : public QFrame {
    Q_OBJECT
public:
    RuleCard(const QString& title, const std::vector<ChoiceEntry>& entries, QWidget* parent);
    // Its place and how many there are.
    void setPlace(const QString& title, int index, int count);
    void setChoice(const Choice& choice);
    void setNote(const RuleNote& note);
    ChoiceSection* section() const { return m_section; }
    QCheckBox* enabledBox() const { return m_enabled; }
    QToolButton* earlier() const { return m_earlier; }
    QToolButton* later() const { return m_later; }
    QToolButton* removeButton() const { return m_remove; }
    QString note() const { return m_note->text(); }

signals:
    void moved(int by);
    void removed();
    void switched(bool on);

private:
    ChoiceSection* m_section;
    QCheckBox* m_enabled;
    QToolButton *m_earlier, *m_later, *m_remove;
    QLabel* m_note;
};

class RuleStack : public QWidget {
    Q_OBJECT
public:
    RuleStack(StackWords words, std::vector<ChoiceEntry> entries, QWidget* parent = nullptr);
    void setRules(const std::vector<Choice>& rules);
    void setReference(const std::vector<Choice>* reference);
    // Per rule; of another length than the rules: not known yet.
    void setNotes(const std::vector<RuleNote>& notes);
    // Ids and names of the runs that a rule may read from.
    void setRuns(const QList<std::pair<QString, QString>>& runs);
    QStringList problems() const;  // of all rules, see ParamForm
    ChoiceSection* rule(int index) const;
    RuleCard* card(int index) const;
    ChoiceField* addField() const { return m_add; }

signals:
    // `key` names what changed ("0.scale"); empty when rules were added, removed, moved, switched or exchanged.
    void edited(const std::vector<meander::Choice>& rules, const std::string& key);
    void problemsChanged();

private:
    void addCard();
    void change(std::size_t at, const std::function<void(std::vector<Choice>&)>& how);
    void move(std::size_t at, int by);

    const StackWords m_words;
    const std::vector<ChoiceEntry> m_entries;
    std::vector<Choice> m_rules;
    std::vector<RuleCard*> m_cards;
    QList<std::pair<QString, QString>> m_runs;
    QVBoxLayout* m_box;
    QLabel* m_head;
    ChoiceField* m_add;
};

}  // namespace meander::gui
