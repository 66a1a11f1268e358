// The laboratory as a person uses it: numbers against closed forms and against the engine asked directly; cancelling;
// tables; the window stays free.
#include <QApplication>
#include <QClipboard>
#include <QDialog>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <cmath>

#include "gui/app/watchdog.h"
#include "gui/look/theme.h"
#include "gui/panels/lab/lab_form.h"
#include "gui/panels/lab/lab_panel.h"
#include "gui/widgets/choice_popup.h"

using namespace meander;
using namespace meander::gui;

class TestLab : public QObject {
    Q_OBJECT
    std::unique_ptr<Document> m_document;
    std::unique_ptr<LabPanel> m_panel;

    ConvergenceView& convergence() { return *m_panel->convergence(); }
    StabilityView& stability() { return *m_panel->stability(); }
    QPushButton* button(QWidget& in, const QString& text) {
        for (auto* b : in.findChildren<QPushButton*>())
            if (b->text() == text && b->isVisible()) return b;
        return nullptr;
    }
    void click(QWidget& in, const QString& text) {
        QPushButton* b = button(in, text);
        QVERIFY2(b && b->isEnabled(), qPrintable(text));
        QTest::mouseClick(b, Qt::LeftButton);
    }
    void typeBudgets(const QString& text) {
        auto* field = convergence().findChild<QLineEdit*>("labBudgets");
        field->setFocus();
        field->selectAll();
        QTest::keyClicks(field, text);
    }
    void keepSamplers(const std::vector<Choice>& samplers) { convergence().setSamplers(samplers); }
    void choose(ChoiceField* field, const QString& search) {
        QTest::mouseClick(field, Qt::LeftButton);
        QTRY_VERIFY(field->popup() && field->popup()->isVisible());
        QTest::keyClicks(field->popup()->searchField(), search);
        QTest::keyClick(field->popup()->searchField(), Qt::Key_Return);
        QVERIFY(!field->popup()->isVisible());
    }

private slots:
    void initTestCase() {
        loadFonts();
        applyTheme(ThemeChoice::Dark);
    }
    void init() {
        m_document = std::make_unique<Document>();
        m_panel = std::make_unique<LabPanel>(*m_document);
        m_panel->resize(1100, 320);
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
    }
    void cleanup() {
        m_panel.reset();
        m_document.reset();
    }

    void ordersAreThoseOfTheEngine() {
        keepSamplers({{"euler", {}}, {"heun", {}}});
        choose(convergence().findChild<ChoiceField*>("labAddSampler"), "rk4");
        QCOMPARE(convergence().findChildren<LabChip*>().size() >= 3, true);
        typeBudgets("16, 32, 64, 128, 256");
        click(convergence(), "Measure");
        QVERIFY(convergence().isBusy());
        QTRY_VERIFY_WITH_TIMEOUT(!convergence().isBusy(), 60000);
        const auto& curves = convergence().curves();
        QCOMPARE(curves.size(), std::size_t(3));
        // The same question, asked without a window.
        const LabProblem problem = labProblem("analytic:gaussian2?process=edm", 64);
        QCOMPARE(problem.reference, std::string("exact flow"));
        for (const LabCurve& c : curves) {
            QCOMPARE(c.cells.size(), std::size_t(5));
            for (const LabCell& cell : c.cells) {
                const LabCell again = measure(problem, c.sampler, {"karras", {}}, cell.budget);
                QVERIFY2(cell.problem.empty(), cell.problem.c_str());
                QCOMPARE(cell.error, again.error);
                QCOMPARE(cell.evaluations, again.evaluations);
            }
            const OrderFit fit = orderOf(c.cells);
            QCOMPARE(c.fit.order, fit.order);
            QVERIFY(fit.low < fit.order && fit.order < fit.high);
        }
        // Euler has order 1, Heun 2, Runge–Kutta 4, measured over these numbers of evaluations.
        qInfo("orders %s | %s | %s", qPrintable(orderText(curves[0].fit)), qPrintable(orderText(curves[1].fit)),
              qPrintable(orderText(curves[2].fit)));
        QVERIFY(std::abs(curves[0].fit.order - 1) < 0.15);
        QVERIFY(curves[1].fit.order > 1.7 && curves[2].fit.order > curves[1].fit.order + 0.5);
        QCOMPARE(convergence().orders()->rowCount(), 3);
        QCOMPARE(convergence().orders()->item(0, 1)->text(), orderText(curves[0].fit));
        const Plot& plot = convergence().plotView()->plot();
        QVERIFY(plot.hasData() && plot.x.scale == Axis::Scale::Log && plot.y.scale == Axis::Scale::Log);
        click(convergence(), "Copy as CSV");
        const QString csv = QApplication::clipboard()->text();
        QCOMPARE(csv.count("\r\n"), 16);  // head and 3 × 5 cells
        QVERIFY2(csv.startsWith("sampler,schedule,steps,evaluations (NFE),error (RMS)"), qPrintable(csv.left(80)));
        QVERIFY(csv.contains(QString::number(curves[1].cells[0].error, 'g', 9)));
        click(convergence(), "Show as table");
        auto* dialog = convergence().findChild<QDialog*>("table");
        QVERIFY(dialog && dialog->isVisible());
        QCOMPARE(dialog->findChild<QTableView*>()->model()->rowCount(), 15);
        dialog->close();
    }

    void otherModelsNeedAReference() {
        keepSamplers({{"heun", {}}});
        auto* model = convergence().findChild<ChoiceField*>("labModel");
        QVERIFY(model->findData("analytic:ring8") >= 0);
        QVERIFY2(model->findData("analytic:sphere") < 0, "Curved spaces are not measured with flat samplers.");
        model->setChoice("analytic:ring8");
        typeBudgets("16, 32, 64");
        click(convergence(), "Measure");
        QTRY_VERIFY_WITH_TIMEOUT(!convergence().isBusy(), 60000);
        QVERIFY2(convergence().findChild<QLabel*>("labState")->text().contains("Runge–Kutta, 2000 steps"),
                 qPrintable(convergence().findChild<QLabel*>("labState")->text()));
        for (const LabCell& c : convergence().curves()[0].cells) QVERIFY(c.error > 0);
    }

    void mistakesAreSentences() {
        typeBudgets("8, many");
        click(convergence(), "Measure");
        QVERIFY(!convergence().isBusy());
        QVERIFY(convergence().findChild<QLabel*>("labState")->text().contains("whole numbers"));
        // What a sampler cannot do within so few evaluations is told, beside what the others can.
        keepSamplers({{"euler", {}}, {"rk4", {}}});
        typeBudgets("2, 8, 16");
        click(convergence(), "Measure");
        QTRY_VERIFY_WITH_TIMEOUT(!convergence().isBusy(), 60000);
        QVERIFY(convergence().curves()[0].problem().isEmpty());
        if (stepsWithin(*findSampler("rk4"), *resolveParams(findSampler("rk4")->params, {}, ""), 2) == 0)
            QVERIFY(convergence().findChild<QLabel*>("labState")->text().contains("more evaluations"));
    }

    void cancelEndsTheWork() {
        keepSamplers({{"rk4", {}}, {"heun", {}}, {"euler", {}}});
        auto* model = convergence().findChild<ChoiceField*>("labModel");
        model->setChoice("analytic:two-classes");
        typeBudgets("512, 1024, 2048, 4096");
        click(convergence(), "Measure");
        QVERIFY(convergence().isBusy());
        QTest::qWait(60);
        click(convergence(), "Cancel");
        QVERIFY(!convergence().isBusy() && button(convergence(), "Measure"));
        std::size_t cells = 0;
        for (const LabCurve& c : convergence().curves()) cells += c.cells.size();
        QTest::qWait(150);
        std::size_t later = 0;
        for (const LabCurve& c : convergence().curves()) later += c.cells.size();
        QCOMPARE(later, cells);
        // Closing in the middle of the work waits for one evaluation, not for all of it.
        click(convergence(), "Measure");
        QElapsedTimer timer;
        timer.start();
        m_panel.reset();
        QVERIFY2(timer.elapsed() < 1500, qPrintable(QString::number(timer.elapsed())));
    }

    void regionsAreThoseOfTheBooks() {
        m_panel->showStability();
        QVERIFY(stability().isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(!stability().isBusy() && !stability().region().growth.empty(), 60000);
        // Heun: 1 + z + z²/2.
        const auto check = [&](auto factor, double interval) {
            const StabilityRegion& r = stability().region();
            double worst = 0;
            for (int row = 0; row < r.rows; ++row)
                for (int column = 0; column < r.columns; ++column) {
                    const std::complex<double> z(r.left + (column + 0.5) / r.columns * (r.right - r.left),
                                                 r.bottom + (row + 0.5) / r.rows * (r.top - r.bottom));
                    const double exact = std::abs(factor(z));
                    worst = std::max(
                        worst,
                        std::abs(r.growth[std::size_t(row) * std::size_t(r.columns) + std::size_t(column)] - exact)
                            / (1 + exact));
                }
            QVERIFY2(worst < 1e-4, qPrintable(QString::number(worst)));
            QVERIFY2(std::abs(stability().interval() - interval) < 1e-3,
                     qPrintable(QString::number(stability().interval(), 'g', 9)));
            // The line drawn is where the factor is 1.
            const auto line = contour(r, 1);
            QVERIFY(line.size() > 100);
            for (const QPointF& p : line)
                QVERIFY(std::abs(std::abs(factor(std::complex<double>(p.x(), p.y()))) - 1) < 0.02);
        };
        check([](std::complex<double> z) { return 1.0 + z + z * z / 2.0; }, 2);
        choose(stability().sampler()->field(), "rk4");
        QTRY_VERIFY_WITH_TIMEOUT(!stability().isBusy(), 60000);
        check([](std::complex<double> z) { return 1.0 + z + z * z / 2.0 + z * z * z / 6.0 + z * z * z * z / 24.0; },
              2.785293563405);
        stability().sampler()->field()->setChoice("euler");
        emit stability().sampler()->field()->activated(stability().sampler()->field()->currentIndex());
        QTRY_VERIFY_WITH_TIMEOUT(!stability().isBusy(), 60000);
        check([](std::complex<double> z) { return 1.0 + z; }, 2);
        click(stability(), "Copy as CSV");
        QCOMPARE(QApplication::clipboard()->text().count("\r\n"), int(stability().region().growth.size()) + 1);
        QVERIFY(QApplication::clipboard()->text().startsWith("Re z,Im z,"));
    }

    void regionsFollowReachAndClock() {
        m_panel->showStability();
        QTRY_VERIFY_WITH_TIMEOUT(!stability().isBusy() && !stability().region().growth.empty(), 60000);
        auto* reach = stability().findChild<RealField*>("labReach");
        reach->setFocus();
        reach->selectAll();
        QTest::keyClicks(reach, "20");
        QTest::keyClick(reach, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(!stability().isBusy() && stability().region().left == -20, 60000);
        // Samplers without a region say so.
        choose(stability().sampler()->field(), "dopri5");
        QTRY_VERIFY_WITH_TIMEOUT(!stability().isBusy(), 60000);
        QVERIFY(!stability().plotView()->plot().hasData());
        QVERIFY(!stability().plotView()->plot().empty.isEmpty());
    }

    // The window is never kept waiting while the laboratory works.
    void theWindowStaysFree() {
        Watchdog dog(50);
        dog.start();
        QTRY_VERIFY(dog.questions() > 3);
        typeBudgets("8, 16, 32, 64, 128, 256");
        click(convergence(), "Measure");
        m_panel->showStability();
        QTest::qWait(50);
        dog.reset();
        QTRY_VERIFY_WITH_TIMEOUT(!convergence().isBusy() && !stability().isBusy(), 60000);
        const auto longest = dog.longestCaused();
        qInfo("longest block %.1f ms, of it own work %.1f ms", longest.causedMs(), longest.ownMs.value_or(0));
        QVERIFY2(longest.causedMs() < 50, qPrintable(QString::number(longest.causedMs())));
    }
};

QTEST_MAIN(TestLab)
#include "tst_lab.moc"
