// Attention: chips, heat maps, the words behind a pixel, heads, and all of it over a range of steps.
#include <QComboBox>
#include <QScrollArea>
#include <QToolButton>

#include "gui/panels/attention/attention_panel.h"
#include "gui/panels/attention/token_bar.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/panels/canvas/word_bars.h"
#include "gui/plots/color_map.h"
#include "gui/selection/attention_query.h"
#include "tests/gui/panels/panel_test.h"

using namespace meander;
using namespace meander::gui;

class TestAttention : public test::PanelTest {
    Q_OBJECT
private slots:
    void chipChangesTheOverlay() {
        CanvasPanel canvas(*m_document, *m_selection);
        TokenBar bar(*m_document, *m_selection);
        canvas.resize(700, 500);
        bar.resize(700, 80);
        canvas.show();
        select("a");
        bar.show();
        QCOMPARE(bar.chipCount(), 5);
        const QImage before = canvas.images().grab().toImage();
        QTest::mouseClick(&bar, Qt::LeftButton, {}, bar.chipRect(2).center().toPoint());
        QCOMPARE(m_selection->words(), QSet<int>{2});
        QTRY_VERIFY([&] {
            const QImage now = canvas.images().grab().toImage();
            const QPoint middle = canvas.images().imageRect().center().toPoint();
            return now.pixel(middle) != before.pixel(middle);
        }());
        QVERIFY(canvas.images().overlayCaption().contains(QStringLiteral("mean of 2 layers")));
        QVERIFY(bar.caption().contains(QStringLiteral("prompt tokens")));
        QTest::mouseClick(&bar, Qt::LeftButton, Qt::ControlModifier, bar.chipRect(1).center().toPoint());
        QCOMPARE(m_selection->words(), (QSet<int>{1, 2}));
        QTest::keyClick(&bar, Qt::Key_Escape);
        QVERIFY(m_selection->words().isEmpty());
    }

    void clickOnTheImageRanksWords() {
        CanvasPanel canvas(*m_document, *m_selection);
        WordBars bars(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("a");
        const QRectF image = canvas.images().imageRect();
        QTest::mouseClick(&canvas.images(), Qt::LeftButton, {},
                          QPointF(image.left() + image.width() * 0.5, image.top() + image.height() * 0.35).toPoint());
        QVERIFY(m_selection->pixel());
        QTRY_COMPARE(bars.shares().size(), std::size_t(5));
        QVERIFY(bars.shares().front().text == "circle" || bars.shares().front().text == "red");
        QTest::mouseClick(&canvas.images(), Qt::LeftButton, {},
                          QPointF(image.left() + 4, image.bottom() - 4).toPoint());
        QTRY_COMPARE(bars.shares().front().text, std::string("green"));
    }

    void headsAreChosen() {
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

    void entropyOverTheRunStandsAsTheGridDoes() {
        AttentionPanel panel(*m_document, *m_selection);
        panel.resize(300, 900);
        panel.setVisible(true);
        select("a");
        QTRY_COMPARE(panel.heads().sites(), 2);
        lock("a", 11);
        PlotView& plot = panel.entropyPlot();
        QTRY_VERIFY(plot.plot().hasData());
        const QImage image = plot.grab().toImage();
        for (int site = 0; site < 2; ++site)
            for (int head = 0; head < 4; ++head) {
                const QColor seen = image.pixelColor(plot.pageOf({10.8, site * 4 + head + 0.5}).toPoint()),
                             meant = QColor(colorOf(ColorMap::Viridis, panel.heads().entropyAt(site, head)));
                QVERIFY2(std::abs(seen.red() - meant.red()) + std::abs(seen.green() - meant.green())
                                 + std::abs(seen.blue() - meant.blue())
                             < 6,
                         qPrintable(
                             QStringLiteral("L%1 H%2: %3, not %4").arg(site).arg(head).arg(seen.name(), meant.name())));
            }
    }

    void askingMovesNothingAndStandsOnce() {
        CanvasPanel canvas(*m_document, *m_selection);
        AttentionPanel panel(*m_document, *m_selection);
        canvas.resize(900, 420);
        canvas.show();
        select("a");
        ImageStage& stage = canvas.images();
        auto* bars = canvas.findChild<WordBars*>();
        QVERIFY(bars && bars->isVisible());  // it offers to be asked
        QVERIFY(panel.findChildren<WordBars*>().isEmpty());
        const QRectF before = stage.imageRect();
        QVERIFY(std::abs(before.center().x() - stage.width() / 2.0)
                < 1);  // in the middle, because there is room for both
        QVERIFY(!before.intersects(QRectF(bars->geometry())));
        m_selection->setWords({2});
        QCOMPARE(stage.imageRect(), before);
        QTest::mouseClick(&stage, Qt::LeftButton, {}, before.center().toPoint());
        QTRY_VERIFY(!bars->shares().empty());
        QCOMPARE(stage.imageRect(), before);
        m_selection->setPixel(std::nullopt);
        m_selection->setWords({});
        QCOMPARE(stage.imageRect(), before);
        canvas.resize(460, 420);
        QVERIFY(bars->isVisible());
        QVERIFY(!stage.imageRect().intersects(QRectF(bars->geometry())));
    }

    void wordsThatComeAgainHaveNumbers() {
        std::vector<Token> tokens = test::discTokens();
        tokens[4].text = tokens[1].text;  // <s> a red circle a green </s>
        const auto names = wordNames(tokens);
        QCOMPARE(names.value(0), QStringLiteral("a"));
        QCOMPARE(names.value(3), QStringLiteral("a (2)"));
        AttentionPanel panel(*m_document, *m_selection);
        panel.resize(300, 900);
        panel.setVisible(true);
        select("a");
        QTRY_COMPARE(panel.massPlot().plot().layers.size(), std::size_t(5));
        m_selection->setWords({2});
        for (std::size_t i = 0; i < 5; ++i)
            if (const auto* line = dynamic_cast<const LineLayer*>(panel.massPlot().plot().layers[i].get()))
                QCOMPARE(line->style.color, line->name == QStringLiteral("circle") ? theme().token : theme().muted);
    }

    void rangeOfStepsIsAveraged() {
        select("a");
        const auto run = m_document->run("a");
        const auto& t = *run->trajectory;
        m_selection->setWords({2});
        lock("a", 4);
        const HeatMap at4 = heatOf(attentionQuery(*run, 4, *m_selection), {2});
        const StepRange range{"a", 3, 7, std::min(t.evaluations[3]->logSnr, t.evaluations[7]->logSnr),
                              std::max(t.evaluations[3]->logSnr, t.evaluations[7]->logSnr)};
        std::vector<double> mean;
        m_selection->setAttentionShare(AttentionShare::AllTokens);  // raw probabilities average as they are
        for (int step = 3; step <= 7; ++step) {
            const HeatMap m = heatOf(attentionQuery(*run, step, *m_selection), {2});
            mean.resize(m.values.size());
            for (std::size_t i = 0; i < m.values.size(); ++i) mean[i] += m.values[i] / 5;
        }
        m_selection->setStepRange(range);
        const AttentionQuery query = attentionQuery(*run, 4, *m_selection);
        const HeatMap over = heatOf(query, {2});
        QCOMPARE(over.values.size(), mean.size());
        for (std::size_t i = 0; i < mean.size(); ++i)
            QVERIFY2(std::abs(over.values[i] - mean[i]) < 1e-6, qPrintable(QString::number(over.values[i] - mean[i])));
        QVERIFY(over.values != at4.values);
        QVERIFY2(attentionCaption(query).contains(QStringLiteral("mean of steps 3–7")),
                 qPrintable(attentionCaption(query)));
    }

    void panelAndBarSayThatARangeIsShown() {
        AttentionPanel panel(*m_document, *m_selection);
        TokenBar bar(*m_document, *m_selection);
        panel.resize(300, 700);
        panel.setVisible(true);
        select("a");
        QTRY_COMPARE(panel.heads().sites(), 2);
        double mean = 0;
        for (int step = 3; step <= 7; ++step) {
            lock("a", step);
            mean += panel.heads().entropyAt(1, 2) / 5;
        }
        const auto& t = *m_document->run("a")->trajectory;
        m_selection->setStepRange(StepRange{"a", 3, 7, std::min(t.evaluations[3]->logSnr, t.evaluations[7]->logSnr),
                                            std::max(t.evaluations[3]->logSnr, t.evaluations[7]->logSnr)});
        QVERIFY(std::abs(panel.heads().entropyAt(1, 2) - mean) < 1e-6);
        QVERIFY(panel.headsCaption().contains(QStringLiteral("mean of steps 3–7")));
        QVERIFY(bar.caption().contains(QStringLiteral("mean of steps 3–7")));
        m_selection->setStepRange(std::nullopt);
        QVERIFY(!panel.headsCaption().contains(QStringLiteral("mean of steps")));
        QVERIFY(!bar.caption().contains(QStringLiteral("mean of steps")));
    }

    void emptyPanelHasNoScrollBar() {
        AttentionPanel panel(*m_document, *m_selection);
        panel.resize(300, 500);
        panel.setVisible(true);
        for (const auto* area : panel.findChildren<QScrollArea*>()) QVERIFY(area->isHidden());
        select("a");
        QTRY_VERIFY(panel.findChild<QScrollArea*>()->isVisible());
    }

    void chipsNeverLieOnOneAnother_data() {
        QTest::addColumn<int>("width");
        for (int width : {240, 320, 420, 645, 984, 1600}) QTest::addRow("%d", width) << width;
    }
    void chipsNeverLieOnOneAnother() {
        QFETCH(int, width);
        TokenBar bar(*m_document, *m_selection);
        select("a");
        bar.resize(width, bar.heightForWidth(width));
        bar.show();
        QList<QRectF> taken;
        for (int i = 0; i < bar.chipCount(); ++i) taken.append(bar.chipRect(i));
        for (const QWidget* w :
             {static_cast<QWidget*>(bar.findChild<QToolButton*>()), static_cast<QWidget*>(bar.findChild<QComboBox*>())})
            if (w->isVisible()) taken.append(QRectF(w->geometry()));
        for (int i = 0; i < taken.size(); ++i) {
            QVERIFY(QRectF(bar.rect()).contains(taken[i]));
            for (int k = 0; k < i; ++k)
                QVERIFY2(!taken[i].adjusted(1, 1, -1, -1).intersects(taken[k]),
                         qPrintable(QStringLiteral("%1 and %2").arg(i).arg(k)));
        }
    }
};

QTEST_MAIN(TestAttention)
#include "moc_panel_test.cpp"
#include "tst_attention.moc"
