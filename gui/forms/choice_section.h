// A row of a table (sampler, schedule) with its parameters below it.
#pragma once
#include "engine/recipe/recipe.h"
#include "gui/forms/param_form.h"

namespace meander::gui {

struct ChoiceEntry {
    QString id, label, help, group;
    const std::vector<ParamSpec>* specs;
};
// Heading under which an entry stands in the searchable list.
using Grouping = std::function<QString(const ChoiceEntry&)>;

class ChoiceSection : public QWidget {
    Q_OBJECT
public:
    // No `grouping`: by ChoiceEntry::group.
    ChoiceSection(const QString& label, std::vector<ChoiceEntry> entries, QWidget* parent = nullptr,
                  Grouping grouping = {}, FormRow::Layout layout = FormRow::Layout::Beside);
    void setChoice(const Choice& choice);
    // Null: compared to nothing.
    void setReference(const Choice* reference);
    ChoiceField* field() const { return m_field; }
    FormRow* row() const { return m_row; }
    ParamForm* form() const { return m_form; }

signals:
    // `key` is empty when another row was chosen, else the parameter that changed.
    void edited(const meander::Choice& choice, const std::string& key);

private:
    const ChoiceEntry* entry(const QString& id) const;

    std::vector<ChoiceEntry> m_entries;
    Choice m_choice;
    ChoiceField* m_field;
    FormRow* m_row;
    ParamForm* m_form;
};

// The rows of the table that a field of the recipe chooses from; empty: it chooses from none.
std::vector<ChoiceEntry> choiceEntries(const std::string& field);

}  // namespace meander::gui
