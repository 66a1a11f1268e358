#include "gui/app/measure.h"

#include <QElapsedTimer>
#include <QMetaEnum>
#include <QPointer>
#include <QThread>
#include <QTimer>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "gui/app/main_window.h"

#if defined(Q_OS_UNIX)
#    include <time.h>
#    include <unistd.h>
#elif defined(Q_OS_WIN)
#    include <windows.h>
#endif

namespace meander::gui {
namespace {

const auto g_loaded = std::chrono::steady_clock::now();

class PaintWatch : public QObject {
public:
    PaintWatch(QWidget* window, std::function<void()> then) : QObject(window), m_then(std::move(then)) {
        window->installEventFilter(this);
        QTimer::singleShot(1000, this, [this] { finish(); });
    }
    bool eventFilter(QObject* watched, QEvent* event) override {
        // The frame is handed over when the handling of this paint returns to the event loop.
        if (event->type() == QEvent::Paint && !m_isPainted) {
            m_isPainted = true;
            QTimer::singleShot(0, this, [this] { finish(); });
        }
        return QObject::eventFilter(watched, event);
    }

private:
    void finish() {
        if (auto then = std::exchange(m_then, nullptr)) {
            then();
            deleteLater();
        }
    }
    std::function<void()> m_then;
    bool m_isPainted = false;
};

// "QWidget in meander::gui::TimelinePanel": plain widgets are told by who owns them.
QString nameOf(const QObject* o) {
    QString name = QString::fromLatin1(o->metaObject()->className());
    const QObject* owner = o;
    while (owner->parent() && !QByteArray(owner->metaObject()->className()).startsWith("meander::")
           && owner->objectName().isEmpty())
        owner = owner->parent();
    if (!owner->objectName().isEmpty()) name += QStringLiteral(" '%1'").arg(owner->objectName());
    if (owner != o) name += QStringLiteral(" in ") + QLatin1String(owner->metaObject()->className());
    return name;
}

QString milliseconds(double ms) { return QStringLiteral("%1 ms").arg(ms, 0, 'f', 1); }

// "31.0 ms (own work 9.1 ms, waiting for a processor 20.2 ms)"
QString text(const Watchdog::Block& b) {
    QStringList parts;
    if (b.ownMs) parts << QStringLiteral("own work %1").arg(milliseconds(*b.ownMs));
    if (b.schedulingDelayMs)
        parts << QStringLiteral("waiting for a processor %1").arg(milliseconds(*b.schedulingDelayMs));
    return milliseconds(b.ms)
           + (parts.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(parts.join(QStringLiteral(", "))));
}

double processorMs() {
#if defined(Q_OS_UNIX)
    timespec t{};
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0) return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
#endif
    return -1;
}

void print(const QString& line) {
    std::fprintf(stdout, "%s\n", qPrintable(line));
    std::fflush(stdout);
}

}  // namespace

double millisecondsSinceStart() {
#if defined(Q_OS_LINUX)
    // Field 22 of /proc/self/stat: start of the process after the boot, in clock ticks. The name before it may hold
    // spaces and brackets.
    if (std::FILE* file = std::fopen("/proc/self/stat", "r")) {
        char buffer[1024] = {};
        const std::size_t n = std::fread(buffer, 1, sizeof buffer - 1, file);
        std::fclose(file);
        const QList<QByteArray> fields =
            QByteArray(buffer, qsizetype(n)).mid(QByteArray(buffer, qsizetype(n)).lastIndexOf(')') + 2).split(' ');
        timespec now{};
        if (fields.size() > 19 && clock_gettime(CLOCK_BOOTTIME, &now) == 0)
            return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6
                   - fields[19].toDouble() * 1e3 / double(sysconf(_SC_CLK_TCK));
    }
#elif defined(Q_OS_WIN)
    FILETIME created, ended, kernel, user, now;
    if (GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user)) {
        GetSystemTimePreciseAsFileTime(&now);
        const auto ticks = [](const FILETIME& f) { return (std::uint64_t(f.dwHighDateTime) << 32) | f.dwLowDateTime; };
        return double(ticks(now) - ticks(created)) / 1e4;
    }
#endif
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - g_loaded).count();
}

void afterFirstPaint(QWidget* window, std::function<void()> then) { new PaintWatch(window, std::move(then)); }

bool MeasuringApplication::notify(QObject* receiver, QEvent* event) {
    if (QThread::currentThread() != thread()) return QApplication::notify(receiver, event);
    const char* const className = receiver->metaObject()->className();
    const QPointer<QObject> after(receiver);  // it may not live through the delivery
    const QEvent::Type type = event->type();
    const int level = QThread::currentThread()->loopLevel(), loopsBefore = m_loops;
    if (level > m_loopLevel) ++m_loops;
    const int outer = std::exchange(m_loopLevel, level);
    const auto start = std::chrono::steady_clock::now();
    const bool result = QApplication::notify(receiver, event);
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    m_loopLevel = outer;
    const bool hadLoop = m_loops != loopsBefore + (level > outer ? 1 : 0);
    if (hadLoop || ms < 3) return result;
    const QString what =
        QStringLiteral("%1 %2").arg(after ? nameOf(after) : QString::fromLatin1(className),
                                    QString::fromLatin1(QMetaEnum::fromType<QEvent::Type>().valueToKey(type)));
    const auto known = std::find_if(m_slowest.begin(), m_slowest.end(), [&](const Slow& s) { return s.what == what; });
    if (known == m_slowest.end()) m_slowest.push_back({what, ms});
    else known->ms = std::max(known->ms, ms);
    return result;
}

QStringList MeasuringApplication::slowest() const {
    auto sorted = m_slowest;
    std::sort(sorted.begin(), sorted.end(), [](const Slow& a, const Slow& b) { return a.ms > b.ms; });
    QStringList lines;
    for (std::size_t i = 0; i < std::min<std::size_t>(5, sorted.size()); ++i)
        lines << QStringLiteral("%1 %2 ms").arg(sorted[i].what).arg(sorted[i].ms, 0, 'f', 1);
    return lines;
}

// What is paused rests, and what waits in a paused queue.
static bool isWorking(const Document& d) {
    const QStringList queue = d.queue();
    return std::any_of(queue.begin(), queue.end(), [&](const QString& id) {
        const auto run = d.run(id);
        return run && run->status != RunStatus::Paused && !(run->status == RunStatus::Queued && d.isQueuePaused());
    });
}

void whenSettled(MainWindow& window, std::function<void()> then) {
    auto* timer = new QTimer(&window);
    QObject::connect(
        timer, &QTimer::timeout, &window, [&window, timer, then, since = QElapsedTimer(), calm = 0]() mutable {
            if (!since.isValid()) since.start();
            auto& d = window.document();
            const QString shown = window.selection().currentRun();
            const auto run = d.run(shown);
            const bool isReady = !d.isPlanning() && !isWorking(d) && (!run || run->trajectory || d.live(shown));
            calm = isReady ? calm + 1 : 0;
            if (calm < 12 && since.elapsed() < 30'000) return;
            timer->deleteLater();
            timer->stop();
            then();
        });
    timer->start(50);
}

void measureAndQuit(MainWindow& window, MeasuringApplication& application, double firstPaintMs) {
    const double own = processorMs();
    print(QStringLiteral("first paint: %1 ms after the start of the process").arg(firstPaintMs, 0, 'f', 0)
          + (own >= 0 ? QStringLiteral(" (processor time so far %1 ms)").arg(own, 0, 'f', 0) : QString()));
    whenSettled(window, [&window, &application] {
        print(QStringLiteral("opening the project: longest block %1; without waiting for a processor %2")
                  .arg(text(window.watchdog().longest()), milliseconds(window.watchdog().longestCaused().causedMs())));
        for (const QString& s : application.slowest()) print(QStringLiteral("  slowest: ") + s);
        application.reset();
        window.watchdog().reset();
        auto since = std::make_shared<QElapsedTimer>();
        since->start();
        // What follows the end (diagnostics, thumbnails, attention) belongs to it.
        QObject::connect(
            &window.document(), &Document::runFinished, &window, [&window, &application, since](const QString& id) {
                const double seconds = since->elapsed() / 1e3;
                whenSettled(window, [&window, &application, id, seconds] {
                    const RunPtr run = window.document().run(id);
                    const bool isFinished = run && run->status == RunStatus::Finished;
                    print(QStringLiteral("run: %1 evaluations in %2 s, %3")
                              .arg(run ? run->evaluations : 0)
                              .arg(seconds, 0, 'f', 2)
                              .arg(QLatin1String(run ? nameOf(run->status) : "lost")));
                    const Watchdog& dog = window.watchdog();
                    print(QStringLiteral("during the run: longest block %1; %2 of %3 longer than 50 ms")
                              .arg(text(dog.longest()))
                              .arg(dog.stalls())
                              .arg(dog.questions()));
                    print(QStringLiteral("during the run: longest block without waiting for a processor %1")
                              .arg(milliseconds(dog.longestCaused().causedMs())));
                    for (const QString& s : application.slowest()) print(QStringLiteral("  slowest: ") + s);
                    QApplication::exit(isFinished ? 0 : 1);
                });
            });
        QObject::connect(&window.document(), &Document::problem, &window,
                         [](const QString& sentence) { std::fprintf(stderr, "%s\n", qPrintable(sentence)); });
        window.commands().trigger("run.start");
    });
    QTimer::singleShot(300'000, &window, [] {
        std::fputs("The run did not end within five minutes.\n", stderr);
        QApplication::exit(1);
    });
}

}  // namespace meander::gui
