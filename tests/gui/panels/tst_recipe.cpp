// The recipe form: lists of many entries that are searched, guidance rules that stack, shares in per cent.
#include <QLabel>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include "engine/guidance/guidance.h"
#include "engine/sampling/sampling.h"
#include "gui/app/theme.h"
#include "gui/document/document.h"
#include "gui/document/run_text.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/choice_popup.h"
#include "gui/widgets/fields.h"

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
        for (int i = 0; i < 60; ++i) field.addChoice(QStringLiteral("s%1").arg(i), QStringLiteral("Sampler %1 of %2").arg(i).arg(i % 4 == 0 ? "Heun" : "Euler"), QStringLiteral("help of %1\nKarras et al. 2022").arg(i));
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
        for (int index : popup.shownChoices()) QVERIFY2(field.itemText(index).contains("Heun") || field.itemData(index, Qt::ToolTipRole).toString().contains("2"), qPrintable(field.itemText(index)));
        QVERIFY(popup.shownChoices().contains(20) && popup.shownChoices().contains(24) && !popup.shownChoices().contains(21));
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
        for (const ChoiceEntry& e : samplerEntries()) QVERIFY2(!e.group.isEmpty(), qPrintable(e.id));
        // A function given to the section goes before what the rows say.
        ChoiceSection section("Sampler", samplerEntries(), nullptr, [](const ChoiceEntry& e) { return e.id.left(1); });
        section.show();
        section.field()->showPopup();
        if (section.field()->popup()) QCOMPARE(section.field()->popup()->list()->item(0)->text(), samplerEntries().front().id.left(1));
    }

    void sharesAreReadAndTypedInPerCent() {
        ChoiceSection section("Guidance", guidanceEntries());
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
        auto* list = panel.findChild<GuidanceList*>();
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
