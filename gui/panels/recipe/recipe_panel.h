// The draft recipe as a form, a row for each field of the recipe's table. Every edit is one undoable value swap of the
// document; the form only ever shows the document's draft.
#pragma once
#include <QCheckBox>
#include <QScrollArea>
#include <optional>

#include "engine/recipe/recipe_fields.h"
#include "gui/document/document.h"
#include "gui/forms/choice_section.h"
#include "gui/panels/recipe/plan_card.h"
#include "gui/panels/recipe/rule_stack.h"
#include "gui/panels/recipe/schedule_preview.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/value_line.h"

namespace meander::gui {

class RecipePanel : public QWidget {
    Q_OBJECT
public:
    RecipePanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    void focusPrompt();
    // Settings in which the draft differs from the shown run; absent when they cannot be compared.
    std::optional<int> differenceCount() const { return m_differences; }

signals:
    void differencesChanged();
    void modelCardRequested();
    void openModelRequested();
    void scheduleEditorRequested();

private:
    // A field of the recipe as the form shows it.
    struct Row {
        const RecipeField* field;
        FormRow* row = nullptr;  // null: it has a widget of its own
        std::function<void(const Recipe&)> show = {};
        std::function<void(const Recipe*)> compare = {};  // to a run's recipe; null pointer: to nothing
    };
    void buildGroup(const std::string& group);
    // One for each kind of member (see RecipeMember).
    Row build(const RecipeField& field, std::string Recipe::*member);
    Row build(const RecipeField& field, int Recipe::*member);
    Row build(const RecipeField& field, std::uint64_t Recipe::*member);
    Row build(const RecipeField& field, bool Recipe::*member);
    Row build(const RecipeField& field, std::optional<int> Recipe::*member);
    Row build(const RecipeField& field, AttentionLevel Recipe::*member);
    Row build(const RecipeField& field, Choice Recipe::*member);
    Row build(const RecipeField& field, std::vector<Choice> Recipe::*member);
    Row build(const RecipeField& field, std::optional<BranchPoint> Recipe::*member);
    Row buildModel(const RecipeField& field);
    Row buildPrompt(const RecipeField& field, std::string Recipe::*member);
    Row buildChoices(const RecipeField& field);  // of a text or an AttentionLevel
    void addHead(const QString& text);
    FormRow* addRow(const RecipeField& field, QWidget* widget, FormRow::Layout layout = FormRow::Layout::Beside);

    // Changes a copy of the draft and hands it to the document.
    void edit(const QString& label, const QString& mergeKey, const std::function<void(Recipe&)>& change);
    void editText(const RecipeField& field, const QString& text);
    void chooseModel(const QString& id);
    void reset(const RecipeField& field);
    void show();       // the draft, in all widgets
    void showModel();  // what the model allows
    void showClasses(const ModelInfo& model);
    void showPlan();
    void showCard();
    void showRuns();  // that the draft may start from
    void showDifferences();
    void collectProblems();  // of fields, for the document
    FormRow* row(const char* key) const;
    template <class T> T* widget(const char* key) const { return findChild<T*>(QLatin1String(key)); }

    Document& m_document;
    SelectionModel& m_selection;
    QVBoxLayout* m_rows;
    std::vector<Row> m_fields;
    std::vector<ChoiceSection*> m_sections;
    std::vector<RuleStack*> m_stacks;
    std::vector<ValueLine*> m_lines;
    SchedulePreview* m_preview = nullptr;
    PlanCard* m_card;
    bool m_showing = false;
    int m_promptSession = 0;
    std::optional<int> m_differences = 0;
};

}  // namespace meander::gui
