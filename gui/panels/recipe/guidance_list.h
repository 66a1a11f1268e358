// The guidance rules of the draft, in the order they are applied.
#pragma once
#include "gui/panels/recipe/choice_section.h"

namespace meander::gui {

class GuidanceList : public QWidget {
    Q_OBJECT
public:
    explicit GuidanceList(QWidget* parent = nullptr);
    void setRules(const std::vector<Choice>& rules);
    void setReference(const std::vector<Choice>* reference);
    ChoiceSection* rule(int index) const;
    QPushButton* addButton() const { return m_add; }

signals:
    // `key` names what changed ("0.scale"); empty when rules were added, removed or exchanged.
    void edited(const std::vector<meander::Choice>& rules, const std::string& key);

private:
    void build();

    std::vector<Choice> m_rules;
    std::vector<ChoiceSection*> m_sections;
    QVBoxLayout* m_box;
    QPushButton* m_add;
};

}  // namespace meander::gui
