// All panels at once: what they say when they are empty, and images of them for a critic's eye.
#include "gui/panels/attention/attention_panel.h"
#include "gui/panels/attention/token_bar.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/panels/compare/compare_table.h"
#include "gui/panels/diagnostics/step_panel.h"
#include "gui/panels/timeline/film_strip.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "gui/panels/trajectory/trajectory_panel.h"
#include "tests/gui/panels/panel_test.h"

using namespace meander;
using namespace meander::gui;

class TestAllPanels : public test::PanelTest {
    Q_OBJECT
private slots:
    void emptyPanelsSaySo() {
        CanvasPanel canvas(*m_document, *m_selection);
        TimelinePanel timeline(*m_document, *m_selection);
        TrajectoryPanel trajectory(*m_document, *m_selection);
        AttentionPanel attention(*m_document, *m_selection);
        canvas.resize(400, 300);
        for (QWidget* w : {static_cast<QWidget*>(&canvas), static_cast<QWidget*>(&timeline),
                           static_cast<QWidget*>(&trajectory), static_cast<QWidget*>(&attention)}) {
            const QImage image = w->grab().toImage();
            QSet<QRgb> colors;
            for (int y = 0; y < image.height(); y += 2)
                for (int x = 0; x < image.width(); x += 2) colors.insert(image.pixel(x, y));
            QVERIFY2(colors.size() > 2, w->metaObject()->className());
        }
    }

    void screenshots_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("dark") << true;
        QTest::newRow("light") << false;
    }

    void screenshots() {
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
        const QList<std::pair<QString, QWidget*>> all = {
            {"canvas", &canvas},       {"tokens", &bar}, {"timeline", &timeline}, {"trajectory", &trajectory},
            {"attention", &attention}, {"step", &step},  {"table", &table}};
        for (auto& [name, w] : all) w->show();
        QTest::qWait(1500);
        const QString suffix = dark ? QStringLiteral("-dark.png") : QStringLiteral("-light.png");
        for (auto& [name, w] : all) w->grab().save(folder + "/" + name + suffix);
        canvas.images().setCompareMode(CompareMode::Wipe);
        canvas.grab().save(folder + "/wipe" + suffix);
        canvas.images().setCompareMode(CompareMode::Difference);
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
};

QTEST_MAIN(TestAllPanels)
#include "moc_panel_test.cpp"
#include "tst_all_panels.moc"
