// The canvas: images and points at the step of the cursor, alone and compared, driven by mouse and keys.
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QTemporaryDir>

#include "engine/exchange/recipe_exchange.h"
#include "gui/bridge/field_service.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/panels/canvas/points_stage.h"
#include "gui/plots/color_map.h"
#include "tests/gui/panels/panel_test.h"

using namespace meander;
using namespace meander::gui;

class TestCanvas : public test::PanelTest {
    Q_OBJECT
private slots:
    void wipeGeometry() {
        const auto [left, right] = wipeParts({10, 10, 100, 50}, 0.25);
        QCOMPARE(left, QRectF(10, 10, 25, 50));
        QCOMPARE(right, QRectF(35, 10, 75, 50));
        QVERIFY(!shareOf({0, 0, 10, 10}, {12, 3}));
        QCOMPARE(*shareOf({0, 0, 10, 10}, {5, 2}), QPointF(0.5, 0.2));
        QCOMPARE(tileAreas({0, 0, 400, 200}, 8, 0).size(), std::size_t(8));
    }

    void differenceAndMetrics() {
        QImage a(4, 4, QImage::Format_RGB32), b(4, 4, QImage::Format_RGB32);
        a.fill(qRgb(100, 100, 100));
        b.fill(qRgb(100, 100, 100));
        QVERIFY(std::isinf(compareImages(a, b)->psnr));
        b.setPixel(1, 1, qRgb(151, 151, 151));
        const auto m = *compareImages(a, b);
        QVERIFY(std::abs(m.maximum - 0.2) < 1e-9);
        QVERIFY(std::abs(m.rms - 0.05) < 1e-9);
        QCOMPARE(m.fittingAmplification(), 4.0);
        a.setPixel(1, 1, qRgb(149, 149, 149));  // 2 of 255
        QCOMPARE(compareImages(a, b)->fittingAmplification(), 64.0);
        QCOMPARE(compareImages(a, a)->fittingAmplification(), 1.0);
        a.setPixel(1, 1, qRgb(100, 100, 100));
        const QImage d = differenceImage(b, a, 5, true);
        QCOMPARE(d.pixel(0, 0), divergingColor(0, 1, true));
        QCOMPARE(d.pixel(1, 1), divergingColor(1, 1, true));
    }

    void canvasShowsTheStepOfTheCursor() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("a");
        const QImage end = canvas.images().grab().toImage();
        m_selection->lockStep({"a", 2, m_document->run("a")->trajectory->evaluations[2]->logSnr});
        QVERIFY(canvas.headline().contains(QStringLiteral("step 2 of 12")));
        QVERIFY(canvas.images().grab().toImage() != end);
        canvas.images().setZoom(2);
        QVERIFY(canvas.headline().contains(QStringLiteral("200 %")));
    }

    void compareModesChangePixels() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(800, 500);
        canvas.show();
        select("a", "b");
        m_selection->lockStep({"a", 6, m_document->run("a")->trajectory->evaluations[6]->logSnr});
        ImageStage& stage = canvas.images();
        QVERIFY(stage.isComparing());
        QVERIFY(stage.metrics() && stage.metrics()->rms > 0);
        const QImage side = stage.grab().toImage();
        stage.setCompareMode(CompareMode::Wipe);
        stage.setWipe(1);
        const QPoint probe = (stage.imageRect().topLeft() + QPointF(20, 20)).toPoint();
        const QImage first = stage.grab().toImage();
        stage.setWipe(0);
        const QImage second = stage.grab().toImage();
        QVERIFY(side != first);
        QVERIFY(first.pixel(probe) != second.pixel(probe));
        stage.setWipe(0.5);
        const double before = stage.wipe();
        QTest::keyClick(&stage, Qt::Key_Right);
        QVERIFY(stage.wipe() > before);
        const QRectF t = stage.imageRect();
        QTest::mousePress(&stage, Qt::LeftButton, {},
                          QPointF(t.left() + stage.wipe() * t.width(), t.center().y()).toPoint());
        QTest::mouseMove(&stage, QPointF(t.left() + 0.25 * t.width(), t.center().y()).toPoint());
        QTRY_VERIFY(std::abs(stage.wipe() - 0.25) < 0.02);
        QTest::mouseRelease(&stage, Qt::LeftButton, {}, QPointF(t.left() + 0.25 * t.width(), t.center().y()).toPoint());
        stage.setCompareMode(CompareMode::Difference);
        QCOMPARE(canvas.findChild<QComboBox*>("amplification")->currentData().toInt(), 0);
        QCOMPARE(stage.amplification(), stage.metrics()->fittingAmplification());
        const QImage difference = stage.grab().toImage();
        QVERIFY(difference != first && difference != second);
        stage.toggleBlink();
        QCOMPARE(stage.compareMode(), CompareMode::Blink);
        const QImage blink = stage.grab().toImage();
        QTRY_VERIFY(stage.grab().toImage() != blink);
    }

    void zoomKeepsWhatIsUnderTheMouse() {
        ImageView view;
        const QRectF area(0, 0, 400, 300);
        const QSize size(32, 32);
        const QPointF at(130, 90);
        const QPointF before = *shareOf(view.target(size, area), at);
        view.zoomAt(1.7, at, size, area);
        const QPointF after = *shareOf(view.target(size, area), at);
        QVERIFY(std::hypot(after.x() - before.x(), after.y() - before.y()) < 0.01);
    }

    void gridHasItsOwnZoomAndNumbers() {
        auto four = std::make_shared<Run>(*m_document->run("a"));
        four->id = "four";
        four->recipe.images = 4;
        const auto one = four->images.toFloats();
        std::vector<float> all;
        for (int i = 0; i < 4; ++i) all.insert(all.end(), one.begin(), one.end());
        four->images = HostTensor::fromFloats({4, 32, 32, 3}, all);
        m_document->addRun(four);
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("four");
        ImageStage& stage = canvas.images();
        const double alone = stage.shownScale();
        stage.setGrid(true);
        const auto tiles = stage.gridRects();
        QCOMPARE(tiles.size(), std::size_t(4));
        QCOMPARE(stage.shownScale(), tiles[0].width() / 32);
        QVERIFY(stage.shownScale() < alone);
        QVERIFY2(canvas.headline().contains(QStringLiteral("%1 %").arg(qRound(tiles[0].width() / 32 * 100))),
                 qPrintable(canvas.headline()));
        QTest::mouseClick(&stage, Qt::LeftButton, {}, tiles[2].center().toPoint());
        QCOMPARE(m_selection->image(), 2);
    }

    void brokenOffRunShowsItsLastEstimate() {
        auto broken = std::make_shared<Run>(*m_document->run("a"));
        auto t = std::make_shared<Trajectory>(*broken->trajectory);
        broken->id = "broken";
        broken->status = RunStatus::Interrupted;
        broken->images = {};
        t->evaluations.resize(6);
        t->steps.resize(6);
        broken->trajectory = t;
        m_document->addRun(broken);
        QCOMPARE(stateImage(*broken, 0, -1, Quantity::Denoised, true),
                 stateImage(*broken, 0, 5, Quantity::Denoised, true));
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("broken");
        QVERIFY2(canvas.headline().startsWith(QStringLiteral("x̂0, stopped after step 6")),
                 qPrintable(canvas.headline()));
    }

    void titleTakesTheColourOfTheTheme() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("a");
        const auto titleHas = [&](const QColor& color) {
            const QImage image = canvas.images().grab().toImage();
            for (int y = 0; y < int(canvas.images().imageRect().top()); ++y)
                for (int x = 0; x < image.width(); ++x)
                    if (image.pixelColor(x, y) == color) return true;
            return false;
        };
        const QColor dark = theme().runs[0];
        QVERIFY(titleHas(dark));
        applyTheme(ThemeChoice::Light);
        QVERIFY(titleHas(theme().runs[0]) && !titleHas(dark));
        applyTheme(ThemeChoice::Dark);
    }

    void imageIsSavedWithItsRecipe() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("a");
        lock("a", 4);
        QTemporaryDir dir;
        const QString path = dir.filePath("step.png");
        QVERIFY(canvas.saveImageTo(path));
        const auto file = readPng(path.toStdString());
        QVERIFY(file.ok());
        const QImage meant = stateImage(*m_document->run("a"), 0, 4, Quantity::Denoised, true);
        QCOMPARE(file->image.width, meant.width());
        for (int y = 0; y < 32; ++y)
            for (int x = 0; x < 32; ++x)
                QCOMPARE(qRgb(file->image.at(x, y)[0], file->image.at(x, y)[1], file->image.at(x, y)[2]),
                         meant.pixel(x, y));
        const auto recipe = readRecipeFrom(path.toStdString());
        QVERIFY(recipe.ok() && recipe->recipe.prompt == "a red circle on green");
        QVERIFY(QString::fromStdString(file->texts.at("Comment")).contains(QStringLiteral("step 4 of 12")));
        QVERIFY(!canvas.saveImageTo(dir.filePath("nowhere/step.png")));
        QTest::keyClick(&canvas.images(), Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->image().size(), meant.size());
    }

    void planeOfPointsStaysUnlessItFollows() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(600, 500);
        canvas.show();
        select("p");
        PointsStage& stage = canvas.points();
        const QRectF end = stage.viewBounds();
        lock("p", 0);
        QCOMPARE(stage.viewBounds(), end);
        QVERIFY(stage.headline().startsWith(QStringLiteral("xₜ at step 0 of 10")));
        stage.setFollowsSpread(true);
        QVERIFY(stage.viewBounds().width() > 20 * end.width());
        lock("p", 9);
        QVERIFY(stage.viewBounds().width() < 2 * end.width());
    }

    void pointsAreDrawn() {
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

    void densityOfATrainedModelIsAHistogramOfItsData() {
        // Points as "flow2d" makes them: no closed form, but data that can be drawn.
        auto run = std::make_shared<Run>(*m_document->run("p"));
        run->id = "moons";
        run->number = 9;
        run->recipe.model = "builtin:flow2d-moons";
        m_document->addRun(run);
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("moons");
        QTRY_COMPARE_WITH_TIMEOUT(canvas.points().densitySource(), DensitySource::TrainingData, 30000);
        QVERIFY2(canvas.points().headline().contains(QStringLiteral("histogram of 40,000 draws of the training data")),
                 qPrintable(canvas.points().headline()));
        select("p");
        QTRY_COMPARE_WITH_TIMEOUT(canvas.points().densitySource(), DensitySource::Exact, 30000);
        QVERIFY(canvas.points().headline().contains(QStringLiteral("density: exact")));
    }

    // The histogram of two moons against what their formula says: two arcs of radius 1.4 around (−0.7, −0.35) and (0.7,
    // 0.35), spread 0.08.
    void densityOfTwoMoonsLiesOnTheArcs() {
        FieldService service;
        QSignalSpy ready(&service, &FieldService::ready);
        const FieldRequest request{"builtin:flow2d-moons", {}, 0, 1, {-3, -3, 3, 3}, 60, 20000};
        QVERIFY(!service.field(request));
        QTRY_VERIFY_WITH_TIMEOUT(ready.count() > 0, 30000);
        const auto field = service.field(request);
        QVERIFY(field);
        QCOMPARE(field->source, DensitySource::TrainingData);
        QCOMPARE(field->draws, 20000);
        double on = 0, all = 0;
        for (int r = 0; r < 60; ++r)
            for (int c = 0; c < 60; ++c) {
                const double x = -3 + (c + 0.5) * 0.1, y = -3 + (r + 0.5) * 0.1,
                             d = field->density[std::size_t(r) * 60 + std::size_t(c)];
                const double upper = std::abs(std::hypot(x + 0.7, y + 0.35) - 1.4),
                             lower = std::abs(std::hypot(x - 0.7, y - 0.35) - 1.4);
                all += d;
                if (std::min(upper, lower) < 0.35) on += d;
            }
        QVERIFY2(on / all > 0.99, qPrintable(QString::number(on / all)));
        // Noise spreads it: at τ = 1 the flow's state is noise alone, a standard normal, of which P(|x|, |y| < 0.5) =
        // 0.1466.
        const FieldRequest noisy{"builtin:flow2d-moons", {}, 1, 0, {-3, -3, 3, 3}, 60, 20000};
        service.field(noisy);
        QTRY_VERIFY_WITH_TIMEOUT(service.field(noisy), 30000);
        const auto spread = service.field(noisy);
        double middle = 0, sum = 0;
        for (int r = 0; r < 60; ++r)
            for (int c = 0; c < 60; ++c) {
                const double d = spread->density[std::size_t(r) * 60 + std::size_t(c)];
                sum += d;
                if (r >= 25 && r < 35 && c >= 25 && c < 35) middle += d;
            }
        const double inside = 0.9946;  // of the standard normal in [−3, 3]²
        QVERIFY2(std::abs(middle / sum - 0.1466 / inside) < 0.012, qPrintable(QString::number(middle / sum)));
    }

    void densityOfAnUnknownModelIsThatOfItsParticles() {
        QCOMPARE(densityOf({{0.1, 0.1}, {0.1, 0.2}, {0.9, 0.9}, {5, 5}}, {0, 0, 1, 1}, 2, 2),
                 (std::vector<float>{1.f, 0.f, 0.f, 0.5f}));
        QVERIFY(densityOf({{5, 5}}, {0, 0, 1, 1}, 2, 2).empty());
    }
};

QTEST_MAIN(TestCanvas)
#include "moc_panel_test.cpp"
#include "tst_canvas.moc"
