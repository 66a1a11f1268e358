// The draft recipe as a form. Every edit is one undoable value swap of the document; the form only ever shows the
// document's draft.
#pragma once
#include <QCheckBox>
#include <QScrollArea>
#include <map>

#include "gui/document/document.h"
#include "gui/forms/choice_section.h"
#include "gui/panels/recipe/plan_card.h"
#include "gui/panels/recipe/rule_stack.h"
#include "gui/panels/recipe/schedule_preview.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class RecipePanel : public QWidget {
    Q_OBJECT
public:
    RecipePanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    void focusPrompt();
    int differenceCount() const { return m_differences; }

signals:
    void differencesChanged(int count);
    void modelCardRequested();
    void openModelRequested();

private:
    void buildModel();
    void buildPrompt();
    void buildSampling();
    void buildSchedule();
    void buildGuidance();
    void buildNoise();
    void buildRest();
    void addHead(const QString& text);
    // A table's row and its parameters, edited as one value of the recipe.
    ChoiceSection* addSection(const QString& label, const QString& key, std::vector<ChoiceEntry> entries,
                              Choice Recipe::*member);
    RuleStack* addStack(const StackWords& words, const QString& key, std::vector<ChoiceEntry> entries,
                        std::vector<Choice> Recipe::*member);
    FormRow* addRow(const QString& label, QWidget* field, const QString& key, const QString& help = {},
                    FormRow::Layout layout = FormRow::Layout::Beside);
    // Changes a copy of the draft and hands it to the document.
    void edit(const QString& label, const QString& mergeKey, const std::function<void(Recipe&)>& change);
    void chooseModel(const QString& id);
    void show();       // the draft, in all widgets
    void showModel();  // what the model allows
    void showPlan();
    void showRuns();  // that the draft may start from
    void showDifferences();
    void resetRow(const QString& key);

    Document& m_document;
    SelectionModel& m_selection;
    QVBoxLayout* m_rows;
    std::map<QString, FormRow*> m_row;  // by key of the recipe
    ChoiceField *m_model, *m_class, *m_precision, *m_device, *m_attention;
    PromptField *m_prompt, *m_negative;
    IntegerField *m_steps, *m_images;
    QLineEdit* m_seed;
    QCheckBox* m_states;
    ChoiceSection *m_start, *m_sampler, *m_schedule, *m_noise;
    RuleStack *m_operators, *m_guidance;
    SchedulePreview* m_preview;
    PlanCard* m_card;
    QFrame* m_branch;
    QLabel* m_branchText;
    bool m_showing = false;
    int m_promptSession = 0, m_differences = 0;
};

}  // namespace meander::gui
