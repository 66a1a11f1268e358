// The recipe form: lists of many entries that are searched, guidance rules that stack, shares in per cent.
#include <QLabel>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/run/initial_state.h"
#include "engine/run/source_image.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "gui/document/document.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/choice_popup.h"
#include "gui/widgets/fields.h"
#include "gui/widgets/optional_field.h"

using namespace meander;
using namespace meander::gui;

static std::vector<int> evaluationsOf(const std::vector<RuleCost>& costs) {
    std::vector<int> list;
    for (const RuleCost& c : costs) list.push_back(c.evaluations);
    return list;
}

class TestRecipe : public QObject {
    Q_OBJECT
    // Sixty entries in four groups, as long tables of samplers are.
    static void fill(ChoiceField& field) {
        for (int i = 0; i < 60; ++i)
            field.addChoice(QStringLiteral("s%1").arg(i),
                            QStringLiteral("Sampler %1 of %2").arg(i).arg(i % 4 == 0 ? "Heun" : "Euler"),
                            QStringLiteral("help of %1\nKarras et al. 2022").arg(i));
        field.setGrouping([](const QString& id) { return QStringLiteral("Group %1").arg(id.mid(1).toInt() % 4); });
    }
    static int headings(const QListWidget* list) {
        int n = 0;
        for (int i = 0; i < list->count(); ++i) n += list->item(i)->flags() == Qt::NoItemFlags;
        return n;
    }

private slots:
    void initTestCase() {
        loadFonts();
        applyTheme(ThemeChoice::Dark);
    }

    void longListsAreSearched() {
        QWidget window;
        ChoiceField field(&window);
        fill(field);
        field.setChoice("s7");
        window.resize(300, 80);
        window.show();
        QSignalSpy chosen(&field, &ChoiceField::chosen);
        QTest::mouseClick(&field, Qt::LeftButton);
        QTRY_VERIFY(field.popup() && field.popup()->isVisible());
        ChoicePopup& popup = *field.popup();
        QCOMPARE(popup.shownChoices().size(), 60);
        QCOMPARE(headings(popup.list()), 4);
        QCOMPARE(popup.list()->currentItem()->text(), QString("Sampler 7 of Euler"));
        // Entries of a group stand together, groups in the order of their first entries.
        for (int i = 1; i < 60; ++i) QVERIFY(popup.shownChoices()[i] % 4 >= popup.shownChoices()[i - 1] % 4);
        QTest::keyClicks(popup.searchField(), "heun 2");
        for (int index : popup.shownChoices())
            QVERIFY2(field.itemText(index).contains("Heun")
                         || field.itemData(index, Qt::ToolTipRole).toString().contains("2"),
                     qPrintable(field.itemText(index)));
        QVERIFY(popup.shownChoices().contains(20) && popup.shownChoices().contains(24)
                && !popup.shownChoices().contains(21));
        popup.searchField()->clear();
        QTest::keyClicks(popup.searchField(), "48");
        QCOMPARE(popup.shownChoices(), QList<int>{48});
        QTest::keyClick(popup.searchField(), Qt::Key_Return);
        QVERIFY(!popup.isVisible());
        QCOMPARE(field.choice(), QString("s48"));
        QCOMPARE(chosen.count(), 1);
    }

    void arrowsPassHeadings() {
        QWidget window;
        ChoiceField field(&window);
        fill(field);
        field.setChoice("s56");  // last of its group
        window.show();
        field.showPopup();
        ChoicePopup& popup = *field.popup();
        QTest::keyClick(popup.searchField(), Qt::Key_Down);
        QCOMPARE(popup.list()->currentItem()->text(), QString("Sampler 1 of Euler"));  // first of the next
        QTest::keyClick(popup.searchField(), Qt::Key_Up);
        QCOMPARE(popup.list()->currentItem()->text(), QString("Sampler 56 of Heun"));
        QTest::keyClick(popup.searchField(), Qt::Key_Escape);
        QVERIFY(!popup.isVisible());
        QCOMPARE(field.choice(), QString("s56"));
    }

    void lettersOnTheClosedFieldSearch() {
        QWidget window;
        ChoiceField field(&window);
        fill(field);
        window.show();
        QTest::keyClick(&field, Qt::Key_3);
        QVERIFY(field.popup() && field.popup()->isVisible());
        QCOMPARE(field.popup()->searchField()->text(), QString("3"));
        QTest::keyClicks(field.popup()->searchField(), "zzz");
        QVERIFY(field.popup()->shownChoices().isEmpty());
        QVERIFY(field.popup()->list()->item(0)->text().contains("3zzz"));
        QTest::keyClick(field.popup()->searchField(), Qt::Key_Return);  // nothing to choose
        QVERIFY(field.popup()->isVisible());
    }

    void mouseChooses() {
        QWidget window;
        ChoiceField field(&window);
        fill(field);
        window.show();
        field.showPopup();
        QListWidget* list = field.popup()->list();
        QListWidgetItem* item = list->findItems("Sampler 4 of Heun", Qt::MatchExactly).value(0);
        QVERIFY(item);
        list->scrollToItem(item);
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualItemRect(item).center());
        QCOMPARE(field.choice(), QString("s4"));
    }

    void shortListsOpenAsUsual() {
        ChoiceField field;
        for (const char* c : {"a", "b", "c"}) field.addChoice(c, c);
        QVERIFY(!field.isSearchable());
    }

    void everySamplerHasAGroup() {
        for (const ChoiceEntry& e : choiceEntries("sampler")) QVERIFY2(!e.group.isEmpty(), qPrintable(e.id));
        // A function given to the section goes before what the rows say.
        ChoiceSection section("Sampler", choiceEntries("sampler"), nullptr,
                              [](const ChoiceEntry& e) { return e.id.left(1); });
        section.show();
        section.field()->showPopup();
        if (section.field()->popup())
            QCOMPARE(section.field()->popup()->list()->item(0)->text(), choiceEntries("sampler").front().id.left(1));
    }

    void sharesAreReadAndTypedInPerCent() {
        ChoiceSection section("Guidance", choiceEntries("guidance"));
        section.setChoice(Choice{"cfg", {{"from", 0.25}}});
        auto* from = qobject_cast<RealField*>(section.form()->field("from"));
        auto* to = qobject_cast<RealField*>(section.form()->field("to"));
        QVERIFY(from && to);
        QCOMPARE(from->text(), QString("25 % of steps"));
        QCOMPARE(to->text(), QString("100 % of steps"));
        QSignalSpy edited(&section, &ChoiceSection::edited);
        from->selectAll();
        QTest::keyClicks(from, "40");
        QTest::keyClick(from, Qt::Key_Return);
        QVERIFY(edited.count() > 0);
        QCOMPARE(real(edited.last()[0].value<Choice>().params, "from"), 0.4);
        from->stepBy(1);
        QCOMPARE(from->text(), QString("45 % of steps"));
        QVERIFY(from->toolTip().contains("0 % to 100 %"));
    }

    void guidanceStacksMovesAndCounts() {
        Document document;
        SelectionModel selection;
        RecipePanel panel(document, selection);
        panel.resize(320, 900);
        panel.setVisible(true);
        Recipe r;
        r.model = "builtin:sprites-unet";
        r.prompt = "a red circle above a blue square on a white background";
        r.sampler = {"euler", {}};
        r.schedule = {"karras", {}};
        r.steps = 10;
        r.guidance = {{"cfg", {{"scale", 3.0}, {"to", 0.5}}}, {"cfg", {{"scale", 2.0}}}, {"cfg", {{"scale", 1.0}}}};
        document.editDraft(r, "three rules");
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && document.draftPlan().ok(), 60000);
        auto* list = panel.findChild<RuleStack*>("guidance");
        QVERIFY(list && list->card(2) && !list->card(3));
        // Half of the steps for the first; the second needs the rest; the third does nothing and says why.
        QCOMPARE(evaluationsOf(document.guidanceCosts()), (std::vector<int>{5, 5, 0}));
        QCOMPARE(document.draftPlan().value().evaluations, 20);
        QVERIFY2(list->card(0)->note().contains("+5 evaluations"), qPrintable(list->card(0)->note()));
        QVERIFY(list->card(1)->note().contains("+5 evaluations"));
        QCOMPARE(list->card(2)->note(), qstr(document.guidanceCosts()[2].idle));
        QVERIFY(!list->card(0)->earlier()->isEnabled() && !list->card(2)->later()->isEnabled());
        QTest::mouseClick(list->card(0)->later(), Qt::LeftButton);
        QCOMPARE(real(document.draft().guidance[0].params, "scale"), 2.0);
        QCOMPARE(real(document.draft().guidance[1].params, "scale"), 3.0);
        QTRY_COMPARE_WITH_TIMEOUT(evaluationsOf(document.guidanceCosts()), (std::vector<int>{10, 0, 0}), 30000);
        QTRY_VERIFY(list->card(1)->note().contains("rules above"));
        panel.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&panel));
        list->card(1)->removeButton()->setFocus();
        QTest::keyClick(list->card(1)->removeButton(), Qt::Key_Up, Qt::AltModifier | Qt::ShiftModifier);
        QCOMPARE(real(document.draft().guidance[0].params, "scale"), 3.0);
        document.undoStack().undo();
        document.undoStack().undo();
        QVERIFY(document.draft().guidance == r.guidance);
        QTest::mouseClick(list->card(1)->removeButton(), Qt::LeftButton);
        QCOMPARE(document.draft().guidance.size(), std::size_t(2));
        ChoiceField* add = list->addField();
        add->setCurrentIndex(0);
        emit add->activated(0);
        QCOMPARE(document.draft().guidance.size(), std::size_t(3));
        QCOMPARE(add->currentIndex(), -1);
        // Keys on the field open its list; they never add by themselves.
        QTest::keyClick(add, Qt::Key_Down);
        QCOMPARE(document.draft().guidance.size(), std::size_t(3));
        add->hidePopup();
    }

    void switchedOffRulesKeepTheirPlace() {
        Document document;
        SelectionModel selection;
        RecipePanel panel(document, selection);
        panel.resize(320, 900);
        panel.setVisible(true);
        Recipe r;
        r.model = "builtin:sprites-unet";
        r.prompt = "a red circle above a blue square on a white background";
        r.sampler = {"euler", {}};
        r.steps = 10;
        r.guidance = {{"cfg", {{"scale", 3.0}}}, {"rescale", {}}};
        document.editDraft(r, "two rules");
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && document.draftPlan().ok(), 60000);
        QCOMPARE(document.draftPlan().value().evaluations, 20);
        auto* list = panel.findChild<RuleStack*>("guidance");
        QVERIFY(list->card(0)->enabledBox()->isChecked());
        QTest::mouseClick(list->card(0)->enabledBox(), Qt::LeftButton, {},
                          QPoint(8, list->card(0)->enabledBox()->height() / 2));
        QVERIFY(isSwitchedOff(document.draft().guidance[0]) && !isSwitchedOff(document.draft().guidance[1]));
        QCOMPARE(real(document.draft().guidance[0].params, "scale"), 3.0);
        QVERIFY(!list->rule(0)->form()->isEnabled());
        // It asks for nothing, and the rule after it has nothing to tame.
        QTRY_VERIFY_WITH_TIMEOUT(document.draftPlan().ok() && document.draftPlan().value().evaluations == 10, 30000);
        QTRY_COMPARE(list->card(0)->note(), QString("Switched off."));
        QTRY_VERIFY2(list->card(1)->note().contains("no rule before it"), qPrintable(list->card(1)->note()));
        // Another rule in its place is off too; files and other programs say the same.
        const auto back = recipeFromJson(toJson(document.draft()));
        QVERIFY(back && *back == document.draft());
        QVERIFY(toJson(document.draft()).dump().find("\"enabled\":false") != std::string::npos);
        document.undoStack().undo();
        QVERIFY(list->card(0)->enabledBox()->isChecked());
        QVERIFY(document.draft().guidance == r.guidance);
        QVERIFY(toJson(document.draft()).dump().find("enabled") == std::string::npos);
        QTRY_VERIFY_WITH_TIMEOUT(document.draftPlan().ok() && document.draftPlan().value().evaluations == 20, 30000);
    }

    // A person finds every row of every table, and each choice can be undone.
    void everythingCanBeChosen() {
        Document document;
        SelectionModel selection;
        RecipePanel panel(document, selection);
        panel.resize(320, 900);
        panel.setVisible(true);
        document.useModel("analytic:ring8");
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && document.draft().model == "analytic:ring8", 60000);
        const auto ids = [](const auto& table) {
            QStringList list;
            for (const auto& row : table) list << qstr(row.id);
            return list;
        };
        const std::pair<QString, QStringList> tables[] = {{"sampler", ids(samplers())},
                                                          {"schedule", ids(schedules())},
                                                          {"noise", ids(noiseSources())},
                                                          {"start", ids(starts())},
                                                          {"source", ids(sources())},
                                                          {"add.guidance", ids(guidanceRules())},
                                                          {"add.schedule_operators", ids(scheduleOperators())}};
        for (const auto& [name, all] : tables) {
            auto* field = panel.findChild<ChoiceField*>(name);
            QVERIFY2(field, qPrintable(name));
            field->showPopup();
            QVERIFY2(field->popup() && field->popup()->isVisible(), qPrintable(name));
            QCOMPARE(field->popup()->shownChoices().size(), all.size());
            field->hidePopup();
            for (const QString& id : all) {
                const int index = field->findData(id);
                QVERIFY2(index >= 0, qPrintable(name + ' ' + id));
                QVERIFY2(!field->itemData(index, Qt::ToolTipRole).toString().isEmpty(),
                         qPrintable(name + ' ' + id + " says nothing about itself"));
                const Recipe before = document.draft();
                const int count = document.undoStack().index();
                field->setCurrentIndex(index);
                emit field->activated(index);
                if (document.draft() == before) continue;  // it was chosen already
                QCOMPARE(document.undoStack().index(), count + 1);
                document.undoStack().undo();
                QVERIFY2(document.draft() == before, qPrintable(name + ' ' + id));
            }
        }
    }

    void thePreviewFollowsTheOperators() {
        Document document;
        SelectionModel selection;
        RecipePanel panel(document, selection);
        panel.resize(320, 900);
        panel.setVisible(true);
        document.useModel("analytic:ring8");
        QTRY_VERIFY_WITH_TIMEOUT(
            !document.isPlanning() && document.draft().model == "analytic:ring8" && document.draftPlan().ok(), 60000);
        auto* preview = panel.findChild<SchedulePreview*>();
        const auto levels = [preview] {
            std::vector<double> y;
            if (!preview->plot().layers.empty())
                for (QPointF p : preview->plot().layers.back()->extent()) y.push_back(p.y());
            return y;
        };
        const auto wanted = [&document] {  // the model is variance exploding, so τ is σ
            std::vector<double> y;
            for (double tau : document.draftPlan().value().levels)
                if (tau > 0) y.push_back(tau);
            return y;
        };
        QTRY_COMPARE(levels(), wanted());
        QCOMPARE(levels().size(), std::size_t(20));
        QVERIFY(preview->plot().y.scale == Axis::Scale::Log);
        auto* stack = panel.findChild<RuleStack*>("schedule_operators");
        ChoiceField* add = stack->addField();
        QTest::mouseClick(add, Qt::LeftButton);
        QTRY_VERIFY(add->popup() && add->popup()->isVisible());
        QTest::keyClicks(add->popup()->searchField(), "clip");
        QTest::keyClick(add->popup()->searchField(), Qt::Key_Return);
        QCOMPARE(document.draft().scheduleOperators.size(), std::size_t(1));
        QCOMPARE(document.draft().scheduleOperators[0].id, std::string("clip"));
        // What may be left out is left out until it is ticked, and again when it is not.
        OptionalField* most = stack->rule(0)->form()->optionalField("max");
        QVERIFY(most && !most->isPresent());
        QTest::mouseClick(most->box(), Qt::LeftButton, {}, QPoint(8, most->box()->height() / 2));
        QVERIFY(document.draft().scheduleOperators[0].params.contains("max"));
        auto* value = qobject_cast<RealField*>(stack->rule(0)->form()->field("max"));
        value->selectAll();
        QTest::keyClicks(value, "5");
        QTest::keyClick(value, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && levels() == wanted() && levels().front() == 5, 30000);
        QTest::mouseClick(stack->card(0)->enabledBox(), Qt::LeftButton, {},
                          QPoint(8, stack->card(0)->enabledBox()->height() / 2));
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && levels() == wanted() && levels().front() == 80, 30000);
        document.undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && levels().front() == 5, 30000);
        QTest::mouseClick(most->box(), Qt::LeftButton, {}, QPoint(8, most->box()->height() / 2));
        QVERIFY(!document.draft().scheduleOperators[0].params.contains("max"));
    }

    void aRunStartsWhereAnotherEnded() {
        Document document;
        SelectionModel selection;
        RecipePanel panel(document, selection);
        panel.resize(320, 900);
        panel.setVisible(true);
        document.startEngine();
        document.useModel("analytic:ring8");
        QTRY_VERIFY_WITH_TIMEOUT(
            !document.isPlanning() && document.draft().model == "analytic:ring8" && document.draftPlan().ok(), 60000);
        document.runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(document.runs().size() == 1 && document.runs()[0]->status == RunStatus::Finished,
                                 60000);
        const QString first = qstr(document.runs()[0]->id);
        selection.setCurrentRun(first);
        auto* start = panel.findChild<ChoiceField*>("start");
        start->setCurrentIndex(start->findData("run"));
        emit start->activated(start->currentIndex());
        QCOMPARE(document.draft().start.id, std::string("run"));
        QCOMPARE(text(document.draft().start.params, "run"), first.toStdString());
        // The form offers the project's runs by name.
        ChoiceField* offered = nullptr;
        for (auto* f : panel.findChildren<ChoiceField*>())
            if (f->property("runs").toBool()) offered = f;
        QVERIFY(offered && offered->findData(first) >= 0);
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning() && document.draftPlan().ok(), 60000);
        document.runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(document.runs().size() == 2 && document.runs()[1]->status == RunStatus::Finished,
                                 60000);
        // 60 % of twenty steps next to the data.
        QCOMPARE(document.runs()[1]->trajectory->steps.size(), std::size_t(12));
        document.undoStack().undo();
        QCOMPARE(document.draft().start.id, std::string("noise"));
    }

    void unreadableModelsLeaveTheDraft() {
        Document document;
        SelectionModel selection;
        RecipePanel panel(document, selection);
        QTRY_VERIFY_WITH_TIMEOUT(!document.isPlanning(), 60000);
        const Recipe before = document.draft();
        QSignalSpy problem(&document, &Document::problem);
        document.useModel("/nowhere/model.safetensors");
        QTRY_COMPARE_WITH_TIMEOUT(problem.count(), 1, 30000);
        QVERIFY(document.draft() == before);
        // Of two requests the newer counts.
        document.useModel("analytic:ring8");
        document.useModel("analytic:gaussian2");
        QTRY_COMPARE_WITH_TIMEOUT(document.draft().model, std::string("analytic:gaussian2"), 30000);
        document.undoStack().undo();
        QVERIFY(document.draft() == before);
    }
};

QTEST_MAIN(TestRecipe)
#include "tst_recipe.moc"
