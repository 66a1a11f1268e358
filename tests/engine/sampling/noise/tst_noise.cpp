// Noise sources: the orders of other programs, independence of images, variations, noise that moves with the image,
// first states.
#include <QtTest>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/noise/torch_random.h"
#include "engine/sampling/noise/variation.h"

using namespace meander;
using meander::noise::TorchCpuRandom;
using meander::noise::TorchCudaRandom;

namespace {

constexpr std::int64_t height = 6, width = 5, channels = 3, item = height * width * channels;

Backend& cpu() {
    static const auto backend = kernels::createCpuBackend();
    return *backend;
}
NoiseContext context(std::int64_t images = 3, std::uint64_t seed = 7) {
    NoiseContext c{cpu(), Shape{images, height, width, channels}, DType::F32, true, seed};
    c.tauMax = 10;
    c.tauMin = 0.1;
    return c;
}
NoiseContext wide(std::int64_t h, std::int64_t w, std::int64_t c = 1, std::int64_t images = 1) {
    NoiseContext k = context(images);
    k.shape = Shape{images, h, w, c};
    return k;
}
std::vector<double> initial(const Choice& c, const NoiseContext& k) {
    return download(makeNoise(c, k)->initial()).toDoubles();
}

// (channels, height, width) as drawn → (height, width, channels)
std::vector<double> permuted(const std::vector<float>& drawn) {
    std::vector<double> out(drawn.size());
    for (std::size_t image = 0; image < drawn.size() / item; ++image)
        for (std::int64_t k = 0; k < channels; ++k)
            for (std::int64_t i = 0; i < height * width; ++i)
                out[image * item + std::size_t(i * channels + k)] =
                    drawn[image * item + std::size_t(k * height * width + i)];
    return out;
}
template <class Random> std::vector<float> drawn(Random random, std::size_t n) {
    std::vector<float> z(n);
    random.normals(std::span<float>(z));
    return z;
}
double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) aa += a[i] * a[i], bb += b[i] * b[i], ab += a[i] * b[i];
    return ab / std::sqrt(aa * bb);
}
double variance(const std::vector<double>& a) {
    return std::inner_product(a.begin(), a.end(), a.begin(), 0.0) / double(a.size());
}

}  // namespace

class TestNoise : public QObject {
    Q_OBJECT
private slots:
    void tableIsSound() {
        QVERIFY(noiseSources().size() >= 7);
        for (const auto& n : noiseSources()) {
            QCOMPARE(findNoise(n.id), &n);
            QVERIFY(!n.label.empty() && !n.summary.empty() && !n.source.empty());
            QVERIFY2(resolveParams(n.params, {}, n.label).ok(), n.id.c_str());
        }
        QCOMPARE(noiseSources().front().id, std::string("philox"));
    }
    void everySource_data() {
        QTest::addColumn<QString>("id");
        for (const auto& n : noiseSources())
            if (n.make) QTest::newRow(n.id.c_str()) << QString::fromStdString(n.id);
    }
    // Same questions, same answers; unit normals; images independent of how many are drawn.
    void everySource() {
        QFETCH(QString, id);
        const Choice c{id.toStdString(), {}};
        const NoiseRequest requests[] = {{0, 0, 10, 4}, {1, 0, 4, 2},   {1, 1, 4, 2},
                                         {2, 0, 2, 2},  {3, 0, 2, 0.1}, {4, 0, 0.1, 0.05}};
        auto a = makeNoise(c, context()), b = makeNoise(c, context()), one = makeNoise(c, context(1));
        QVERIFY(download(a->initial()).sameBits(download(b->initial())));
        one->initial();
        std::vector<std::vector<double>> seen;
        for (const auto& q : requests) {
            const auto x = download(a->step(q));
            QVERIFY(x.sameBits(download(b->step(q))));
            QVERIFY(x.rows(0, 1).sameBits(download(one->step(q))));
            seen.push_back(x.toDoubles());
            QVERIFY(variance(seen.back()) > 0.7 && variance(seen.back()) < 1.35);
        }
        for (std::size_t i = 0; i < seen.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                QVERIFY2(std::abs(correlation(seen[i], seen[j])) < 0.25,
                         qPrintable(QString("draws %1 and %2").arg(i).arg(j)));
    }
    // The default's numbers are addressed as they always were.
    void philoxIsAddressed() {
        auto source = makeNoise({"philox", {}}, context());
        Tensor z(cpu(), context().shape, DType::F32);
        std::vector<kernels::NoiseAddress> addresses;
        for (std::uint32_t i = 0; i < 3; ++i) addresses.push_back({7, i, 0, 0});
        cpu().normal(addresses, z);
        QVERIFY(download(source->initial()).sameBits(download(z)));
        for (auto& a : addresses) a.draw = 2 * 4096 + 1 + 5;
        cpu().normal(addresses, z);
        QVERIFY(download(source->step({2, 5, 3, 1})).sameBits(download(z)));
    }
    void ordersOfOtherPrograms() {
        const auto perImage = [](auto make) {
            std::vector<float> all;
            for (std::uint64_t i = 0; i < 3; ++i) {
                const auto z = drawn(make(7 + i), item);
                all.insert(all.end(), z.begin(), z.end());
            }
            return permuted(all);
        };
        QCOMPARE(initial({"torch_cpu", {}}, context()), perImage([](std::uint64_t s) { return TorchCpuRandom(s); }));
        QCOMPARE(initial({"torch_cpu", {{"per", std::string("batch")}}}, context()),
                 permuted(drawn(TorchCpuRandom(7), 3 * item)));
        // one generator, image after image: its spare number and its blocks start anew with each
        TorchCpuRandom one(7);
        std::vector<float> all;
        for (int i = 0; i < 3; ++i) {
            std::vector<float> z(item);
            one.normals(std::span<float>(z));
            all.insert(all.end(), z.begin(), z.end());
        }
        QCOMPARE(initial({"torch_cpu", {{"per", std::string("sequence")}}}, context()), permuted(all));
        QVERIFY(permuted(all) != permuted(drawn(TorchCpuRandom(7), 3 * item)));  // 90 numbers are no whole blocks of 16
        QCOMPARE(initial({"nv_philox", {}}, context()), perImage([](std::uint64_t s) { return TorchCudaRandom(s); }));
        QCOMPARE(initial({"torch_cuda", {}}, context()), perImage([](std::uint64_t s) { return TorchCudaRandom(s); }));
        const Params small{{"gpu", std::string("custom")},
                           {"multiprocessors", std::int64_t(1)},
                           {"threads_per_multiprocessor", std::int64_t(256)},
                           {"per", std::string("batch")}};
        QCOMPARE(initial({"torch_cuda", small}, context()), permuted(drawn(TorchCudaRandom(7, 256), 3 * item)));
        // particles keep the order drawn
        NoiseContext points = context(3);
        points.isImage = false;
        points.shape = Shape{3, 2};
        TorchCpuRandom r(8);
        std::vector<float> second(2);
        r.normals(std::span<float>(second));
        const auto z = initial({"torch_cpu", {}}, points);
        QCOMPARE(z[2], double(second[0]));
        QCOMPARE(z[3], double(second[1]));
    }
    void noiseOfSteps() {
        const NoiseRequest q{0, 0, 10, 5};
        const auto second = [&](const Params& p, bool batch) {
            auto s = makeNoise({"torch_cpu", p}, context(batch ? 2 : 1));
            s->initial();
            s->step(q);
            return download(s->step({1, 0, 5, 2})).toDoubles();
        };
        TorchCpuRandom continued(7);
        std::vector<float> z(item);
        for (int i = 0; i < 3; ++i) continued.normals(std::span<float>(z));
        QCOMPARE(second({}, false), permuted(z));
        // A1111's eta noise seed delta: new generators with seed + delta
        TorchCpuRandom restarted(7 + 31337);
        for (int i = 0; i < 2; ++i) restarted.normals(std::span<float>(z));
        QCOMPARE(second({{"step_noise", std::string("restart")}, {"step_seed_delta", std::int64_t(31337)}}, false),
                 permuted(z));
        // ComfyUI on a GPU: the first noise from the CPU, the steps' from the GPU, one draw for the batch
        TorchCudaRandom gpu(7);
        std::vector<float> both(2 * item);
        for (int i = 0; i < 2; ++i) gpu.normals(std::span<float>(both));
        QCOMPARE(second({{"step_noise", std::string("gpu")}, {"per", std::string("batch")}}, true), permuted(both));
        // skipping draws is drawing
        auto skipped = makeNoise({"torch_cpu", {}}, context(1));
        skipped->initial();
        skipped->skip(1);
        QCOMPARE(download(skipped->step(q)).toDoubles(), second({}, false));
    }
    void brownianPath() {
        // k-diffusion's noise sampler: a tree per image with its seed, or one for the batch; times are single precision
        auto source = makeNoise({"brownian", {{"base", std::string("torch_cpu")}}}, context(2));
        QCOMPARE(download(source->initial()).toDoubles(), initial({"torch_cpu", {}}, context(2)));
        std::vector<float> expected;
        for (std::uint64_t i = 0; i < 2; ++i) {
            noise::BrownianNoise tree(0.1f, 10, item, 7 + i);
            const auto w = tree.between(4.2f, 1.3f);
            expected.insert(expected.end(), w.begin(), w.end());
        }
        QCOMPARE(download(source->step({0, 0, 4.2, 1.3})).toDoubles(), permuted(expected));
        auto whole = makeNoise({"brownian", {{"per", std::string("batch")}}}, context(2));
        noise::BrownianNoise tree(0.1f, 10, 2 * item, 7);
        QCOMPARE(download(whole->step({0, 0, 4.2, 1.3})).toDoubles(), permuted(tree.between(4.2f, 1.3f)));
        // a fine schedule sees the coarse one's path: increments over parts add up
        auto fine = makeNoise({"brownian", {}}, context(2)), coarse = makeNoise({"brownian", {}}, context(2));
        const auto a = download(fine->step({0, 0, 8, 5})).toDoubles(),
                   b = download(fine->step({1, 0, 5, 1})).toDoubles(),
                   c = download(coarse->step({0, 0, 8, 1})).toDoubles();
        for (std::size_t i = 0; i < c.size(); ++i)
            QVERIFY(std::abs(a[i] * std::sqrt(3) + b[i] * 2 - c[i] * std::sqrt(7)) < 1e-5);
        // a rising run (inversion) goes along the same path, the other way
        NoiseContext up = context(2);
        up.rising = true;
        const auto climbed = download(makeNoise({"brownian", {}}, up)->step({0, 0, 1, 8})).toDoubles();
        for (std::size_t i = 0; i < c.size(); ++i) QCOMPARE(climbed[i], -c[i]);
    }
    void variations() {
        const Choice plain{"torch_cpu", {}}, none{"torch_cpu", {{"variation_seed", std::int64_t(99)}}};
        QCOMPARE(initial(plain, context()), initial(none, context()));
        const auto varied = [&](double strength, const char* rule) {
            return initial({"torch_cpu",
                            {{"variation_strength", strength},
                             {"variation_seed", std::int64_t(99)},
                             {"variation_rule", std::string(rule)}}},
                           context());
        };
        // strength 1 is the other seed's noise; every image varies the first one's
        const auto other = initial(plain, context(3, 99));
        const auto base = initial(plain, context(1));
        const auto end = varied(1, "sphere"), start = varied(1e-9, "sphere"), half = varied(0.5, "sphere");
        for (std::size_t i = 0; i < end.size(); ++i) {
            QVERIFY(std::abs(end[i] - other[i]) < 1e-6);
            QVERIFY(std::abs(start[i] - base[i % item]) < 1e-6);
        }
        // half-way on the sphere: equal angles to both, for each image
        for (std::size_t image = 0; image < 3; ++image) {
            const auto part = [&](const std::vector<double>& v, std::size_t k) {
                return std::vector<double>(v.begin() + long(k * item), v.begin() + long((k + 1) * item));
            };
            const auto h = part(half, image), high = part(other, image);
            std::vector<double> sum(item);
            const double angle = std::acos(correlation(base, high)), w = std::sin(angle / 2) / std::sin(angle);
            for (std::size_t i = 0; i < item; ++i) QVERIFY(std::abs(h[i] - w * (base[i] + high[i])) < 1e-6);
        }
    }
    // A1111: the slerp of each column of each channel; and the exchanged weights where the noises are almost parallel.
    void variationDialect() {
        const NoiseContext c = wide(4, 2, 1);
        std::vector<double> low = {1, 0, 0, 1, 0, 0, 0, 0},
                            high = {0, 1, 2, 0,
                                    0, 0, 0, 0};  // (4, 2, 1): columns (1,0,0,0), (0,1,0,0) and (0,2,0,0), (1,0,0,0)
        noise::slerp(0.25, low, high, c, noise::VariationRule::A1111);
        const double a = std::sin(0.75 * M_PI / 2), b = std::sin(0.25 * M_PI / 2);
        const std::vector<double> expected = {a, b, 2 * b, a, 0, 0, 0, 0};
        for (std::size_t i = 0; i < 8; ++i) QVERIFY(std::abs(low[i] - expected[i]) < 1e-12);
        std::vector<double> same = {1, 2, 3, 4, 5, 6, 7, 8}, near = {1, 2, 3, 4, 5, 6, 7, 8.001};
        auto exchanged = same, right = same;
        noise::slerp(0.25, exchanged, near, c, noise::VariationRule::A1111);
        noise::slerp(0.25, right, near, c, noise::VariationRule::Sphere);
        QVERIFY(std::abs(exchanged[7] - (0.25 * 8 + 0.75 * 8.001)) < 1e-12);
        QVERIFY(std::abs(right[7] - (0.75 * 8 + 0.25 * 8.001)) < 1e-12);
    }
    void noiseOfAnotherSize_data() {
        QTest::addColumn<int>("h");
        QTest::addColumn<int>("w");
        QTest::newRow("smaller") << 4 << 2;
        QTest::newRow("smaller, odd difference") << 3 << 4;
        QTest::newRow("larger") << 8 << 9;
        QTest::newRow("larger, odd difference") << 9 << 8;
    }
    void noiseOfAnotherSize() {
        QFETCH(int, h);
        QFETCH(int, w);
        const auto full = initial({"nv_philox", {}}, context(2)),
                   got = initial({"nv_philox", {{"resize_height", std::int64_t(h)}, {"resize_width", std::int64_t(w)}}},
                                 context(2));
        NoiseContext c = context(2);
        c.shape = Shape{2, h, w, channels};
        const auto small = initial({"nv_philox", {}}, c);
        // floor of half the difference, as integer division of the other program does
        const int dx = int(std::floor((width - w) / 2.0)), dy = int(std::floor((height - h) / 2.0));
        const int wide = dx >= 0 ? w : w + 2 * dx, high = dy >= 0 ? h : h + 2 * dy;
        for (int image = 0; image < 2; ++image)
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x)
                    for (int k = 0; k < channels; ++k) {
                        const int ty = y - std::max(dy, 0), tx = x - std::max(dx, 0);
                        const bool inside = ty >= 0 && ty < high && tx >= 0 && tx < wide;
                        const double expected =
                            inside ? small[std::size_t(
                                ((image * h + ty + std::max(-dy, 0)) * w + tx + std::max(-dx, 0)) * channels + k)]
                                   : full[std::size_t(((image * height + y) * width + x) * channels + k)];
                        QCOMPARE(got[std::size_t(((image * height + y) * width + x) * channels + k)], expected);
                    }
    }
    void channelOffset() {
        const auto plain = initial({"philox", {}}, context()),
                   shifted = initial({"philox", {{"offset", 0.1}}}, context());
        std::set<double> offsets;
        for (std::size_t image = 0; image < 3; ++image)
            for (std::size_t k = 0; k < channels; ++k) {
                const double first = shifted[image * item + k] - plain[image * item + k];
                offsets.insert(std::round(first * 1e5));
                for (std::size_t i = k; i < item; i += channels)
                    QVERIFY(std::abs(shifted[image * item + i] - plain[image * item + i] - first) < 1e-6);
                QVERIFY(std::abs(first) < 0.5);
            }
        QCOMPARE(offsets.size(), std::size_t(9));
    }
    void wholeShiftsAndQuarterTurnsAreExact() {
        const auto k = wide(9, 9, 2);
        const auto at = [](const std::vector<double>& v, int y, int x, int c) {
            return v[std::size_t((y * 9 + x) * 2 + c)];
        };
        const auto still = initial({"moving", {}}, k),
                   shifted = initial({"moving", {{"shift_x", 3.0}, {"shift_y", -2.0}}}, k),
                   turned = initial({"moving", {{"rotation", 90.0}}}, k);
        for (int y = 0; y < 9; ++y)
            for (int x = 0; x < 9; ++x)
                for (int c = 0; c < 2; ++c) {
                    if (y >= 2 && x + 3 < 9) QCOMPARE(at(shifted, y - 2, x + 3, c), at(still, y, x, c));
                    QCOMPARE(at(turned, 8 - x, y, c),
                             at(still, y, x, c));  // counter-clockwise: what was right is on top
                }
    }
    void movedNoiseIsWhite_data() {
        QTest::addColumn<double>("x");
        QTest::addColumn<double>("y");
        QTest::addColumn<double>("rotation");
        QTest::newRow("half") << 0.5 << 0.0 << 0.0;
        QTest::newRow("part") << 0.3 << 0.7 << 0.0;
        QTest::newRow("turned") << 0.0 << 0.0 << 30.0;
        QTest::newRow("all") << 11.37 << -3.21 << 77.0;
    }
    // Unit variance and no correlation between neighbours, whatever the motion; and the old image's noise as far as a
    // pixel covers it.
    void movedNoiseIsWhite() {
        QFETCH(double, x);
        QFETCH(double, y);
        QFETCH(double, rotation);
        const int n = 128;
        const auto k = wide(n, n);
        const auto still = initial({"moving", {}}, k),
                   moved = initial(
                       {"moving",
                        {{"shift_x", x}, {"shift_y", y}, {"rotation", rotation}, {"subdivision", std::int64_t(10)}}},
                       k);
        const double error = 4 / std::sqrt(n * n);
        QVERIFY2(std::abs(variance(moved) - 1) < error * std::sqrt(2), qPrintable(QString::number(variance(moved))));
        std::vector<double> a, right, below;
        for (int r = 0; r + 1 < n; ++r)
            for (int c = 0; c + 1 < n; ++c) {
                a.push_back(moved[std::size_t(r * n + c)]);
                right.push_back(moved[std::size_t(r * n + c + 1)]);
                below.push_back(moved[std::size_t((r + 1) * n + c)]);
            }
        QVERIFY(std::abs(correlation(a, right)) < error);
        QVERIFY(std::abs(correlation(a, below)) < error);
        if (rotation != 0) return;
        // the pixel covers (1 − x)(1 − y) of the one it comes from (x, y in [0, 1) here)
        std::vector<double> before, after;
        for (int r = 0; r + 1 < n; ++r)
            for (int c = 0; c + 1 < n; ++c) {
                before.push_back(still[std::size_t(r * n + c)]);
                after.push_back(moved[std::size_t(r * n + c)]);
            }
        QVERIFY2(std::abs(correlation(before, after) - (1 - x) * (1 - y)) < error,
                 qPrintable(QString::number(correlation(before, after))));
    }
    void firstStates() {
        const auto vp = Process::vpScaledLinear(1000, 0.00085, 0.012);
        const auto flow = Process::rectifiedFlow();
        const double top = vp.maximum();
        const auto spread = [&](const char* rule, const Process& p, double tau) {
            return firstState({"philox", {{"initial_scale", std::string(rule)}}}, p, tau, 0.5, 4).noiseStd;
        };
        QCOMPARE(firstState({"philox", {}}, vp, top, 0.5, 4).noiseStd, top);
        QCOMPARE(spread("level", vp, 3), 3.0);
        QCOMPARE(spread("unit_variance", vp, 3), std::sqrt(10.0));  // diffusers, leading: √(σ² + 1)
        QCOMPARE(spread("comfyui", vp, top), std::sqrt(1 + top * top));
        QCOMPARE(spread("comfyui", vp, 3), 3.0);
        QCOMPARE(spread("comfyui", flow, 1), 1.0);
        QCOMPARE(spread("unit_variance", flow, 0.5), std::sqrt(0.5));
        QCOMPARE(spread("analytic", vp, 3), std::sqrt(9.25));
        const auto f = firstState({"philox",
                                   {{"initial_scale", std::string("analytic")},
                                    {"data_mean", std::vector<double>{0.5, -1, 2}},
                                    {"data_variance", 0.0}}},
                                  flow, 0.75, 0.5, 3);
        QCOMPARE(f.noiseStd, 0.75);
        QCOMPARE(f.mean, (std::vector<double>{0.125, -0.25, 0.5}));
        const Tensor unit = makeNoise({"philox", {}}, context(1))->initial();
        const auto y = download(makeFirstState(f, unit)).toDoubles(), z = download(unit).toDoubles();
        for (std::size_t i = 0; i < y.size(); ++i) QVERIFY(std::abs(y[i] - (f.mean[i % 3] + 0.75 * z[i])) < 1e-6);
        QVERIFY_EXCEPTION_THROWN(
            firstState(
                {"philox", {{"initial_scale", std::string("analytic")}, {"data_mean", std::vector<double>{1, 2}}}}, vp,
                3, 0.5, 3),
            Failure);
    }
    void equalChoices() {
        const Choice plain{"philox", {}}, written{"philox", {{"variation_strength", 0.0}}},
            varied{"philox", {{"variation_strength", 0.1}}}, own{"philox", {{"seed", std::int64_t(5)}}};
        QVERIFY(sameNoise(plain, 5, written, 5));
        QVERIFY(sameNoise(own, 9, plain, 5));
        QVERIFY(!sameNoise(plain, 5, plain, 6));
        QVERIFY(!sameNoise(plain, 5, varied, 5));
        QVERIFY(!sameNoise(plain, 5, {"torch_cpu", {}}, 5));
        const Choice kept = recordedNoise(varied, 17);
        QVERIFY(sameNoise(kept, 1, varied, 17));
    }
    void refusals() {
        QVERIFY_EXCEPTION_THROWN(makeNoise({"no such", {}}, context()), Failure);
        QVERIFY_EXCEPTION_THROWN(makeNoise({"recorded", {}}, context()), Failure);
        QVERIFY_EXCEPTION_THROWN(makeNoise({"philox", {{"per", std::string("batch")}}}, context()), Failure);
        NoiseContext points = context();
        points.isImage = false;
        points.shape = Shape{3, 2};
        QVERIFY_EXCEPTION_THROWN(makeNoise({"philox", {{"resize_height", std::int64_t(3)}}}, points)->initial(),
                                 Failure);
        QCOMPARE(initial({"moving", {{"shift_x", 1.0}}}, points), initial({"philox", {}}, points));
    }
    void advice() {
        NoiseSituation s;
        s.stateShape = Shape{64, 64, 4};
        s.isImage = true;
        s.samplerLabel = "Euler";
        const auto says = [&](const Choice& c, const char* what) {
            const auto notes = noiseAdvice(c, s);
            return std::any_of(notes.begin(), notes.end(),
                               [&](const std::string& n) { return n.find(what) != std::string::npos; });
        };
        QVERIFY(noiseAdvice({"philox", {}}, s).empty());
        QVERIFY(!says({"brownian", {}}, "no effect"));
        QVERIFY(says({"torch_cuda", {}}, "the same on every GPU"));
        s.stateShape = Shape{256, 256, 4};
        QVERIFY(
            !says({"torch_cuda", {}}, "the same on every GPU"));  // 262144 numbers, more than the T4's 40960 threads
        s.draws = false;
        QVERIFY(says({"brownian", {}}, "no effect"));
        QVERIFY(says({"torch_cpu", {{"step_noise", std::string("restart")}}}, "no effect"));
        s.isImage = false;
        QVERIFY(says({"moving", {}}, "Particles"));
        QVERIFY(drawsNoise(*findSampler("euler_ancestral"), {{"eta", 1.0}}));
        QVERIFY(!drawsNoise(*findSampler("euler_ancestral"), {{"eta", 0.0}}));
        QVERIFY(drawsNoise(*findSampler("ddim"), {{"eta", 0.5}}));
        QVERIFY(!drawsNoise(*findSampler("euler"), {}));
    }
};

QTEST_GUILESS_MAIN(TestNoise)
#include "tst_noise.moc"
