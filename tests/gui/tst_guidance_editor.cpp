// The guidance editor in the real window: curves drawn by hand and keys, the interval with its count of evaluations,
// text and table, further curves, and that the recorded run was guided as drawn.
#include <QClipboard>
#include <random>

#include "gui/forms/operation_dialog.h"
#include "gui/panels/guidance/guidance_panel.h"
#include "tests/gui/editor_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;
using List = std::vector<double>;

namespace {

Recipe arcs(std::vector<Choice> guidance, int steps = 12) {
    Recipe r = ringRecipe(steps, "analytic:two-classes");
    r.classIndex = 0;
    r.sampler = {"euler", {}};
    r.guidance = std::move(guidance);
    return r;
}

}  // namespace

class TestGuidanceEditor : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> m_window;
    GuidancePanel* m_panel = nullptr;
    CurveEditor* m_editor = nullptr;

    Document& document() { return m_window->document(); }
    void use(const Recipe& r) {
        document().editDraft(r, "edit");
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan() ? "" : document().draftPlan().error().text.c_str());
    }
    void settle() {
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan() ? "" : document().draftPlan().error().text.c_str());
    }
    Params rule(std::size_t i = 0) { return document().draft().guidance[i].params; }
    List curve(const char* key = "curve", std::size_t i = 0) { return std::get<List>(rule(i).at(key)); }
    int undoSteps() { return document().undoStack().index(); }
    int promised() { return m_panel->costText().split(' ').front().toInt(); }

private slots:
    void initTestCase() {
        prepareApplication(QStringLiteral("guidance-%1").arg(QCoreApplication::applicationPid()));
        forgetEverything();
        m_window = openWindow();
        m_panel = qobject_cast<GuidancePanel*>(m_window->panel("guidance"));
        QVERIFY(m_panel);
        m_editor = m_panel->editor();
    }
    // One window for all: opening it takes longer than most tests.
    void init() {
        m_window->document().newProject();
        raisePanel(*m_window, "guidance");
        m_panel->setMode(GuidancePanel::Mode::Points);
        m_panel->setAcross(GuidancePanel::Across::Step);
        m_panel->setSnap(false);
        m_panel->setTableShown(false);
        m_editor->setProportional(false);
        m_editor->setSelection({});
        use(arcs({{"cfg", {{"scale", 3.0}}}}));
    }
    void cleanupTestCase() {
        m_window.reset();
        forgetEverything();
    }

    void showsTheDraft() {
        QCOMPARE(m_panel->values(), List(12, 3.0));
        QCOMPARE(m_editor->points().size(), std::size_t(12));
        QCOMPARE(m_editor->guides().size(), std::size_t(2));
        QCOMPARE(promised(), 24);
        QVERIFY(m_editor->accessibleName().contains("Classifier-free guidance"));
        // Without a rule the way to one is offered.
        use(arcs({}));
        QVERIFY(m_editor->points().empty());
        auto* add = buttonCalled(m_panel, "Add classifier-free guidance");
        QVERIFY(add);
        QTest::mouseClick(add, Qt::LeftButton);
        QCOMPARE(document().draft().guidance.front().id, std::string("cfg"));
        settle();
        QCOMPARE(m_editor->points().size(), std::size_t(12));
    }

    void aDragIsOneUndoStep() {
        const Recipe before = document().draft();
        const int steps = undoSteps();
        dragBy(m_editor, m_editor->pageOfPoint(4), {0, -20}, {}, [&] {
            QVERIFY(m_panel->values()[4] > 3);
            QCOMPARE(document().draft(), before);
        });
        QCOMPARE(undoSteps(), steps + 1);
        QCOMPARE(curve(), m_panel->values());
        for (std::size_t k = 0; k < 12; ++k) QVERIFY(k == 4 ? curve()[k] > 3 : curve()[k] == 3);
        dragBy(m_editor, m_editor->pageOfPoint(7), {0, 4000}, Qt::ControlModifier);
        QVERIFY(curve()[7] >= 0 && curve()[6] < 3 && curve()[8] < 3);
        document().undoStack().undo();
        document().undoStack().undo();
        QCOMPARE(document().draft(), before);
        QCOMPARE(m_panel->values(), List(12, 3.0));
        dragBy(m_editor, m_editor->pageOfPoint(2), {0, -9}, {}, [&] { QTest::keyClick(m_editor, Qt::Key_Escape); });
        QCOMPARE(document().draft(), before);
    }

    // The flags at the top are the interval; the count follows the hand, and the plan and the run agree with it.
    void theInterval() {
        const Recipe before = document().draft();
        const int steps = undoSteps();
        const double pitch = m_editor->pageOfPoint(1).x() - m_editor->pageOfPoint(0).x();
        int live = 0;
        dragBy(m_editor, m_editor->pageOfGuide(0), {3 * pitch, 0}, {}, [&] { live = promised(); });
        QCOMPARE(undoSteps(), steps + 1);
        QVERIFY(rule().contains("sigma_high") && !rule().contains("sigma_low"));
        settle();
        QCOMPARE(promised(), live);
        QCOMPARE(live, 12 + 9);
        QVERIFY2(m_panel->costText().contains("3 saved"), qPrintable(m_panel->costText()));
        QCOMPARE(document().draftPlan()->evaluations, live);
        dragBy(m_editor, m_editor->pageOfGuide(1), {-4 * pitch, 0}, {}, [&] { live = promised(); });
        settle();
        QCOMPARE(live, 12 + 5);
        QCOMPARE(document().draftPlan()->evaluations, live);
        QVERIFY(rule().contains("sigma_low"));
        // One never passes the other.
        dragBy(m_editor, m_editor->pageOfGuide(0), {4000, 0});
        settle();
        QCOMPARE(document().draftPlan()->evaluations, 12 + 1);
        document().undoStack().undo();
        // Steps at the neutral weight are saved too.
        settle();
        clickAt(m_editor, m_editor->pageOfPoint(5));
        QTest::keyClick(m_editor, Qt::Key_Delete);
        settle();
        QCOMPARE(curve()[5], 1.0);
        QCOMPARE(promised(), 12 + 4);
        m_window->commands().trigger("run.start");
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        QCOMPARE(document().runs().front()->evaluations, 12 + 4);
        while (undoSteps() > steps) document().undoStack().undo();
        QCOMPARE(document().draft(), before);
    }

    // A window in steps, as other rules and files have it, is shown where it acts and becomes one in σ when it is
    // drawn.
    void windowsInSteps() {
        use(arcs({{"cfg", {{"scale", 3.0}, {"from", 0.25}, {"to", 0.75}}}}));
        QCOMPARE(promised(), 12 + 6);
        const double pitch = m_editor->pageOfPoint(1).x() - m_editor->pageOfPoint(0).x();
        QVERIFY(std::abs(m_editor->pageOfGuide(0).x() - (m_editor->pageOfPoint(3).x() - pitch / 2)) < 2);
        dragBy(m_editor, m_editor->pageOfGuide(0), {-pitch, 0});
        settle();
        QCOMPARE(document().draftPlan()->evaluations, 12 + 7);
        QCOMPARE(rule().at("from"), ParamValue(0.0));
        QVERIFY(rule().contains("sigma_high") && rule().contains("sigma_low"));
        // Over σ and over λ the same steps.
        for (const auto across : {GuidancePanel::Across::Sigma, GuidancePanel::Across::HalfLogSnr}) {
            m_panel->setAcross(across);
            const double left = m_editor->pageOfGuide(0).x(), right = m_editor->pageOfGuide(1).x();
            QVERIFY(left > m_editor->pageOfPoint(1).x() && left < m_editor->pageOfPoint(2).x());
            QVERIFY(right > m_editor->pageOfPoint(8).x() && right < m_editor->pageOfPoint(9).x());
            dragBy(m_editor, m_editor->pageOfGuide(0),
                   {m_editor->pageOfPoint(3).x() - m_editor->pageOfPoint(2).x(), 0});
            settle();
            QCOMPARE(document().draftPlan()->evaluations, 12 + 6);
            document().undoStack().undo();
            settle();
        }
    }

    void keyboardOnly() {
        m_editor->setFocus();
        const int steps = undoSteps();
        QTest::keyClick(m_editor, Qt::Key_Home);
        QTest::keyClick(m_editor, Qt::Key_Tab);
        QCOMPARE(m_editor->anchor(), 1);
        for (int i = 0; i < 4; ++i) QTest::keyClick(m_editor, Qt::Key_Up);
        QTest::keyClick(m_editor, Qt::Key_Down, Qt::ShiftModifier);
        QVERIFY(curve()[1] > 3);
        QCOMPARE(undoSteps(), steps + 1);
        QTest::keyClick(m_editor, Qt::Key_End);
        QTest::keyClick(m_editor, Qt::Key_Down);
        QCOMPARE(undoSteps(), steps + 2);
        QVERIFY(curve()[11] < 3);
        document().undoStack().undo();
        QCOMPARE(m_panel->values()[11], 3.0);
        // Caught at halves, with a mark.
        QTest::keyClick(m_editor, Qt::Key_S);
        const double perUnit = m_editor->pageOf({0, 3}).y() - m_editor->pageOf({0, 4}).y();
        dragBy(m_editor, m_editor->pageOfPoint(6), {0, -perUnit * 0.5 - 2}, {}, [&] { QVERIFY(m_editor->snapMark()); });
        QCOMPARE(curve()[6], 3.5);
    }

    void controlCurve() {
        QMenu menu;
        entry(m_panel->editMenu(), "shape.triangle")->trigger();
        auto* dialog = m_panel->findChild<OperationDialog*>();
        QVERIFY(dialog);
        QTest::mouseClick(buttonCalled(dialog, "Apply"), Qt::LeftButton);
        const List triangle = curve();
        QCOMPARE(triangle.front(), 1.0);
        m_panel->setMode(GuidancePanel::Mode::Curve);
        QVERIFY(m_editor->points().size() >= 3 && m_editor->points().size() <= 6);
        const int steps = undoSteps();
        dragBy(m_editor, m_editor->pageOfPoint(1), {10, -15});
        QCOMPARE(undoSteps(), steps + 1);
        const List mine = curve();
        const auto points = m_editor->points().size();
        QVERIFY(mine != triangle);
        const QPointF at = m_editor->points()[1].at;
        document().undoStack().undo();
        QCOMPARE(m_panel->values(), triangle);
        document().undoStack().redo();
        QCOMPARE(m_editor->points().size(), points);
        QCOMPARE(m_editor->points()[1].at, at);
    }

    void shapes() {
        for (const auto& shape : weights::shapes()) {
            use(arcs({{"cfg", {{"scale", 5.0}}}}));
            const int steps = undoSteps();
            QAction* action = entry(m_panel->editMenu(), "shape." + qstr(shape.id));
            QVERIFY2(action && !action->toolTip().isEmpty(), shape.id.c_str());
            action->trigger();
            auto* dialog = m_panel->findChild<OperationDialog*>();
            QVERIFY(dialog);
            QTest::mouseClick(buttonCalled(dialog, "Apply"), Qt::LeftButton);
            QTRY_VERIFY(!m_panel->findChild<OperationDialog*>());
            settle();
            const List want = weights::shaped(shape, 12, 1, 5);
            QCOMPARE(m_panel->values(), want);
            QVERIFY(undoSteps() == steps + 1 || want == List(12, 5.0));
        }
        // The published interval, with its source in the tooltip.
        QAction* action = entry(m_panel->editMenu(), "interval.5.42");
        QVERIFY(action && action->toolTip().contains("2024"));
        action->trigger();
        settle();
        QCOMPARE(rule().at("sigma_high"), ParamValue(5.42));
        QCOMPARE(rule().at("sigma_low"), ParamValue(0.28));
        entry(m_panel->editMenu(), "interval.all")->trigger();
        settle();
        QVERIFY(!rule().contains("sigma_high") && !rule().contains("sigma_low"));
    }

    void textAndTable() {
        dragBy(m_editor, m_editor->pageOfPoint(3), {0, -11});
        dragBy(m_editor, m_editor->pageOfPoint(9), {0, 6});
        const List mine = curve();
        for (const int form : {0, 1, 2}) {  // of weights::TextForm
            m_panel->copyAs(form);
            use(arcs({{"cfg", {{"scale", 2.0}}}}));
            m_editor->setFocus();
            QTest::keySequence(m_editor, QKeySequence::Paste);
            QCOMPARE(curve(), mine);
        }
        QApplication::clipboard()->setText("3x2+7x45");  // the first part is of the last steps
        m_panel->paste();
        QCOMPARE(curve().back(), 3.0);
        QCOMPARE(curve()[10], 3.0);
        QCOMPARE(curve()[9], 7.0);
        QSignalSpy wrong(&document(), &Document::problem);
        const int steps = undoSteps();
        for (const char* bad : {"a blue square", "3x", "-4", "900"}) {
            QApplication::clipboard()->setText(bad);
            m_panel->paste();
        }
        QCOMPARE(undoSteps(), steps);
        QCOMPARE(wrong.size(), 4);
        m_panel->setTableShown(true);
        CurveTable* table = m_panel->table();
        QCOMPARE(table->rows()->rowCount(), 12);
        QVERIFY(table->rows()->setData(table->rows()->index(5, 2), "4.25", Qt::EditRole));
        QCOMPARE(curve()[5], 4.25);
        QCOMPARE(undoSteps(), steps + 1);
        table->rows()->setData(table->rows()->index(5, 2), "9000", Qt::EditRole);
        table->rows()->setData(table->rows()->index(5, 2), "high", Qt::EditRole);
        QCOMPARE(undoSteps(), steps + 1);
        clickAt(m_editor, m_editor->pageOfPoint(7));
        QCOMPARE(table->currentIndex().row(), 7);
    }

    // φ of rescale and η of projected guidance follow curves of their own.
    void furtherCurves() {
        use(arcs({{"apg", {{"scale", 4.0}}}, {"rescale", {{"phi", 0.5}}}}));
        ChoiceField* field = m_panel->curveField();
        QCOMPARE(field->count(), 3);  // w and η of the first, φ of the second
        const auto choose = [&](const QString& ending) {
            for (int i = 0; i < field->count(); ++i)
                if (field->itemData(i).toString().endsWith(ending)) {
                    field->setCurrentIndex(i);
                    emit field->chosen(field->itemData(i).toString());
                    return true;
                }
            return false;
        };
        QVERIFY(choose("apg.eta_curve"));
        dragBy(m_editor, m_editor->pageOfPoint(2), {0, -12});
        QVERIFY(curve("eta_curve")[2] > 0);
        QVERIFY(!rule().contains("curve"));
        QVERIFY(choose("rescale.phi_curve"));
        dragBy(m_editor, m_editor->pageOfPoint(8), {0, 4000});
        QCOMPARE(curve("phi_curve", 1)[8], 0.0);
        settle();
        m_window->commands().trigger("run.start");
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        QCOMPARE(document().runs().front()->status, RunStatus::Finished);
        QCOMPARE(std::get<List>(document().runs().front()->recipe.guidance[1].params.at("phi_curve")),
                 curve("phi_curve", 1));
    }

    // The record has the weights that were drawn, and its difference of the branches stands behind the curve.
    void aRunIsGuidedAsDrawn() {
        dragBy(m_editor, m_editor->pageOfPoint(2), {0, -10});
        dragBy(m_editor, m_editor->pageOfPoint(7), {0, 9}, Qt::ControlModifier);
        const double pitch = m_editor->pageOfPoint(1).x() - m_editor->pageOfPoint(0).x();
        dragBy(m_editor, m_editor->pageOfGuide(1), {-2 * pitch, 0});
        const List mine = curve();
        settle();
        m_window->commands().trigger("run.start");
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        const Trajectory& t = *document().runs().front()->trajectory;
        QCOMPARE(t.evaluations.size(), std::size_t(12));
        for (std::size_t k = 0; k < 12; ++k) QCOMPARE(t.evaluations[k]->guidanceWeight, k < 10 ? mine[k] : 1.0);
        QTRY_VERIFY(m_editor->plot().title.contains("guidance difference"));
        QVERIFY(m_editor->points()[3].text.contains("Guidance difference"));
        QVERIFY(m_editor->points()[11].text.contains("outside the interval"));
        // Drawn differently, the run's own weights stay as a dashed line.
        dragBy(m_editor, m_editor->pageOfPoint(4), {0, -14});
        QVERIFY(m_editor->plot().title.contains("dashed: run 1"));
    }

    void randomDrags() {
        const int drags = qEnvironmentVariableIntValue("MEANDER_EDITOR_DRAGS") > 0
                              ? qEnvironmentVariableIntValue("MEANDER_EDITOR_DRAGS")
                              : 60;
        std::mt19937 random(23);
        const auto below = [&](int n) { return int(random() % unsigned(n)); };
        for (int i = 0; i < drags; ++i) {
            const int steps = undoSteps();
            if (below(9) == 0) m_panel->setMode(GuidancePanel::Mode(below(2)));
            if (below(9) == 0) m_panel->setAcross(GuidancePanel::Across(below(3)));
            const QPointF by(below(300) - 150, below(300) - 150);
            if (below(4) == 0) dragBy(m_editor, m_editor->pageOfGuide(below(2)), by, {}, {}, 3);
            else
                dragBy(m_editor, m_editor->pageOfPoint(below(int(m_editor->points().size()))), by,
                       below(3) == 0 ? Qt::ControlModifier : Qt::NoModifier, {}, 3);
            QVERIFY(undoSteps() <= steps + 1);
            QCOMPARE(m_panel->values().size(), std::size_t(12));
            for (const double w : m_panel->values()) QVERIFY2(w >= 0 && w <= 50, qPrintable(QString::number(w)));
            settle();
            QVERIFY(document().draftPlan()->evaluations >= 12 && document().draftPlan()->evaluations <= 24);
            QCOMPARE(promised(), document().draftPlan()->evaluations);
        }
    }

    void commandsOpenIt() {
        m_window->dock("guidance")->hide();
        QVERIFY(m_window->commands().trigger("guidance.edit"));
        QVERIFY(m_window->dock("guidance")->isVisible());
        QTRY_VERIFY(m_editor->hasFocus());
    }

    void screenshots() {
        if (qEnvironmentVariable("MEANDER_SHOTS").isEmpty()) QSKIP("MEANDER_SHOTS is not set");
        Recipe sprites = longRecipe(16);
        sprites.sampler = {"dpmpp_2m", {}};
        sprites.guidance = {{"cfg", {{"scale", 3.0}}}};
        use(sprites);
        document().runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        entry(m_panel->editMenu(), "shape.bell")->trigger();
        QTest::mouseClick(buttonCalled(m_panel->findChild<OperationDialog*>(), "Apply"), Qt::LeftButton);
        settle();
        entry(m_panel->editMenu(), "interval.5.42")->trigger();
        settle();
        saveShots(*m_window, "guidance", [&] {
            m_panel->setTableShown(m_window->width() > 1500);
            clickAt(m_editor, m_editor->pageOfPoint(6));
        });
    }
};

QTEST_MAIN(TestGuidanceEditor)
#include "tst_guidance_editor.moc"
