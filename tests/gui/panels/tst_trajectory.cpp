// The path of a run, its diagnostics over the steps, the cards of a step and the table of differences.
#include <QFileInfo>
#include <QTemporaryDir>

#include "gui/panels/compare/compare_table.h"
#include "gui/panels/diagnostics/step_panel.h"
#include "gui/panels/trajectory/trajectory_panel.h"
#include "gui/plots/axis.h"
#include "tests/gui/panels/panel_test.h"

using namespace meander;
using namespace meander::gui;

class TestTrajectory : public test::PanelTest {
    Q_OBJECT
private slots:
    void pathAndCurveAreLinked() {
        TrajectoryPanel panel(*m_document, *m_selection);
        panel.resize(900, 300);
        panel.setVisible(true);
        select("a", "b");
        QTRY_VERIFY(panel.pathView()->plot().hasData());
        QVERIFY(panel.pathView()->plot().title.contains(QStringLiteral("PC1")));
        QVERIFY(panel.pathView()->plot().title.contains(QStringLiteral("axes ×")));
        QCOMPARE(panel.pathView()->plot().layers.size(), std::size_t(2));
        m_selection->lockStep({"a", 4, m_document->run("a")->trajectory->evaluations[4]->logSnr});
        QCOMPARE(panel.quantityView()->cursorSnapPoint().value_or(-1), 4);
        QCOMPARE(panel.pathView()->cursorSnapPoint().value_or(-1), 4);
        QVERIFY(panel.quantityView()->accessibleDescription().startsWith(QStringLiteral("step 4 of 12")));
        QTest::keyClick(panel.quantityView(), Qt::Key_Right);
        QCOMPARE(m_selection->lockedCursor().evaluation, 5);
        QTemporaryDir dir;
        for (const char* ending : {"svg", "pdf", "csv", "png"}) {
            const QString path = dir.filePath(QStringLiteral("plot.") + QLatin1String(ending));
            QVERIFY(panel.pathView()->exportTo(path));
            QVERIFY(QFileInfo(path).size() > 100);
        }
    }

    void pathsOfOtherNoiseAreSeenBesideTheirOwnChords() {
        // The same path mirrored: it starts and ends elsewhere, and bends as much.
        const auto a = m_document->run("a");
        auto mirrored = std::make_shared<Run>(*a);
        auto t = std::make_shared<Trajectory>(*a->trajectory);
        const auto mirror = [](const HostTensor& x) {
            auto v = x.toDoubles();
            for (double& e : v) e = 1 - e;
            return HostTensor::fromDoubles(x.shape(), v);
        };
        t->initial = mirror(t->initial);
        for (auto& s : t->steps) {
            auto copy = std::make_shared<Step>(*s);
            copy->state = mirror(s->state);
            s = copy;
        }
        mirrored->trajectory = t;
        const PanelCurves curves = curvesOf({a, mirrored}, 0);
        QCOMPARE(curves.runs.size(), std::size_t(2));
        double reach[2] = {};
        for (std::size_t i = 0; i < 2; ++i) {
            const auto& path = curves.runs[i].path;
            QVERIFY(std::abs(path.front().along - curves.chordLength) < 1e-6 * curves.chordLength);
            QVERIFY(std::abs(path.back().along) < 1e-6 * curves.chordLength);
            for (const auto& p : path) reach[i] = std::max(reach[i], std::abs(p.first));
            QVERIFY(std::abs(path.front().first) < 0.01 * reach[i] && std::abs(path.back().first) < 0.01 * reach[i]);
        }
        QVERIFY(reach[0] > 0);
        QVERIFY2(std::abs(reach[1] / reach[0] - 1) < 1e-3, qPrintable(QString::number(reach[1] / reach[0])));
        TrajectoryPanel panel(*m_document, *m_selection);
        panel.resize(900, 300);
        panel.setVisible(true);
        select("p");
        QTRY_VERIFY(panel.pathView()->plot().hasData());
        QCOMPARE(panel.pathView()->plot().x.fixedTicks.back().label, QStringLiteral("point"));
    }

    void cardsShowTheStep() {
        StepPanel panel(*m_document, *m_selection);
        panel.resize(300, 500);
        panel.setVisible(true);
        select("a");
        QTRY_VERIFY(panel.cards().size() >= 4);
        m_selection->lockStep({"a", 5, m_document->run("a")->trajectory->evaluations[5]->logSnr});
        bool hasNumber = false;
        for (auto* card : panel.cards()) hasNumber |= card->valueText() != QStringLiteral("–");
        QVERIFY(hasNumber);
    }

    // A run that reuses features: its error is a curve beside the run of the same seed that does not, which is offered
    // with what it costs where it is missing.
    void errorOfTheReuse() {
        const auto reusing = test::discRun("r", 5, 9, 32, 1.2), whole = test::discRun("w", 6, 9);
        reusing->recipe.guidance.push_back({"deep_cache", {}});
        StepPanel panel(*m_document, *m_selection);
        panel.resize(320, 600);
        panel.setVisible(true);
        const auto* offer = panel.findChild<QPushButton*>();
        const auto card = [&]() -> const DiagnosticCard* {
            for (const auto* c : panel.cards())
                if (c->diagnostic().id == reuseErrorId) return c;
            return nullptr;
        };
        select("a");
        QTRY_VERIFY(panel.cards().size() >= 4);
        QVERIFY(!offer->isVisibleTo(&panel) && !card());
        m_document->addRun(reusing);
        select("r");
        QVERIFY(offer->isVisibleTo(&panel) && offer->isEnabled());
        QVERIFY2(offer->text().contains(QStringLiteral("9")), qPrintable(offer->text()));
        QTRY_VERIFY(panel.cards().size() >= 4);
        QVERIFY(!card());
        m_document->addRun(whole);
        QTRY_VERIFY(card());
        QVERIFY(!offer->isVisibleTo(&panel));
        QVERIFY(card()->noteText().contains(QStringLiteral("whole run")));
        select("w");
        QTRY_VERIFY(!card());
        QVERIFY(!offer->isVisibleTo(&panel));
    }

    void tableListsDifferences() {
        CompareTable table(*m_document, *m_selection);
        select("a", "b");
        QVERIFY(table.text().contains(QStringLiteral("12\t8")));
    }

    void cardsSumUpTheFinishedRun() {
        StepPanel panel(*m_document, *m_selection);
        panel.resize(300, 500);
        panel.setVisible(true);
        select("a");
        QTRY_VERIFY(panel.cards().size() >= 4);
        for (const auto* card : panel.cards())
            QVERIFY2(card->valueText() != QStringLiteral("–"), qPrintable(card->accessibleName()));
        // No summary: the extreme, and where it is.
        Diagnostic d;
        d.unit = "RMS";
        d.values = {0.5, std::nan(""), 2.5, 1};
        DiagnosticCard card;
        card.setDiagnostic(d, Qt::red);
        QCOMPARE(card.valueText(), formatNumber(2.5));
        QCOMPARE(card.noteText(), QStringLiteral("peak, step 2"));
        card.setSnapPoint(0);
        QCOMPARE(card.valueText(), formatNumber(0.5));
        QCOMPARE(card.noteText(), QString());
        QCOMPARE(card.unitText(), QStringLiteral("RMS"));
        d.unit = "dB";
        card.setSnapPoint(std::nullopt);
        card.setDiagnostic(d, Qt::red);
        QCOMPARE(card.valueText(), formatNumber(0.5) + QStringLiteral(" dB"));
        QCOMPARE(card.noteText(), QStringLiteral("lowest, step 0"));
    }
};

QTEST_MAIN(TestTrajectory)
#include "moc_panel_test.cpp"
#include "tst_trajectory.moc"
