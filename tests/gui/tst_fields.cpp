// Entry fields of the recipe in the real window: half-typed values, keys and the wheel on closed lists, another device.
#include <QLabel>
#include <QScrollBar>
#include <QWheelEvent>

#include "gui/forms/choice_section.h"
#include "gui/panels/recipe/plan_card.h"
#include "gui/panels/recipe/rule_stack.h"
#include "gui/widgets/choice_popup.h"
#include "gui/widgets/value_line.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestFields : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;

    Document& document() { return window->document(); }
    RecipePanel& form() { return window->recipePanel(); }
    QString card() {
        QString all;
        for (const QLabel* l : form().findChild<PlanCard*>()->findChildren<QLabel*>()) all += l->text() + '\n';
        return all;
    }
    void use(const Recipe& r) {
        document().editDraft(r, "edit");
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan() ? "" : document().draftPlan().error().text.c_str());
    }
    static void turnWheel(QWidget* on) {
        const QPointF at = on->rect().center();
        QWheelEvent event(at, on->mapToGlobal(at), {}, {0, -120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase,
                          false);
        QApplication::sendEvent(on, &event);
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("fields-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        forgetEverything();
        window = openWindow();
        WAIT_FOR_PLAN(document());
        window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(window.get()));
    }
    void cleanup() { window.reset(); }
    void cleanupTestCase() { forgetEverything(); }

    // A list that is no list is never the draft: it stays, marked, is told on the card, and nothing runs.
    void halfTypedListsDoNotRun() {
        Recipe r = ringRecipe();
        r.schedule = {"custom", {{"values", std::vector<double>{14, 7, 2}}}};
        use(r);
        auto* line = form().findChild<ValueLine*>("param.values");
        QVERIFY(line);
        line->setFocus();
        line->selectAll();
        QTest::keyClicks(line, "8 4,, x 2; 1");
        QVERIFY(line->property("invalid").toBool());
        QVERIFY2(document().draft() == r, "typing is not yet a value");
        auto* run = toolButton(*window, "run.start");
        QVERIFY(run->isEnabled());
        // Leaving it, by the keys of Run too.
        const auto count = document().runs().size();
        QTest::keyClick(line, Qt::Key_Return, Qt::ControlModifier);
        QTest::qWait(50);
        QVERIFY(document().draft() == r);
        QCOMPARE(document().runs().size(), count);
        QCOMPARE(line->text(), QString("8 4,, x 2; 1"));
        QVERIFY2(card().contains("8 4,, x 2; 1") && card().contains("cannot run"), qPrintable(card()));
        QVERIFY(!document().invalidFields().isEmpty());
        window->commands().refresh();
        QVERIFY(!run->isEnabled());
        QVERIFY(!window->commands().trigger("run.newSeed"));
        // Another edit leaves it, undo of another value does not make it valid.
        form().findChild<QSpinBox*>("images")->setValue(9);
        QCOMPARE(line->text(), QString("8 4,, x 2; 1"));
        QVERIFY(!document().invalidFields().isEmpty());
        // Escape brings the value back.
        line->setFocus();
        QTest::keyClick(line, Qt::Key_Escape);
        QCOMPARE(line->text(), QString("14, 7, 2"));
        QVERIFY(document().invalidFields().isEmpty());
        QTRY_VERIFY(!document().isPlanning());
        QVERIFY(!card().contains("cannot run"));
        // A good one counts when it is left.
        line->selectAll();
        QTest::keyClicks(line, "8, 4, 1");
        QVERIFY(std::get<std::vector<double>>(document().draft().schedule.params.at("values")).front() == 14);
        form().findChild<QWidget*>("steps")->setFocus();
        QCOMPARE(std::get<std::vector<double>>(document().draft().schedule.params.at("values")),
                 (std::vector<double>{8, 4, 1}));
    }

    void seedsAndNumbers() {
        use(ringRecipe());
        auto* seed = form().findChild<ValueLine*>("seed");
        seed->setFocus();
        seed->selectAll();
        QTest::keyClicks(seed, "18446744073709551616");
        QTest::keyClick(seed, Qt::Key_Return);
        QVERIFY2(document().invalidFields().join(' ').contains("18446744073709551615"),
                 qPrintable(document().invalidFields().join(' ')));
        seed->selectAll();
        QTest::keyClicks(seed, "18446744073709551615");
        QVERIFY(document().draft().seed != 18446744073709551615u);
        QTest::keyClick(seed, Qt::Key_Return);
        QCOMPARE(document().draft().seed, 18446744073709551615u);
        QVERIFY(document().invalidFields().isEmpty());
        // A number on its way to 25 is not 2 first.
        auto* steps = form().findChild<QSpinBox*>("steps");
        steps->setFocus();
        steps->selectAll();
        QTest::keyClicks(steps, "25");
        QCOMPARE(document().draft().steps, 6);
        // Run takes what is typed.
        QSignalSpy queued(&document(), &Document::runQueued);
        QTest::keyClick(steps, Qt::Key_Return, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(queued.count(), 1, 30000);
        QCOMPARE(document().draft().steps, 25);
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 60000);
        QCOMPARE(document().runs().back()->recipe.steps, 25);
    }

    // Every closed list of the recipe: keys and the wheel leave the choice, and Home and End are the timeline's.
    void closedListsDoNotChange() {
        use(longRecipe(5));
        const Recipe before = document().draft();
        int walked = 0;
        for (auto* field : form().findChildren<ChoiceField*>()) {
            if (!field->isVisible() || !field->isEnabled() || field->count() < 2) continue;
            ++walked;
            field->setFocus();
            const int index = field->currentIndex();
            for (const auto key :
                 {Qt::Key_Home, Qt::Key_End, Qt::Key_Up, Qt::Key_Down, Qt::Key_PageUp, Qt::Key_PageDown}) {
                QTest::keyClick(field, key);
                QCOMPARE(field->currentIndex(), index);
                field->hidePopup();
                field->setFocus();
            }
            turnWheel(field);
            QCOMPARE(field->currentIndex(), index);
        }
        for (auto* spin : form().findChildren<QAbstractSpinBox*>()) {
            if (!spin->isVisible()) continue;
            ++walked;
            spin->setFocus();
            const QString text = spin->text();
            turnWheel(spin);
            QCOMPARE(spin->text(), text);
        }
        QVERIFY2(walked >= 10, qPrintable(QString::number(walked)));
        QVERIFY(document().draft() == before);
    }

    // The device of a recipe is where its run is computed, or the window tells why not.
    void theDeviceIsTheRecipes() {
        Recipe r = ringRecipe();
        use(r);
        document().runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        auto* device = form().findChild<ChoiceField*>("device");
        device->setCurrentIndex(device->findData("cuda:0"));
        emit device->activated(device->currentIndex());
        QCOMPARE(document().draft().device, std::string("cuda:0"));
        WAIT_FOR_PLAN(document());
        document().runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 2 && !document().isBusy(), 60000);
        const Run& run = *document().runs().back();
        QCOMPARE(run.status, RunStatus::Finished);
        QVERIFY2(run.device.find("CUDA") != std::string::npos || !document().deviceNote().empty(), run.device.c_str());
        // The reset of its row is the table's too.
        QVERIFY(document().draftModel());
    }
};

QTEST_MAIN(TestFields)
#include "tst_fields.moc"
