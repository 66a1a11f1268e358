// What the palette finds of the recipe: every field that is shown, and every row of the tables the draft may take.
#include <QScrollArea>

#include "engine/recipe/recipe_fields.h"
#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/forms/choice_section.h"
#include "gui/panels/recipe/recipe_panel.h"

namespace meander::gui {
namespace {

// "Steps", "Schedule", "Classifier-free guidance: Scale": a parameter is named with what it belongs to.
QString nameOf(const FormRow* row) {
    const ChoiceSection* section = nullptr;
    for (QWidget* p = row->parentWidget(); p && !section; p = p->parentWidget())
        section = qobject_cast<ChoiceSection*>(p);
    if (!section) return row->label()->text();
    if (section->row() != row)
        return QStringLiteral("%1: %2").arg(section->field()->currentText(), row->label()->text());
    const QString name = section->field()->objectName();
    if (const RecipeField* field = findRecipeField(name.toStdString())) return qstr(field->label);
    return name.isEmpty() ? section->field()->currentText() : row->label()->text();  // of a rule in a stack
}

}  // namespace

void MainWindow::goToField(QWidget* field) {
    dock("recipe")->show();
    dock("recipe")->raise();
    for (QWidget* p = field->parentWidget(); p; p = p->parentWidget())
        if (auto* scroll = qobject_cast<QScrollArea*>(p)) scroll->ensureWidgetVisible(field, 0, 60);
    field->setFocus(Qt::ShortcutFocusReason);
}

std::vector<Command> MainWindow::recipeEntries() {
    std::vector<Command> list;
    const QString menu = tr("Recipe");
    const auto add = [&](const QString& text, const QString& help, std::function<void()> run) {
        list.push_back({QStringLiteral("recipe.%1").arg(list.size()),
                        menu,
                        text,
                        help.section('\n', 0, 0),
                        {},
                        {},
                        std::move(run)});
    };
    for (const FormRow* row : m_recipe->findChildren<FormRow*>())
        if (row->isVisibleTo(m_recipe))
            add(nameOf(row), row->label()->toolTip(), [this, field = row->field()] { goToField(field); });
    for (const CatalogEntry& e : builtInModels())
        add(tr("Model: %1").arg(qstr(e.name)), qstr(e.summary), [this, id = qstr(e.id)] { m_document.useModel(id); });
    const auto edit = [this](const QString& label, std::function<void(Recipe&)> change) {
        return [this, label, change] {
            Recipe r = m_document.draft();
            change(r);
            m_document.editDraft(r, label);
        };
    };
    for (const RecipeField& f : recipeFields())
        for (const ChoiceEntry& e : choiceEntries(f.key)) {
            const QString label = qstr(f.label);
            const Choice choice{e.id.toStdString(), {}};
            if (const auto* one = std::get_if<Choice Recipe::*>(&f.member))
                add(tr("%1: %2").arg(label, e.label), e.help,
                    edit(label.toLower(), [choice, member = *one](Recipe& r) { r.*member = choice; }));
            else if (const auto* several = std::get_if<std::vector<Choice> Recipe::*>(&f.member))
                add(tr("Add %1: %2").arg(label.toLower(), e.label), e.help,
                    edit(label.toLower(), [choice, member = *several](Recipe& r) { (r.*member).push_back(choice); }));
        }
    return list;
}

}  // namespace meander::gui
