// The CUDA module without a GPU: it loads, makes a backend or says in a sentence why not, and needs no library that a
// machine without CUDA lacks. (What its operations compute is checked by tst_operations and `meander-run verify` where
// there is a GPU.)
#include <QFileInfo>
#include <QProcess>
#include <QStandardPaths>
#include <QTest>

#include "kernels/api/backend.h"

namespace kernels = meander::kernels;

class CudaModule : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        if (!QFileInfo::exists(module)) QSKIP("the CUDA module was not built");
    }

    void givesBackendOrSentence() {
        const kernels::CudaProbe probe = kernels::createCudaBackend(0, folder.toStdString());
        if (probe.backend) {
            QCOMPARE(QString::fromStdString(probe.backend->id()), QString("cuda:0"));
            QVERIFY(!probe.backend->description().empty());
            return;
        }
        const QString why = QString::fromStdString(probe.why);
        QVERIFY2(why.size() > 20 && (why.endsWith('.') || why.endsWith('?')), qPrintable(why));
    }

    void refusesDeviceThatIsNotThere() {
        const kernels::CudaProbe probe = kernels::createCudaBackend(4711, folder.toStdString());
        QVERIFY(!probe.backend);
        QVERIFY(!probe.why.empty());
    }

    // Asking again after a failure works the same: nothing is half open.
    void answersTheSameTwice() {
        const kernels::CudaProbe first = kernels::createCudaBackend(0, folder.toStdString()),
                                 second = kernels::createCudaBackend(0, folder.toStdString());
        QCOMPARE(bool(first.backend), bool(second.backend));
        QCOMPARE(first.why, second.why);
    }

    void linksNoCudaLibrary() {
#ifdef Q_OS_LINUX
        if (QStandardPaths::findExecutable("readelf").isEmpty()) QSKIP("readelf is not installed");
        QProcess readelf;
        readelf.start("readelf", {"--dynamic", "--wide", module});
        QVERIFY(readelf.waitForFinished());
        const QString text = QString::fromLocal8Bit(readelf.readAllStandardOutput());
        QVERIFY(text.contains("(NEEDED)"));
        for (const QString& line : text.split('\n')) {
            if (!line.contains("(NEEDED)")) continue;
            for (const char* name : {"libcublas", "libcudnn", "libcudart", "libcuda.", "libnvrtc"})
                QVERIFY2(!line.contains(name), qPrintable(line));
        }
#else
        QSKIP("read with readelf on Linux only");
#endif
    }

private:
    const QString folder = QStringLiteral(MEANDER_BINARY_DIR "/bin"), module = folder + "/libmeander-cuda.so";
};

QTEST_GUILESS_MAIN(CudaModule)
#include "tst_cuda_module.moc"
