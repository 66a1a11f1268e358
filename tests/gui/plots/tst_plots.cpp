// Geometry of plots without a window, and their exports.
#include <QTest>
#include <QXmlStreamReader>

#include "gui/look/draw_image.h"
#include "gui/plots/geometry.h"
#include "gui/plots/plot.h"
#include "gui/plots/plot_view.h"

using namespace meander::gui;

class TestPlots : public QObject {
    Q_OBJECT
private slots:
    // Every pixel of the page has the colour of the image's pixel it lies in, also where only a part is in sight.
    void imagesAreEnlargedExactly() {
        QImage image(5, 4, QImage::Format_RGB888);
        for (int y = 0; y < 4; ++y)
            for (int x = 0; x < 5; ++x) image.setPixel(x, y, qRgb(40 * x, 60 * y, 17 * (x + y)));
        for (const QRectF& target : {QRectF(10, 6, 50, 40), QRectF(-20.5, -7.25, 173, 91), QRectF(3, 3, 5, 4)}) {
            QImage page(80, 60, QImage::Format_RGB32);
            page.fill(Qt::white);
            QPainter p(&page);
            drawImage(p, target, image, false);
            p.end();
            for (int y = 0; y < page.height(); ++y)
                for (int x = 0; x < page.width(); ++x) {
                    const QPointF at(x + 0.5, y + 0.5);
                    const bool isInside = target.contains(at);
                    if (!isInside && target.toAlignedRect().contains(x, y))
                        continue;  // a border that is not a whole pixel
                    const QRgb wanted = isInside ? image.pixel(int((at.x() - target.left()) / target.width() * 5),
                                                               int((at.y() - target.top()) / target.height() * 4))
                                                 : qRgb(255, 255, 255);
                    QVERIFY2(page.pixel(x, y) == wanted, qPrintable(QStringLiteral("%1, %2").arg(x).arg(y)));
                }
        }
    }

    void initTestCase() { applyTheme(ThemeChoice::Dark); }
    void niceSteps_data();
    void niceSteps();
    void linearTicksAreRoundAndInside();
    void logTicksAreDecades();
    void positionsAndValuesAreInverse();
    void numbersAreWrittenAsAPersonWould();
    void decimationKeepsExtremes();
    void nearestHits();
    void handlesAreHit();
    void divergingMapIsCentred();
    void exportsAreValid();
    void legendNamesEveryRun();
    void viewTalksAboutStops();
    void keysMoveTheCursor();
};

static Plot samplePlot() {
    Plot plot;
    plot.title = QStringLiteral("σ over steps, \"a, b\"");
    plot.x.label = QStringLiteral("step");
    plot.y.scale = Axis::Scale::Log;
    LineLayer line;
    line.name = QStringLiteral("fitted, 8");
    line.style = runStyle(1, theme());
    for (int i = 0; i <= 8; ++i) line.points.emplace_back(i, 80 * std::pow(0.4, i));
    plot.add(line);
    plot.fitX();
    plot.fitY();
    return plot;
}

void TestPlots::niceSteps_data() {
    QTest::addColumn<double>("raw");
    QTest::addColumn<double>("nice");
    QTest::newRow("one") << 1.0 << 1.0;
    QTest::newRow("above one") << 1.1 << 2.0;
    QTest::newRow("three") << 3.0 << 5.0;
    QTest::newRow("small") << 0.0007 << 0.001;
    QTest::newRow("none") << 0.0 << 1.0;
}
void TestPlots::niceSteps() {
    QFETCH(double, raw);
    QFETCH(double, nice);
    QVERIFY(std::abs(niceStep(raw) - nice) < 1e-12);
}

void TestPlots::linearTicksAreRoundAndInside() {
    Axis a;
    a.lo = -0.3;
    a.hi = 11.7;
    const auto ticks = a.ticks(400, 50);
    QVERIFY(ticks.size() >= 4 && ticks.size() <= 9);
    for (const auto& t : ticks) QVERIFY(t.value >= a.lo && t.value <= a.hi);
    QCOMPARE(ticks.front().label, QStringLiteral("0"));
    a.wholeNumbers = true;
    a.lo = 0;
    a.hi = 2;
    for (const auto& t : a.ticks(800, 40)) QCOMPARE(t.value, std::round(t.value));
}

void TestPlots::logTicksAreDecades() {
    Axis a;
    a.scale = Axis::Scale::Log;
    a.lo = 0.01;
    a.hi = 80;
    QStringList labels;
    for (const auto& t : a.ticks(300, 40))
        if (!t.label.isEmpty()) labels << t.label;
    for (const char* wanted : {"0.01", "0.1", "1", "10"})
        QVERIFY2(labels.contains(QLatin1String(wanted)), qPrintable(labels.join(' ')));
}

void TestPlots::positionsAndValuesAreInverse() {
    for (auto scale : {Axis::Scale::Linear, Axis::Scale::Log})
        for (bool reversed : {false, true}) {
            Axis a;
            a.scale = scale;
            a.reversed = reversed;
            a.lo = 0.002;
            a.hi = 80;
            for (double v : {0.002, 0.5, 7.0, 80.0}) QVERIFY(std::abs(a.value(a.position(v)) - v) < 1e-9 * 80);
        }
    Axis log;
    log.scale = Axis::Scale::Log;
    log.lo = 1;
    log.hi = 10;
    QVERIFY(log.position(0) < 0);  // no place on the axis, no infinity either
}

void TestPlots::numbersAreWrittenAsAPersonWould() {
    QCOMPARE(formatNumber(0), QStringLiteral("0"));
    QCOMPARE(formatNumber(12.41), QStringLiteral("12.4"));
    QCOMPARE(formatNumber(0.0412), QStringLiteral("0.0412"));
    QCOMPARE(formatNumber(3.3e-5, 2), QStringLiteral("3.3e-5"));
    QCOMPARE(formatNumber(-2.5), QStringLiteral("−2.50"));
    QCOMPARE(formatNumber(INFINITY), QStringLiteral("∞"));
    QCOMPARE(formatTick(0.30000000000000004, 0.1), QStringLiteral("0.3"));
}

void TestPlots::decimationKeepsExtremes() {
    std::vector<QPointF> many;
    for (int i = 0; i < 100000; ++i) many.emplace_back(i / 1000.0, i == 54321 ? 99 : std::sin(i * 0.1));
    const auto few = decimate(many);
    QVERIFY(few.size() <= 404);
    QVERIFY(std::any_of(few.begin(), few.end(), [](QPointF p) { return p.y() == 99; }));
    QCOMPARE(few.front(), many.front());
    QCOMPARE(few.back(), many.back());
    std::vector<QPointF> back(1000, QPointF(0, 0));
    for (int i = 0; i < 1000; ++i) back[std::size_t(i)].setX(-i);
    QCOMPARE(decimate(back).size(), back.size());  // a path that turns is left alone
}

void TestPlots::nearestHits() {
    const std::vector<QPointF> points = {{0, 0}, {10, 0}, {20, 5}};
    QCOMPARE(nearestPoint(points, {11, 1}, 5).value_or(-1), 1);
    QVERIFY(!nearestPoint(points, {50, 50}, 5));
    const std::vector<double> xs = {0, 10, 20};
    QCOMPARE(nearestX(xs, 16).value_or(-1), 2);
}

void TestPlots::handlesAreHit() {
    Axis x, y;
    HandleLayer h;
    h.handles = {{0.25, 0.5}, {0.75, 0.5}};
    PlotFrame f{QRectF(0, 0, 400, 200), x, y};
    QCOMPARE(h.hit(f, {103, 98}).value_or(-1), 0);
    QVERIFY(!h.hit(f, {200, 100}));
}

void TestPlots::divergingMapIsCentred() {
    for (bool dark : {true, false}) {
        const QRgb zero = divergingColor(0, 1, dark), plus = divergingColor(1, 1, dark),
                   minus = divergingColor(-1, 1, dark);
        QVERIFY(std::abs(qRed(zero) - qBlue(zero)) < 14);
        QVERIFY(qRed(plus) > qBlue(plus));
        QVERIFY(qBlue(minus) > qRed(minus));
    }
    int last = -1;
    for (int i = 0; i <= 20; ++i) {
        const int g = qGray(colorOf(ColorMap::Viridis, i / 20.0));
        QVERIFY(g > last);
        last = g;
    }
}

void TestPlots::exportsAreValid() {
    const Plot plot = samplePlot();
    QXmlStreamReader svg(plotSvg(plot, {400, 240}, theme()));
    int polylines = 0;
    while (!svg.atEnd())
        if (svg.readNext() == QXmlStreamReader::StartElement
            && (svg.name() == QLatin1String("polyline") || svg.name() == QLatin1String("path")))
            ++polylines;
    QVERIFY2(!svg.hasError(), qPrintable(svg.errorString()));
    QVERIFY(polylines > 0);
    const QByteArray pdf = plotPdf(plot, {400, 240}, theme());
    QVERIFY(pdf.startsWith("%PDF") && pdf.contains("%%EOF"));
    const QStringList csv = plot.table().csv().split(QStringLiteral("\r\n"), Qt::SkipEmptyParts);
    QCOMPARE(csv.size(), 10);
    QVERIFY(csv[1].startsWith(QStringLiteral("\"fitted, 8\",0,80")));
    QVERIFY(!plotImage(plot, {200, 100}, theme()).isNull());
}

void TestPlots::legendNamesEveryRun() {
    Plot plot;
    plot.hasLegend = true;
    for (int i = 0; i < 2; ++i) {
        LineLayer line;
        line.name = QStringLiteral("run %1 · a red circle above a blue square on a green background").arg(i + 1);
        line.style = runStyle(i, theme());
        plot.add(std::move(line));
    }
    for (int width : {160, 260, 900}) {
        const QImage image = plotImage(plot, {width, 160}, theme(), 1);
        bool isSeen[2] = {};
        for (int y = 0; y < 60; ++y)
            for (int x = 0; x < image.width(); ++x)
                for (int i = 0; i < 2; ++i) isSeen[i] |= image.pixelColor(x, y) == theme().runs[std::size_t(i)];
        QVERIFY2(isSeen[0] && isSeen[1], qPrintable(QString::number(width)));
    }
}

void TestPlots::viewTalksAboutStops() {
    PlotView view;
    view.resize(400, 240);
    view.setPlot(samplePlot());
    view.setSnapPoints({{0, 80}, {4, 2.05}},
                       {QStringLiteral("step 0 of 8, sigma 80"), QStringLiteral("step 4 of 8, sigma 2.05")});
    view.setCursor(1);
    QCOMPARE(view.accessibleDescription(), QStringLiteral("step 4 of 8, sigma 2.05"));
    int hovered = -1, clicked = -1;
    connect(&view, &PlotView::snapPointHovered, this, [&](int s) { hovered = s; });
    connect(&view, &PlotView::snapPointClicked, this, [&](int s) { clicked = s; });
    view.show();
    QTest::mouseMove(&view, view.pageOf({0.4, 20}).toPoint());
    QTRY_COMPARE(hovered, 0);
    QTest::mouseClick(&view, Qt::LeftButton, {}, view.pageOf({3.6, 3}).toPoint());
    QCOMPARE(clicked, 1);
}

void TestPlots::keysMoveTheCursor() {
    PlotView view;
    view.setPlot(samplePlot());
    view.setSnapPoints({{0, 80}, {1, 32}, {2, 12}}, {"a", "b", "c"});
    view.setCursor(1);
    int clicked = -1;
    connect(&view, &PlotView::snapPointClicked, this, [&](int s) { clicked = s; });
    QTest::keyClick(&view, Qt::Key_Left);
    QCOMPARE(clicked, 0);
    QTest::keyClick(&view, Qt::Key_End);
    QCOMPARE(clicked, 2);
}

QTEST_MAIN(TestPlots)
#include "tst_plots.moc"
