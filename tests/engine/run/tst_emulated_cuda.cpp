// The CUDA module, compiled for the CPU (tests/kernels/cuda): what a forward pass asks of a GPU is counted, and runs
// give the images of the CPU. Its operations are checked by the tests emulated_cuda.verify_*.
#include <dlfcn.h>

#include <QFileInfo>
#include <QtTest>

#include "engine/models/architectures/dit.h"
#include "engine/models/architectures/unet.h"
#include "engine/models/architectures/unet_config.h"
#include "engine/run/engine.h"
#include "tests/kernels/cuda/counts.h"

using namespace meander;

namespace {

const QByteArray folder = MEANDER_BINARY_DIR "/emulated-cuda";

template <class F> F* symbol(const char* library, const char* name) {
    void* handle = dlopen(qPrintable(folder + '/' + library), RTLD_NOW | RTLD_LOCAL);
    return handle ? reinterpret_cast<F*>(dlsym(handle, name)) : nullptr;
}
struct Calls {
    emulator::Counts device = symbol<emulator::Counts()>("libmeander-cuda.so", "meanderEmulatorCounts")();
    long products = symbol<long()>("libcublasLt.so.13", "meanderEmulatedProducts")(),
         convolutions = symbol<long()>("libcudnn.so.9", "meanderEmulatedConvolutions")();
};

Tensor filled(Backend& backend, Shape shape) {
    Tensor t(backend, shape);
    backend.fill(t, 0.1);
    return t;
}

// The layers of Stable Diffusion 1.5, a tenth as wide.
std::function<void()> narrowUNet(Backend& backend, DType type, std::int64_t rows) {
    UNetConfig c = sd15UNetConfig();
    for (auto* blocks : {&c.down, &c.up})
        for (auto& b : *blocks) b.channels /= 10, b.heads = 2;
    c.midHeads = 2;
    c.sampleHeight = c.sampleWidth = 8;
    c.crossAttentionWidth = 16;
    const std::shared_ptr<UNet> net = makeRandomUNet(c, backend, type);
    const Tensor one = net->prepare({{{condition::context, filled(backend, {1, 7, 16})}}}).at(condition::context);
    const Tensor text = stackRows(std::vector<Tensor>(std::size_t(rows), one));
    const Tensor x = filled(backend, {rows, 8, 8, 4});
    return [=, times = std::vector<double>(std::size_t(rows), 500.0)] {
        net->forward({x, times, {{{condition::context, text}}}, nn::Hooks()});
    };
}
std::function<void()> narrowDiT(Backend& backend, DType type, std::int64_t rows) {
    DiTConfig c = ditXl2Config();
    c.width = 32, c.heads = 2, c.gridHeight = c.gridWidth = 4;
    const std::shared_ptr<DiT> net = makeRandomDiT(c, backend, type);
    const Tensor x = filled(backend, {rows, 8, 8, 4});
    return [=, times = std::vector<double>(std::size_t(rows), 500.0),
            classes = std::vector<int>(std::size_t(rows), 1)] { net->forward(x, times, classes); };
}

std::shared_ptr<const Run> runOn(const std::string& device, Recipe r) {
    std::mutex mutex;
    std::shared_ptr<const Run> result;
    r.device = device;
    Engine engine({device}, [&](const RunEvent& e) {
        const std::lock_guard lock(mutex);
        if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) result = e.run;
    });
    const auto p = plan(r);
    if (!p) qFatal("%s", p.error().text.c_str());
    engine.submit(*p);
    engine.waitIdle();
    return result;
}

}  // namespace

class TestEmulatedCuda : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        if (!QFileInfo::exists(folder + "/libmeander-cuda.so")) QSKIP("the emulated CUDA module was not built");
        qputenv("MEANDER_CUDA_MODULE", folder);
        qputenv("MEANDER_CUDA_LIBRARIES", folder);
        auto probe = kernels::createCudaBackend(0);
        QVERIFY2(probe.backend, probe.why.c_str());
        QVERIFY(probe.backend->description().find("Emulated GPU") != std::string::npos);
    }

    // From the second forward pass on: nothing is allocated, nothing waited for, few kernels.
    void forward_data() {
        QTest::addColumn<bool>("isUNet");
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("mostLaunches");
        for (const DType type : {DType::F32, DType::BF16}) {
            QTest::addRow("U-Net, %s", kernels::nameOf(type)) << true << int(type) << 350;
            QTest::addRow("DiT, %s", kernels::nameOf(type)) << false << int(type) << 350;
        }
    }
    void forward() {
        QFETCH(bool, isUNet);
        QFETCH(int, type);
        QFETCH(int, mostLaunches);
        const auto backend = kernels::createCudaBackend(0).backend;
        const auto call = isUNet ? narrowUNet(*backend, DType(type), 2) : narrowDiT(*backend, DType(type), 2);
        call();
        const Calls before;
        call();
        const Calls after;
        const long launches = after.device.launches - before.device.launches,
                   products = after.products - before.products, convolutions = after.convolutions - before.convolutions;
        qInfo("%ld launches, %ld products, %ld convolutions, %ld allocations, %ld waits, %ld copies", launches,
              products, convolutions, after.device.allocations - before.device.allocations,
              after.device.waits - before.device.waits, after.device.copies - before.device.copies);
        QVERIFY(products > 0 && launches > 0);
        QVERIFY2(launches <= mostLaunches, qPrintable(QString::number(launches)));
        QCOMPARE(after.device.allocations - before.device.allocations, 0L);
        QCOMPARE(after.device.waits - before.device.waits, 0L);
    }

    // In F32 the images of both devices are the same within the rounding of sums.
    void images_data() {
        QTest::addColumn<QString>("model");
        QTest::newRow("U-Net") << "builtin:sprites-unet";
        QTest::newRow("DiT") << "builtin:sprites-dit";
    }
    void images() {
        QFETCH(QString, model);
        Recipe r;
        r.model = model.toStdString();
        r.prompt = "a red circle above a blue square on a green background";
        r.steps = 2;
        r.sampler = {"dpmpp_2m", {}};
        r.guidance = {{"cfg", {{"scale", 2.0}}}};
        r.precision = "f32";
        const auto cpu = runOn("cpu", r), gpu = runOn("cuda:0", r);
        QVERIFY(cpu && gpu);
        QVERIFY2(gpu->status == RunStatus::Finished, gpu->problem.c_str());
        const auto a = cpu->images.toFloats(), b = gpu->images.toFloats();
        QCOMPARE(a.size(), b.size());
        double worst = 0;
        for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, double(std::abs(a[i] - b[i])));
        qInfo("largest difference %.3g", worst);
        QVERIFY(worst < 2e-4);
    }
};

QTEST_GUILESS_MAIN(TestEmulatedCuda)
#include "tst_emulated_cuda.moc"
