// The panels that look into a run, driven by mouse and keys over hand-made runs.
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "gui/panels/attention/attention_panel.h"
#include "gui/panels/attention/token_bar.h"
#include "gui/panels/attention/word_bars.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/picture_stage.h"
#include "gui/panels/canvas/points_stage.h"
#include "gui/panels/compare/compare_table.h"
#include "gui/panels/diagnostics/step_panel.h"
#include "gui/panels/timeline/film_strip.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "gui/panels/trajectory/trajectory_panel.h"
#include "tests/gui/panels/hand_made_run.h"

using namespace meander;
using namespace meander::gui;

class TestPanels : public QObject {
    Q_OBJECT
private slots:
    void initTestCase();
    void init();
    void cleanup();
    void wipeGeometry();
    void differenceAndMetrics();
    void stripLayoutPlacesWhatHasNoPlace();
    void clickOnTheFilmStripMovesTheCursor();
    void hoverGoesBeforeLockAndGivesWay();
    void keysWalkTheTimeline();
    void otherRunIsLinkedByLogSnr();
    void canvasShowsTheStepOfTheCursor();
    void chipChangesTheOverlay();
    void clickOnThePictureRanksWords();
    void compareModesChangePixels();
    void zoomKeepsWhatIsUnderTheMouse();
    void pathAndCurveAreLinked();
    void headsAreChosen();
    void cardsShowTheStep();
    void tableListsDifferences();
    void pointsAreDrawn();
    void emptyPanelsSaySo();
    void screenshots_data();
    void screenshots();

private:
    void select(const char* run, const char* other = "");
    std::unique_ptr<Document> m_document;
    std::unique_ptr<SelectionModel> m_selection;
};

void TestPanels::initTestCase() {
    loadFonts();
    applyTheme(ThemeChoice::Dark);
}

void TestPanels::init() {
    m_document = std::make_unique<Document>();
    m_selection = std::make_unique<SelectionModel>();
    m_document->addRun(test::discRun("a", 1, 12));
    m_document->addRun(test::discRun("b", 2, 8, 32, 2));
    m_document->addRun(test::ringRun("p", 3, 10));
    m_document->addRun(test::ringRun("l", 4, 10, 300, 1));
}
void TestPanels::cleanup() {
    m_selection.reset();
    m_document.reset();
}
void TestPanels::select(const char* run, const char* other) {
    m_selection->setCurrentRun(QString::fromLatin1(run));
    m_selection->setComparedRun(QString::fromLatin1(other));
}

void TestPanels::wipeGeometry() {
    const auto [left, right] = wipeParts({10, 10, 100, 50}, 0.25);
    QCOMPARE(left, QRectF(10, 10, 25, 50));
    QCOMPARE(right, QRectF(35, 10, 75, 50));
    QVERIFY(!shareOf({0, 0, 10, 10}, {12, 3}));
    QCOMPARE(*shareOf({0, 0, 10, 10}, {5, 2}), QPointF(0.5, 0.2));
    QCOMPARE(tileAreas({0, 0, 400, 200}, 8, 0).size(), std::size_t(8));
}

void TestPanels::differenceAndMetrics() {
    QImage a(4, 4, QImage::Format_RGB32), b(4, 4, QImage::Format_RGB32);
    a.fill(qRgb(100, 100, 100));
    b.fill(qRgb(100, 100, 100));
    QVERIFY(std::isinf(comparePictures(a, b)->psnr));
    b.setPixel(1, 1, qRgb(151, 151, 151));
    const auto m = *comparePictures(a, b);
    QVERIFY(std::abs(m.maximum - 0.2) < 1e-9);
    QVERIFY(std::abs(m.rms - 0.05) < 1e-9);
    const QImage d = differenceImage(b, a, 5, true);
    QCOMPARE(d.pixel(0, 0), divergingColor(0, 1, true));
    QCOMPARE(d.pixel(1, 1), divergingColor(1, 1, true));
}

void TestPanels::stripLayoutPlacesWhatHasNoPlace() {
    std::vector<StripRow> rows = {{{80, 10, 1, 0}, {}}};
    layoutStrip(rows, true, true);
    const auto& p = rows[0].positions;
    QCOMPARE(p[0], 0.0);
    QCOMPARE(p[3], 1.0);
    QVERIFY(p[0] < p[1] && p[1] < p[2] && p[2] < p[3]);
}

void TestPanels::clickOnTheFilmStripMovesTheCursor() {
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

void TestPanels::hoverGoesBeforeLockAndGivesWay() {
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

void TestPanels::keysWalkTheTimeline() {
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

void TestPanels::otherRunIsLinkedByLogSnr() {
    const auto a = m_document->run("a"), b = m_document->run("b");
    const auto& e = *a->trajectory->evaluations[6];
    const LinkedStep at = linkedStep(*b, {QStringLiteral("a"), 6, e.logSnr});
    QVERIFY(at.isLinked);
    for (const auto& other : b->trajectory->evaluations) QVERIFY(std::abs(other->logSnr - e.logSnr) >= at.distance);
    QCOMPARE(linkedStep(*b, {QStringLiteral("a"), -1, 0}).evaluation, -1);
}

void TestPanels::canvasShowsTheStepOfTheCursor() {
    CanvasPanel canvas(*m_document, *m_selection);
    canvas.resize(700, 500);
    canvas.show();
    select("a");
    const QImage end = canvas.pictures().grab().toImage();
    m_selection->lockStep({"a", 2, m_document->run("a")->trajectory->evaluations[2]->logSnr});
    QVERIFY(canvas.headline().contains(QStringLiteral("step 2 of 12")));
    QVERIFY(canvas.pictures().grab().toImage() != end);
    canvas.pictures().setZoom(2);
    QVERIFY(canvas.headline().contains(QStringLiteral("200 %")));
}

void TestPanels::chipChangesTheOverlay() {
    CanvasPanel canvas(*m_document, *m_selection);
    TokenBar bar(*m_document, *m_selection);
    canvas.resize(700, 500);
    bar.resize(700, 80);
    canvas.show();
    select("a");
    bar.show();
    QCOMPARE(bar.chipCount(), 5);
    const QImage before = canvas.pictures().grab().toImage();
    QTest::mouseClick(&bar, Qt::LeftButton, {}, bar.chipRect(2).center().toPoint());
    QCOMPARE(m_selection->words(), QSet<int>{2});
    QTRY_VERIFY([&] {
        const QImage now = canvas.pictures().grab().toImage();
        const QPoint middle = canvas.pictures().pictureRect().center().toPoint();
        return now.pixel(middle) != before.pixel(middle);
    }());
    QVERIFY(canvas.pictures().overlayCaption().contains(QStringLiteral("mean of 2 layers")));
    QVERIFY(bar.caption().contains(QStringLiteral("prompt tokens")));
    QTest::mouseClick(&bar, Qt::LeftButton, Qt::ControlModifier, bar.chipRect(1).center().toPoint());
    QCOMPARE(m_selection->words(), (QSet<int>{1, 2}));
    QTest::keyClick(&bar, Qt::Key_Escape);
    QVERIFY(m_selection->words().isEmpty());
}

void TestPanels::clickOnThePictureRanksWords() {
    CanvasPanel canvas(*m_document, *m_selection);
    WordBars bars(*m_document, *m_selection, false);
    canvas.resize(700, 500);
    canvas.show();
    select("a");
    const QRectF picture = canvas.pictures().pictureRect();
    QTest::mouseClick(&canvas.pictures(), Qt::LeftButton, {}, QPointF(picture.left() + picture.width() * 0.5, picture.top() + picture.height() * 0.35).toPoint());
    QVERIFY(m_selection->pixel());
    QTRY_COMPARE(bars.shares().size(), std::size_t(5));
    QVERIFY(bars.shares().front().text == "circle" || bars.shares().front().text == "red");
    QTest::mouseClick(&canvas.pictures(), Qt::LeftButton, {}, QPointF(picture.left() + 4, picture.bottom() - 4).toPoint());
    QTRY_COMPARE(bars.shares().front().text, std::string("green"));
}

void TestPanels::compareModesChangePixels() {
    CanvasPanel canvas(*m_document, *m_selection);
    canvas.resize(800, 500);
    canvas.show();
    select("a", "b");
    m_selection->lockStep({"a", 6, m_document->run("a")->trajectory->evaluations[6]->logSnr});
    PictureStage& stage = canvas.pictures();
    QVERIFY(stage.isComparing());
    QVERIFY(stage.metrics() && stage.metrics()->rms > 0);
    const QImage side = stage.grab().toImage();
    stage.setCompareMode(CompareMode::Wipe);
    stage.setWipe(1);
    const QPoint probe = (stage.pictureRect().topLeft() + QPointF(20, 20)).toPoint();
    const QImage first = stage.grab().toImage();
    stage.setWipe(0);
    const QImage second = stage.grab().toImage();
    QVERIFY(side != first);
    QVERIFY(first.pixel(probe) != second.pixel(probe));
    stage.setWipe(0.5);
    const double before = stage.wipe();
    QTest::keyClick(&stage, Qt::Key_Right);
    QVERIFY(stage.wipe() > before);
    const QRectF t = stage.pictureRect();
    QTest::mousePress(&stage, Qt::LeftButton, {}, QPointF(t.left() + stage.wipe() * t.width(), t.center().y()).toPoint());
    QTest::mouseMove(&stage, QPointF(t.left() + 0.25 * t.width(), t.center().y()).toPoint());
    QTRY_VERIFY(std::abs(stage.wipe() - 0.25) < 0.02);
    QTest::mouseRelease(&stage, Qt::LeftButton, {}, QPointF(t.left() + 0.25 * t.width(), t.center().y()).toPoint());
    stage.setCompareMode(CompareMode::Difference);
    const QImage difference = stage.grab().toImage();
    QVERIFY(difference != first && difference != second);
    stage.toggleBlink();
    QCOMPARE(stage.compareMode(), CompareMode::Blink);
    const QImage blink = stage.grab().toImage();
    QTRY_VERIFY(stage.grab().toImage() != blink);
}

void TestPanels::zoomKeepsWhatIsUnderTheMouse() {
    PictureView view;
    const QRectF area(0, 0, 400, 300);
    const QSize size(32, 32);
    const QPointF at(130, 90);
    const QPointF before = *shareOf(view.target(size, area), at);
    view.zoomAt(1.7, at, size, area);
    const QPointF after = *shareOf(view.target(size, area), at);
    QVERIFY(std::hypot(after.x() - before.x(), after.y() - before.y()) < 0.01);
}

void TestPanels::pathAndCurveAreLinked() {
    TrajectoryPanel panel(*m_document, *m_selection);
    panel.resize(900, 300);
    panel.setVisible(true);
    select("a", "b");
    QTRY_VERIFY(panel.pathView()->plot().hasData());
    QVERIFY(panel.pathView()->plot().title.contains(QStringLiteral("PC1")));
    QVERIFY(panel.pathView()->plot().title.contains(QStringLiteral("axes ×")));
    QCOMPARE(panel.pathView()->plot().layers.size(), std::size_t(2));
    m_selection->lockStep({"a", 4, m_document->run("a")->trajectory->evaluations[4]->logSnr});
    QCOMPARE(panel.quantityView()->cursorStop().value_or(-1), 4);
    QCOMPARE(panel.pathView()->cursorStop().value_or(-1), 4);
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

void TestPanels::headsAreChosen() {
    AttentionPanel panel(*m_document, *m_selection);
    panel.resize(300, 600);
    panel.setVisible(true);
    select("a");
    QTRY_COMPARE(panel.heads().sites(), 2);
    QCOMPARE(panel.heads().headCount(), 4);
    QTest::mouseClick(&panel.heads(), Qt::LeftButton, {}, panel.heads().cellRect(1, 2).center().toPoint());
    QCOMPARE(m_selection->attentionSite(), 1);
    QCOMPARE(m_selection->attentionHead(), 2);
    QTest::keyClick(&panel.heads(), Qt::Key_Escape);
    QCOMPARE(m_selection->attentionSite(), -1);
}

void TestPanels::cardsShowTheStep() {
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

void TestPanels::tableListsDifferences() {
    CompareTable table(*m_document, *m_selection);
    select("a", "b");
    QVERIFY(table.text().contains(QStringLiteral("12\t8")));
}

void TestPanels::pointsAreDrawn() {
    CanvasPanel canvas(*m_document, *m_selection);
    canvas.resize(600, 500);
    canvas.show();
    select("p");
    QVERIFY(canvas.points().showsPoints());
    const QImage end = canvas.points().grab().toImage();
    m_selection->lockStep({"p", 7, m_document->run("p")->trajectory->evaluations[7]->logSnr});
    QVERIFY(canvas.points().grab().toImage() != end);
    select("l");
    QVERIFY(!canvas.points().grab().isNull());
}

void TestPanels::emptyPanelsSaySo() {
    CanvasPanel canvas(*m_document, *m_selection);
    TimelinePanel timeline(*m_document, *m_selection);
    TrajectoryPanel trajectory(*m_document, *m_selection);
    AttentionPanel attention(*m_document, *m_selection);
    canvas.resize(400, 300);
    for (QWidget* w : {static_cast<QWidget*>(&canvas), static_cast<QWidget*>(&timeline), static_cast<QWidget*>(&trajectory), static_cast<QWidget*>(&attention)}) {
        const QImage image = w->grab().toImage();
        QSet<QRgb> colors;
        for (int y = 0; y < image.height(); y += 2)
            for (int x = 0; x < image.width(); x += 2) colors.insert(image.pixel(x, y));
        QVERIFY2(colors.size() > 2, w->metaObject()->className());
    }
}

void TestPanels::screenshots_data() {
    QTest::addColumn<bool>("dark");
    QTest::newRow("dark") << true;
    QTest::newRow("light") << false;
}
// With MEANDER_SHOTS set to a folder: pictures of all panels for a critic's eye.
void TestPanels::screenshots() {
    QFETCH(bool, dark);
    const QString folder = qEnvironmentVariable("MEANDER_SHOTS");
    if (folder.isEmpty()) QSKIP("MEANDER_SHOTS is not set");
    applyTheme(dark ? ThemeChoice::Dark : ThemeChoice::Light);
    CanvasPanel canvas(*m_document, *m_selection);
    TokenBar bar(*m_document, *m_selection);
    TimelinePanel timeline(*m_document, *m_selection);
    TrajectoryPanel trajectory(*m_document, *m_selection);
    AttentionPanel attention(*m_document, *m_selection);
    StepPanel step(*m_document, *m_selection);
    CompareTable table(*m_document, *m_selection);
    select("a", "b");
    canvas.resize(984, 390);
    bar.resize(984, bar.heightForWidth(984));
    timeline.resize(984, 170);
    trajectory.resize(984, 300);
    attention.resize(320, 760);
    step.resize(320, 560);
    table.resize(480, 240);
    m_selection->lockStep({"a", 6, m_document->run("a")->trajectory->evaluations[6]->logSnr});
    m_selection->setWords({2});
    m_selection->setPixel(QPointF(0.5, 0.35));
    const QList<std::pair<QString, QWidget*>> all = {{"canvas", &canvas}, {"tokens", &bar}, {"timeline", &timeline}, {"trajectory", &trajectory}, {"attention", &attention}, {"step", &step}, {"table", &table}};
    for (auto& [name, w] : all) w->show();
    QTest::qWait(1500);
    const QString suffix = dark ? QStringLiteral("-dark.png") : QStringLiteral("-light.png");
    for (auto& [name, w] : all) w->grab().save(folder + "/" + name + suffix);
    canvas.pictures().setCompareMode(CompareMode::Wipe);
    canvas.grab().save(folder + "/wipe" + suffix);
    canvas.pictures().setCompareMode(CompareMode::Difference);
    canvas.grab().save(folder + "/difference" + suffix);
    m_selection->setWords({});
    select("p");
    m_selection->lockStep({"p", 7, m_document->run("p")->trajectory->evaluations[7]->logSnr});
    QTest::qWait(800);
    canvas.grab().save(folder + "/points" + suffix);
    timeline.grab().save(folder + "/points-timeline" + suffix);
    select("l");
    canvas.grab().save(folder + "/line" + suffix);
    select("");
    canvas.grab().save(folder + "/empty" + suffix);
    applyTheme(ThemeChoice::Dark);
}

QTEST_MAIN(TestPanels)
#include "tst_panels.moc"
