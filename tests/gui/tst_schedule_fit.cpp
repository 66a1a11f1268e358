// A schedule fitted from the window: the cost before, the fitted levels as a ghost with what they save, one undo step
// when applied, nothing when stopped or closed, and a window that answers all the while.
#include <QSignalSpy>
#include <ctime>

#include "gui/panels/schedule/schedule_fit_dialog.h"
#include "gui/panels/schedule/schedule_panel.h"
#include "tests/gui/editor_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;
using List = std::vector<double>;

namespace {

// Processor time of this thread between two turns of its event loop, at most.
class LongestTurn : public QObject {
public:
    LongestTurn() {
        connect(&m_timer, &QTimer::timeout, this, [this] {
            const double now = seconds();
            m_longest = std::max(m_longest, now - m_last);
            m_last = now;
        });
        m_timer.start(2);
    }
    double milliseconds() const { return m_longest * 1e3; }

private:
    static double seconds() {
        timespec t{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
    }
    QTimer m_timer;
    double m_last = seconds(), m_longest = 0;
};

}  // namespace

class TestScheduleFit : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> m_window;
    SchedulePanel* m_panel = nullptr;

    Document& document() { return m_window->document(); }
    int undoSteps() { return document().undoStack().index(); }
    void run(const Recipe& r) {
        document().editDraft(r, "edit");
        WAIT_FOR_PLAN(document());
        const std::size_t before = document().runs().size();
        QVERIFY(m_window->commands().trigger("run.start"));
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == before + 1 && !document().isBusy(), 60000);
        QTRY_VERIFY(entry(m_panel->editMenu(), "operator.fit")->isEnabled());
    }
    ScheduleFitDialog* open() {
        entry(m_panel->editMenu(), "operator.fit")->trigger();
        return m_panel->findChild<ScheduleFitDialog*>();
    }
    void set(ScheduleFitDialog* dialog, const char* key, int value) {
        emit dialog->form()->edited(key, std::int64_t(value));
    }

private slots:
    void initTestCase() {
        prepareApplication(QStringLiteral("fit-%1").arg(QCoreApplication::applicationPid()));
        forgetEverything();
        m_window = openWindow();
        m_panel = qobject_cast<SchedulePanel*>(m_window->panel("schedule"));
    }
    void init() {
        document().newProject();
        raisePanel(*m_window, "schedule");
    }
    void cleanupTestCase() {
        m_window.reset();
        forgetEverything();
    }

    void fitsAndApplies() {
        QVERIFY(!entry(m_panel->editMenu(), "operator.fit")->isEnabled());  // nothing was run yet
        Recipe recipe = ringRecipe(8);
        recipe.sampler = {"euler", {}};
        run(recipe);
        const int steps = undoSteps();
        const List before = m_panel->levels();
        LongestTurn turn;
        ScheduleFitDialog* dialog = open();
        QVERIFY(dialog && !dialog->applyButton()->isEnabled());
        QTRY_VERIFY(dialog->fitButton()->isEnabled());
        // Two fine runs of 119 evaluations and three schedules of 8, each on 16 seeds; Karras is the run's own.
        QVERIFY2(dialog->costText().contains("4,192 evaluations") || dialog->costText().contains("4192 evaluations"),
                 qPrintable(dialog->costText()));
        QTest::mouseClick(dialog->fitButton(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!dialog->levels().empty(), 30000);
        QCOMPARE(undoSteps(), steps);
        QCOMPARE(m_panel->levels(), before);
        QVERIFY2(m_panel->editor()->plot().title.contains("fitted"), qPrintable(m_panel->editor()->plot().title));
        QTRY_VERIFY_WITH_TIMEOUT(dialog->isMeasured(), 30000);
        QVERIFY2(dialog->findingsText().contains("Measured on 16 held-out seeds"), qPrintable(dialog->findingsText()));
        const List fitted = dialog->levels();
        QCOMPARE(fitted.size(), before.size());
        qInfo("longest turn of the event loop: %.0f ms of processor time; %s", turn.milliseconds(),
              qPrintable(dialog->findingsText()));
        QVERIFY2(turn.milliseconds() < 50, qPrintable(QString::number(turn.milliseconds())));
        if (qEnvironmentVariableIsSet("MEANDER_SHOTS")) {
            m_window->grab().save(qEnvironmentVariable("MEANDER_SHOTS") + "/fit-window.png");
            dialog->grab().save(qEnvironmentVariable("MEANDER_SHOTS") + "/fit-dialog.png");
        }
        QTRY_VERIFY(dialog->fitButton()->text() == QStringLiteral("Fit"));
        QTest::mouseClick(dialog->applyButton(), Qt::LeftButton);
        QCOMPARE(undoSteps(), steps + 1);
        QCOMPARE(document().draft().schedule.id, std::string("custom"));
        QCOMPARE(m_panel->levels(), fitted);
        QVERIFY(!m_panel->editor()->plot().title.contains("fitted"));
        document().undoStack().undo();
        QCOMPARE(m_panel->levels(), before);
        QTRY_VERIFY(!m_panel->findChild<ScheduleFitDialog*>());
    }

    void stopsAndCloses() {
        run(ringRecipe(8));
        const int steps = undoSteps();
        ScheduleFitDialog* dialog = open();
        set(dialog, "paths", 400);
        set(dialog, "held_out", 400);
        set(dialog, "reference_steps", 1500);
        QTRY_VERIFY(dialog->fitButton()->isEnabled());
        QTest::mouseClick(dialog->fitButton(), Qt::LeftButton);
        QCOMPARE(dialog->fitButton()->text(), QStringLiteral("Stop"));
        QTest::qWait(150);
        LongestTurn turn;
        QTest::mouseClick(dialog->fitButton(), Qt::LeftButton);
        QCOMPARE(dialog->fitButton()->text(), QStringLiteral("Fit"));
        QVERIFY(dialog->levels().empty() && !dialog->applyButton()->isEnabled());
        QTest::mouseClick(dialog->fitButton(), Qt::LeftButton);
        QTest::qWait(150);
        dialog->reject();
        QTRY_VERIFY(!m_panel->findChild<ScheduleFitDialog*>());
        QTest::qWait(100);
        QVERIFY2(turn.milliseconds() < 50, qPrintable(QString::number(turn.milliseconds())));
        QCOMPARE(undoSteps(), steps);
        QVERIFY(!m_panel->editor()->plot().title.contains("fitted"));
        // Editing the form while it works stops the work too.
        dialog = open();
        set(dialog, "reference_steps", 1500);
        QTRY_VERIFY(dialog->fitButton()->isEnabled());
        QTest::mouseClick(dialog->fitButton(), Qt::LeftButton);
        set(dialog, "steps", 5);
        QCOMPARE(dialog->fitButton()->text(), QStringLiteral("Fit"));
        dialog->reject();
    }

    // A fine run is its own reference; a random one is none, and the dialog says why.
    void referencesAndRefusals() {
        run(ringRecipe(40));
        ScheduleFitDialog* dialog = open();
        QVERIFY(dialog->form()->field("own_record"));
        set(dialog, "steps", 6);
        emit dialog->form()->edited("own_record", true);
        QTRY_VERIFY(dialog->fitButton()->isEnabled());
        QTest::mouseClick(dialog->fitButton(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(dialog->isMeasured(), 30000);
        const List& own = document().runs().front()->trajectory->levels;
        for (const double tau : dialog->levels()) QVERIFY(std::find(own.begin(), own.end(), tau) != own.end());
        dialog->reject();
        Recipe noisy = ringRecipe(8);
        noisy.sampler = {"euler_ancestral", {}};
        run(noisy);
        QTRY_VERIFY(!m_panel->findChild<ScheduleFitDialog*>());
        dialog = open();
        QTRY_VERIFY2(dialog->costText().contains("adds noise"), qPrintable(dialog->costText()));
        QVERIFY(!dialog->fitButton()->isEnabled() && !dialog->form()->field("own_record"));
        dialog->reject();
    }
};

QTEST_MAIN(TestScheduleFit)
#include "tst_schedule_fit.moc"
