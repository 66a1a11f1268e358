// The guidance rules of the draft in the order they are applied, each with what it costs in its place; they can be moved, exchanged and taken out.
#pragma once
#include "engine/run/plan.h"
#include "gui/panels/recipe/choice_section.h"

namespace meander::gui {

// One rule: its choice, its parameters, what it costs or why it does nothing.
class GuidanceCard : public QFrame {
    Q_OBJECT
public:
    GuidanceCard(int index, int count, QWidget* parent);
    void setChoice(const Choice& choice);
    // What the rule costs in its place, and why it does nothing if it does; none: not known yet.
    void setCost(std::optional<RuleCost> cost);
    ChoiceSection* section() const { return m_section; }
    QToolButton* earlier() const { return m_earlier; }
    QToolButton* later() const { return m_later; }
    QToolButton* removeButton() const { return m_remove; }
    QString note() const { return m_note->text(); }

signals:
    void moved(int by);
    void removed();

private:
    void showNote();

    int m_index;
    Choice m_choice;
    std::optional<RuleCost> m_cost;
    ChoiceSection* m_section;
    QToolButton *m_earlier, *m_later, *m_remove;
    QLabel* m_note;
};

class GuidanceList : public QWidget {
    Q_OBJECT
public:
    explicit GuidanceList(QWidget* parent = nullptr);
    void setRules(const std::vector<Choice>& rules);
    void setReference(const std::vector<Choice>* reference);
    // Per rule; of another length than the rules: not known yet.
    void setCosts(const std::vector<RuleCost>& costs);
    ChoiceSection* rule(int index) const;
    GuidanceCard* card(int index) const;
    ChoiceField* addField() const { return m_add; }

signals:
    // `key` names what changed ("0.scale"); empty when rules were added, removed, moved or exchanged.
    void edited(const std::vector<meander::Choice>& rules, const std::string& key);

private:
    void build();

    std::vector<Choice> m_rules;
    std::vector<GuidanceCard*> m_cards;
    QVBoxLayout* m_box;
    QLabel* m_head;
    ChoiceField* m_add;
};

}  // namespace meander::gui
