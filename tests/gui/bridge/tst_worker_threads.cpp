// Work in the background never holds up painting.
#include <QImage>
#include <QSemaphore>
#include <QtTest>
#include <atomic>

#include "gui/bridge/latest.h"

using namespace meander::gui;

class TestWorkerThreads : public QObject {
    Q_OBJECT
private slots:
    // Qt scales and converts large images in parts on its global pool, and waits. While the window's own threads are
    // all busy, that goes on.
    void qtPaintsWhileAllWorkersAreBusy() {
        const int jobs = 2 * std::max(1, QThread::idealThreadCount());
        QSemaphore painted;
        std::atomic<int> inTime = 0;
        {
            std::vector<std::unique_ptr<Latest<int>>> latest;
            QObject owner;
            for (int i = 0; i < jobs; ++i) {
                latest.push_back(std::make_unique<Latest<int>>(&owner, [](const int&) {}));
                latest.back()->request([&] {
                    inTime += painted.tryAcquire(1, 5000);
                    return 0;
                });
            }
            QTRY_VERIFY(workerThreads()->activeThreadCount() > 0);
            QImage image(3000, 2000, QImage::Format_ARGB32);
            image.fill(Qt::red);
            const QImage small = image.convertToFormat(QImage::Format_RGBA64)
                                     .scaled(1500, 1000, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
            QCOMPARE(small.pixelColor(700, 500), QColor(Qt::red));
            painted.release(jobs);
            workerThreads()->waitForDone();
        }
        QCOMPARE(inTime.load(), jobs);
    }
};

QTEST_MAIN(TestWorkerThreads)
#include "tst_worker_threads.moc"
