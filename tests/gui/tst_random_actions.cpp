// Random actions of a person: commands, clicks, keys, wheel turns, sizes of window and text, on a project with runs.
// Nothing crashes, the project stays readable, and no single action holds the window up.
//
// The short form runs with the test list. The long form: MEANDER_ACTIONS=40000 (how many), MEANDER_ACTIONS_SEED=8.
#include <QtTest>
#include <QtWidgets>
#include <ctime>
#include <map>
#include <random>

#include "gui/commands/command_registry.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

namespace {

// Processor time of this thread: what other programs take of the machine does not count.
double ownMs() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
}

// The longest time, in milliseconds of the processor, without an answer to the next event: that of one event, or of a
// piece of it before, between or after the events of a loop inside it.
class EventTimes : public QApplication {
public:
    using QApplication::QApplication;
    bool notify(QObject* to, QEvent* event) override {
        if (m_isBusy && thread()->loopLevel() == m_level) return QApplication::notify(to, event);
        // The receiver may be gone afterwards.
        const QString name = QString("%1 %2").arg(to->metaObject()->className()).arg(int(event->type()));
        bool isDone = false;
        measure(name, [&] { isDone = QApplication::notify(to, event); });
        return isDone;
    }
    void measure(const QString& name, const std::function<void()>& act) {
        closePiece();
        const auto outer = std::tuple(m_isBusy, m_level, m_name);
        m_isBusy = true, m_level = thread()->loopLevel(), m_name = name;
        act();
        closePiece();
        std::tie(m_isBusy, m_level, m_name) = outer;
    }
    std::pair<double, QString> takeLongest() { return std::exchange(m_longest, {}); }

private:
    void closePiece() {
        const double now = ownMs();
        if (m_isBusy) m_longest = std::max(m_longest, {now - m_start, m_name});
        m_start = now;
    }
    bool m_isBusy = false;
    int m_level = 0;
    QString m_name;
    double m_start = 0;
    std::pair<double, QString> m_longest;
};

int fromEnvironment(const char* name, int otherwise) {
    bool isGiven = false;
    const int v = qEnvironmentVariableIntValue(name, &isGiven);
    return isGiven ? v : otherwise;
}

}  // namespace

class TestRandomActions : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    std::mt19937 m_random;
    std::map<QString, double> m_worst;  // milliseconds by action
    std::map<QString, int> m_count;
    bool m_metDialog = false, m_isActing = false;

    int below(int n) { return int(m_random() % unsigned(std::max(1, n))); }
    template <class T> const T& pick(const std::vector<T>& list) { return list[m_random() % list.size()]; }

    void timed(const QString& name, const std::function<void()>& act) {
        m_metDialog = false;
        auto& application = *static_cast<EventTimes*>(qApp);
        application.takeLongest();
        m_isActing = true;
        application.measure(name, act);
        m_isActing = false;
        QCoreApplication::processEvents();
        ++m_count[name];
        const auto [ms, what] = application.takeLongest();
        const QString where = what == name ? name : name + ", then " + what;
        m_worst[where] = std::max(m_worst[where], ms);
        if (ms > 200) qInfo("%7.1f ms  %s, while %s", ms, qPrintable(where), qPrintable(situation()));
    }

    // What is on the screen.
    QString situation() {
        QStringList shown;
        for (const QString& id : {window->selection().currentRun(), window->selection().comparedRun()})
            if (const RunPtr r = window->document().run(id))
                shown << QString("%1 with %2, %3 steps, %4 image(s) of %5")
                             .arg(qstr(r->recipe.model), qstr(r->recipe.sampler.id))
                             .arg(r->recipe.steps)
                             .arg(r->recipe.images)
                             .arg(window->width());
        return shown.join(" beside ");
    }

    QWidget* anyWidget() {
        QList<QWidget*> shown;
        for (QWidget* w : window->findChildren<QWidget*>())
            if (w->isVisible() && w->isEnabled() && !w->visibleRegion().isEmpty() && w->width() > 4 && w->height() > 4)
                shown.append(w);
        return shown.isEmpty() ? window.get() : shown[below(int(shown.size()))];
    }
    static QString nameOf(const QWidget* w) {
        QString name = w->metaObject()->className();
        for (const QWidget* p = w; p; p = p->parentWidget())
            if (!p->objectName().isEmpty() && !p->objectName().startsWith("qt_"))
                return name + " in " + p->objectName();
        return name;
    }

    void command() {
        static const std::vector<QString> leaves{"file.quit", "file.close"};
        const Command& c = pick(window->commands().commands());
        if (std::find(leaves.begin(), leaves.end(), c.id) != leaves.end()) return;
        timed("command " + c.id, [&] { window->commands().trigger(c.id); });
    }
    void click() {
        QWidget* w = anyWidget();
        const QPoint at(below(w->width()), below(w->height()));
        const Qt::KeyboardModifiers keys = pick<Qt::KeyboardModifiers>(
            {Qt::NoModifier, Qt::NoModifier, Qt::NoModifier, Qt::ControlModifier, Qt::AltModifier, Qt::ShiftModifier});
        timed("click on " + nameOf(w), [&] { QTest::mouseClick(w, Qt::LeftButton, keys, at); });
    }
    void move() {
        QWidget* w = anyWidget();
        // QTest::mouseMove would also carry out all that waits, as one piece.
        const QPoint at(below(w->width()), below(w->height()));
        timed("move over " + nameOf(w), [&] { QCursor::setPos(w->mapToGlobal(at)); });
    }
    void key() {
        static const std::vector<int> keys{Qt::Key_Left,        Qt::Key_Right,
                                           Qt::Key_Home,        Qt::Key_End,
                                           Qt::Key_Up,          Qt::Key_Down,
                                           Qt::Key_Tab,         Qt::Key_Backtab,
                                           Qt::Key_B,           Qt::Key_P,
                                           Qt::Key_X,           Qt::Key_G,
                                           Qt::Key_Space,       Qt::Key_1,
                                           Qt::Key_2,           Qt::Key_7,
                                           Qt::Key_Return,      Qt::Key_Escape,
                                           Qt::Key_F6,          Qt::Key_Delete,
                                           Qt::Key_BracketLeft, Qt::Key_BracketRight,
                                           Qt::Key_PageDown};
        QWidget* to = QApplication::focusWidget() ? QApplication::focusWidget() : window.get();
        const int k = pick(keys);
        timed(QString("key %1 on %2").arg(QKeySequence(k).toString(), nameOf(to)),
              [&] { QTest::keyClick(to, Qt::Key(k)); });
    }
    void wheel() {
        QWidget* w = anyWidget();
        const QPointF at(below(w->width()), below(w->height()));
        QWheelEvent event(at, w->mapToGlobal(at), {}, {0, below(2) ? 120 : -120}, Qt::NoButton, Qt::NoModifier,
                          Qt::NoScrollPhase, false);
        timed("wheel over " + nameOf(w), [&] { QApplication::sendEvent(w, &event); });
    }
    void resize() {
        const QSize size(1024 + below(900), 640 + below(440));
        timed("resize", [&] { window->resize(size); });
    }
    void recipe() {
        static const std::vector<const char*> models{"analytic:ring8", "analytic:torus", "builtin:flow2d-moons",
                                                     "builtin:sprites-unet"};
        Recipe r = ringRecipe(2 + below(5), pick(models));
        if (r.model == "builtin:sprites-unet") r = longRecipe(2 + below(4));
        timed("edit", [&] { window->document().editDraft(r, "edit"); });
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("random-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        forgetEverything();
        window = openWindow();
        UserPrompts& q = window->userPrompts();
        q.openPath = q.savePath = [] { return QString(); };
        q.useRecipe = [](const Recipe&, const Recipe&, const QString&, const QStringList&) { return true; };
    }
    void cleanup() { window.reset(); }
    void cleanupTestCase() { forgetEverything(); }

    void nothingHoldsTheWindowUp() {
        const int count = fromEnvironment("MEANDER_ACTIONS", 600), seed = fromEnvironment("MEANDER_ACTIONS_SEED", 7);
        m_random.seed(unsigned(seed));
        QTimer answers;  // dialogs that wait for an answer are closed, and menus that hold the action that opened them
        connect(&answers, &QTimer::timeout, this, [this] {
            if (QWidget* modal = QApplication::activeModalWidget()) m_metDialog = true, modal->close();
            if (QWidget* popup = QApplication::activePopupWidget(); popup && (m_metDialog || m_isActing))
                m_metDialog = true, popup->close();
        });
        answers.start(5);
        Document& d = window->document();
        for (const auto& r : {ringRecipe(), longRecipe(6)}) {
            WAIT_FOR_PLAN(d);
            d.editDraft(r, "edit");
            WAIT_FOR_PLAN(d);
            d.runDraft();
            QTRY_VERIFY_WITH_TIMEOUT(!d.isBusy(), 120000);
        }
        using Action = void (TestRandomActions::*)();
        const std::vector<Action> actions{
            &TestRandomActions::command, &TestRandomActions::command, &TestRandomActions::click,
            &TestRandomActions::click,   &TestRandomActions::click,   &TestRandomActions::move,
            &TestRandomActions::move,    &TestRandomActions::key,     &TestRandomActions::key,
            &TestRandomActions::wheel,   &TestRandomActions::resize,  &TestRandomActions::recipe};
        for (int i = 0; i < count; ++i) {
            (this->*pick(actions))();
            if (QWidget* popup = QApplication::activePopupWidget(); popup && below(2)) popup->close();
            if (i % 50 == 49) {
                if (d.queue().size() > 4) d.cancelAll();
                if (settings::fontScale() > 1.35 || settings::fontScale() < 0.85)
                    for (int k = 0; k < 5; ++k)
                        window->commands().trigger(settings::fontScale() > 1 ? "view.smaller" : "view.larger");
            }
        }
        d.cancelAll();
        QTRY_VERIFY_WITH_TIMEOUT(!d.isBusy(), 120000);
        std::vector<std::pair<double, QString>> order;
        for (const auto& [name, ms] : m_worst) order.emplace_back(ms, name);
        std::sort(order.rbegin(), order.rend());
        for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 12); ++i)
            qInfo("%7.1f ms  %s (%d times)", order[i].first, qPrintable(order[i].second),
                  m_count[order[i].second.section(", then ", 0, 0)]);
    }
};

int main(int argc, char** argv) {
    EventTimes application(argc, argv);
    TestRandomActions test;
    QTEST_SET_MAIN_SOURCE_PATH
    return QTest::qExec(&test, argc, argv);
}
#include "tst_random_actions.moc"
