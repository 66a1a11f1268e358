// The timeline: film strip, step cursor, brushed ranges, playing, and the links between runs.
#include "gui/panels/timeline/film_strip.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "tests/gui/panels/panel_test.h"

using namespace meander;
using namespace meander::gui;

class TestTimeline : public test::PanelTest {
    Q_OBJECT
private slots:
    void stripLayoutPlacesWhatHasNoPlace() {
        std::vector<StripRow> rows = {{{80, 10, 1, 0}, {}}};
        layoutStrip(rows, true, true);
        const auto& p = rows[0].positions;
        QCOMPARE(p[0], 0.0);
        QCOMPARE(p[3], 1.0);
        QVERIFY(p[0] < p[1] && p[1] < p[2] && p[2] < p[3]);
    }

    void clickOnTheFilmStripMovesTheCursor() {
        TimelinePanel panel(*m_document, *m_selection);
        select("a");
        panel.resize(900, 150);
        panel.show();
        FilmStrip& strip = panel.strip();
        QCOMPARE(strip.frameCount(), 13);
        QCOMPARE(strip.currentFrame(), 12);
        QTest::mouseClick(&strip, Qt::LeftButton, {}, strip.frameRectOf(0, 5).center().toPoint());
        QCOMPARE(m_selection->lockedCursor().evaluation, 5);
        QCOMPARE(m_selection->lockedCursor().run, QStringLiteral("a"));
        QCOMPARE(strip.currentFrame(), 5);
    }

    void hoverGoesBeforeLockAndGivesWay() {
        TimelinePanel panel(*m_document, *m_selection);
        select("a");
        panel.resize(900, 150);
        panel.show();
        FilmStrip& strip = panel.strip();
        QTest::mouseClick(&strip, Qt::LeftButton, {}, strip.frameRectOf(0, 3).center().toPoint());
        QTest::mouseMove(&strip, strip.frameRectOf(0, 8).center().toPoint());
        QTRY_COMPARE(m_selection->cursor().evaluation, 8);
        QCOMPARE(m_selection->lockedCursor().evaluation, 3);
        QEvent leave(QEvent::Leave);
        QCoreApplication::sendEvent(&strip, &leave);
        QCOMPARE(m_selection->cursor().evaluation, 3);
    }

    void keysWalkTheTimeline() {
        TimelinePanel panel(*m_document, *m_selection);
        select("a");
        panel.resize(900, 150);
        FilmStrip& strip = panel.strip();
        QTest::keyClick(&strip, Qt::Key_Home);
        QCOMPARE(strip.currentFrame(), 0);
        QTest::keyClick(&strip, Qt::Key_Right);
        QTest::keyClick(&strip, Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(strip.currentFrame(), 6);
        QTest::keyClick(&strip, Qt::Key_Left);
        QCOMPARE(strip.currentFrame(), 5);
        QTest::keyClick(&strip, Qt::Key_Space);
        QVERIFY(panel.isPlaying());
        QTRY_VERIFY(strip.currentFrame() > 5);
        QTest::keyClick(&strip, Qt::Key_Space);
        QTest::keyClick(&strip, Qt::Key_End);
        QCOMPARE(strip.currentFrame(), 12);
        QVERIFY(m_selection->followsLive());
    }

    void otherRunIsLinkedByLogSnr() {
        const auto a = m_document->run("a"), b = m_document->run("b");
        const auto& e = *a->trajectory->evaluations[6];
        const LinkedStep at = linkedStep(*b, {QStringLiteral("a"), 6, e.logSnr});
        QVERIFY(at.isLinked);
        for (const auto& other : b->trajectory->evaluations) QVERIFY(std::abs(other->logSnr - e.logSnr) >= at.distance);
        QCOMPARE(linkedStep(*b, {QStringLiteral("a"), -1, 0}).evaluation, -1);
    }

    void correctorsAreNotTakenForTheNextStep() {
        m_document->addRun(test::withCorrectors(*m_document->run("a"), "heun"));
        m_document->addRun(test::withCorrectors(*m_document->run("a"), "other"));
        const auto a = m_document->run("a"), heun = m_document->run("heun"), other = m_document->run("other");
        for (int step = 0; step < 12; ++step) {
            const LinkedStep at = linkedStep(*heun, cursorFor(*a, step));
            QCOMPARE(at.evaluation, heun->trajectory->evaluationOf(step)->index);
            QCOMPARE(linkedStep(*a, cursorFor(*heun, at.evaluation)).evaluation, step);
        }
        const StepCursor corrector = cursorFor(*heun, 7);
        QVERIFY(corrector.isCorrector);
        QCOMPARE(linkedStep(*other, corrector).evaluation, 7);
        const auto &first = *a->trajectory->evaluations[5], &last = *a->trajectory->evaluations[8];
        const StepRange range{"a", 5, 8, std::min(first.logSnr, last.logSnr), std::max(first.logSnr, last.logSnr)};
        QCOMPARE(*stepsIn(*heun, range), std::pair(5, 8));
        // Both strips frame the same step, and the numbers of the step are those of the current run.
        TimelinePanel panel(*m_document, *m_selection);
        select("a", "heun");
        panel.resize(900, 200);
        panel.show();
        QTest::mouseClick(&panel.strip(), Qt::LeftButton, {}, panel.strip().frameRectOf(1, 9).center().toPoint());
        QCOMPARE(panel.strip().currentFrame(), 9);
    }

    void framesLieEvenlyAndTheLastHasItsLabel() {
        StripRow row;
        for (int i = 0; i <= 117; ++i) row.positions.push_back(i / 400.0);
        StripGeometry g;
        g.area = QRectF(18, 7, 880, 60);
        g.thumb = 60;
        const auto shown = visibleFrames(row, g, 117);
        double last = 0, widest = 0;
        for (int i = 0; i <= 117; ++i)
            if (shown[std::size_t(i)]) {
                widest = std::max(widest, g.x(row.positions[std::size_t(i)]) - last);
                last = g.x(row.positions[std::size_t(i)]);
            }
        QVERIFY2(widest < 1.5 * (g.thumb + 2), qPrintable(QString::number(widest)));

        TimelinePanel panel(*m_document, *m_selection);
        select("a");
        panel.resize(900, 150);
        panel.show();
        FilmStrip& strip = panel.strip();
        const QImage image = strip.grab().toImage();
        const QRectF end = strip.frameRectOf(0, 12);
        int ink = 0;
        for (int y = image.height() - 14; y < image.height() - 2; ++y)
            for (int x = int(end.center().x()) - 7; x < int(end.center().x()) + 8; ++x)
                ink += image.pixelColor(x, y) != theme().panel;
        QVERIFY2(ink > 8, qPrintable(QString::number(ink)));
    }

    void shiftDragBrushesARange() {
        TimelinePanel panel(*m_document, *m_selection);
        select("a", "b");
        panel.resize(900, 200);
        panel.show();
        FilmStrip& strip = panel.strip();
        const auto at = [&](int frame) { return strip.frameRectOf(0, frame).center().toPoint(); };
        QTest::mousePress(&strip, Qt::LeftButton, Qt::ShiftModifier, at(7));
        QTest::mouseMove(&strip, at(5));
        QTRY_VERIFY(m_selection->stepRange() && m_selection->stepRange()->first == 5);
        QTest::mouseMove(&strip, at(3));
        QTRY_COMPARE(m_selection->stepRange()->first, 3);
        QTest::mouseRelease(&strip, Qt::LeftButton, Qt::ShiftModifier, at(3));
        QCOMPARE(m_selection->stepRange()->last, 7);
        QCOMPARE(m_selection->stepRange()->run, QStringLiteral("a"));
        QCOMPARE(m_selection->lockedCursor().evaluation, StepCursor().evaluation);  // brushing is not choosing a step
        // The other run takes part by its noise levels.
        const auto other = stepsIn(*m_document->run("b"), *m_selection->stepRange());
        QVERIFY(other);
        const auto& evaluations = m_document->run("b")->trajectory->evaluations;
        for (const auto& e : evaluations) {
            const bool isInside =
                e->logSnr >= m_selection->stepRange()->lowLogSnr && e->logSnr <= m_selection->stepRange()->highLogSnr;
            QCOMPARE(e->step >= other->first && e->step <= other->second, isInside);
        }
        // A click inside chooses a step, one outside ends the range too.
        QTest::mouseClick(&strip, Qt::LeftButton, {}, at(4));
        QCOMPARE(m_selection->lockedCursor().evaluation, 4);
        QVERIFY(m_selection->stepRange());
        QTest::mouseClick(&strip, Qt::LeftButton, {}, at(10));
        QVERIFY(!m_selection->stepRange());
    }

    void keysSetTheRangeAndPlayingStaysInIt() {
        TimelinePanel panel(*m_document, *m_selection);
        select("a");
        panel.resize(900, 150);
        FilmStrip& strip = panel.strip();
        strip.moveTo(6);
        QTest::keyClick(&strip, Qt::Key_BracketLeft);
        strip.moveTo(8);
        QTest::keyClick(&strip, Qt::Key_BracketRight);
        QCOMPARE(m_selection->stepRange()->first, 6);
        QCOMPARE(m_selection->stepRange()->last, 8);
        strip.moveTo(0);
        panel.togglePlay();
        QVERIFY(strip.currentFrame() >= 6);
        QTRY_VERIFY(!panel.isPlaying());
        QCOMPARE(strip.currentFrame(), 8);
        QTest::keyClick(&strip, Qt::Key_Escape);
        QVERIFY(!m_selection->stepRange());
    }

    void finishedImageIsNoStepOfARange() {
        TimelinePanel panel(*m_document, *m_selection);
        select("a");
        panel.resize(900, 150);
        panel.show();
        FilmStrip& strip = panel.strip();
        QTest::mousePress(&strip, Qt::LeftButton, Qt::ShiftModifier, strip.frameRectOf(0, 9).center().toPoint());
        QTest::mouseMove(&strip, strip.frameRectOf(0, 12).center().toPoint());
        QTRY_COMPARE(m_selection->stepRange()->last, 11);
        m_selection->setCurrentRun("b");
        QVERIFY(!m_selection->stepRange());
    }
};

QTEST_MAIN(TestTimeline)
#include "moc_panel_test.cpp"
#include "tst_timeline.moc"
