// FreeU: its two operations against a Fourier transform written out, the U-Net with scaled backbone against one with
// scaled weights, and the rule in runs.
#include <QtTest>
#include <complex>
#include <numbers>

#include "engine/nn/pass.h"
#include "tests/engine/guidance/engine_run.h"
#include "tests/engine/interventions/network_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

Choice freeU(double b1, double b2, double s1, double s2, bool structure = false, bool byWidth = false) {
    return {"freeu",
            {{"b1", b1},
             {"b2", b2},
             {"s1", s1},
             {"s2", s2},
             {"version", std::string(structure ? "2" : "1")},
             {"where", std::string(byWidth ? "width" : "stage")}}};
}

// The published filter: transform, zero frequency moved to the centre ⌊n/2⌋, rows and columns centre − 1 and centre
// scaled, all of it back, real part.
std::vector<double> filtered(const std::vector<double>& x, int h, int w, double scale) {
    using Complex = std::complex<double>;
    std::vector<double> out(x.size());
    const auto wave = [&](int a, int b, int y, int z, double sign) {
        return std::polar(1.0, sign * 2 * std::numbers::pi * (double(a * y) / h + double(b * z) / w));
    };
    for (int row = 0; row < h; ++row)  // shifted place
        for (int column = 0; column < w; ++column) {
            const int a = (row - h / 2 + h) % h, b = (column - w / 2 + w) % w;
            Complex f = 0;
            for (int y = 0; y < h; ++y)
                for (int z = 0; z < w; ++z) f += x[std::size_t(y * w + z)] * wave(a, b, y, z, -1);
            const bool isLow = row >= h / 2 - 1 && row < h / 2 + 1 && column >= w / 2 - 1 && column < w / 2 + 1;
            for (int y = 0; y < h; ++y)
                for (int z = 0; z < w; ++z)
                    out[std::size_t(y * w + z)] += ((isLow ? scale : 1) * f * wave(a, b, y, z, 1)).real() / (h * w);
        }
    return out;
}

}  // namespace

class TestFreeU : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

private slots:
    void operations_data() {
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("width");
        QTest::addColumn<bool>("structure");
        QTest::addColumn<bool>("byWidth");
        for (const auto& [h, w] : {std::pair{8, 8}, {5, 8}, {7, 3}, {2, 6}})
            for (int k = 0; k < 4; ++k) QTest::addRow("%d x %d, %d", h, w, k) << h << w << bool(k & 1) << bool(k & 2);
    }
    void operations() {
        QFETCH(int, height);
        QFETCH(int, width);
        QFETCH(bool, structure);
        QFETCH(bool, byWidth);
        constexpr int c = 6;
        const double b = 1.4, s = 0.2;
        const auto n = std::size_t(2 * height * width * c);
        const HostTensor x = HostTensor::fromFloats({2, height, width, c}, random(n, 1)),
                         skip = HostTensor::fromFloats({2, height, width, c}, random(n, 2));
        const Tensor backbone = upload(*m_backend, x), low = upload(*m_backend, skip);
        const auto hook = makeHook(freeU(9, b, 9, s, structure, byWidth), {*inspectModel("builtin:sprites-unet"), {}});
        const auto join = [&](int stage, double relativeWidth) {
            nn::Hooks hooks;
            hooks.add(hook, 1, 1);
            const nn::Pass pass({height, width}, {Tensor(*m_backend, {2, 1})}, {}, hooks);
            return pass.join({nn::SiteKind::Skip, "resnets.0", stage, 1, 1, 0, relativeWidth}, backbone, low);
        };
        // Nothing happens at other places.
        join(byWidth ? 1 : 2, byWidth ? 1.0 : 2.0);
        QVERIFY(download(backbone).sameBits(x) && download(low).sameBits(skip));
        join(byWidth ? 0 : 1, byWidth ? 2.0 : 4.0);
        const HostTensor gotX = download(backbone), gotSkip = download(low);
        QVERIFY(gotX.rows(0, 1).sameBits(x.rows(0, 1)) && gotSkip.rows(0, 1).sameBits(skip.rows(0, 1)));
        const std::int64_t pixels = height * width, first = pixels * c;
        std::vector<double> means(std::size_t(pixels), 0.0);
        for (std::int64_t p = 0; p < pixels; ++p)
            for (int k = 0; k < c; ++k) means[std::size_t(p)] += x.at(first + p * c + k) / c;
        const auto [least, most] = std::minmax_element(means.begin(), means.end());
        for (int k = 0; k < c; ++k) {
            std::vector<double> plane;
            for (std::int64_t p = 0; p < pixels; ++p) plane.push_back(skip.at(first + p * c + k));
            const auto expected = filtered(plane, height, width, s);
            for (std::int64_t p = 0; p < pixels; ++p) {
                const double factor = k >= c / 2  ? 1
                                      : structure ? 1 + (b - 1) * (means[std::size_t(p)] - *least) / (*most - *least)
                                                  : b;
                QVERIFY(std::abs(gotX.at(first + p * c + k) - factor * x.at(first + p * c + k)) < 2e-6);
                QVERIFY(std::abs(gotSkip.at(first + p * c + k) - expected[std::size_t(p)]) < 2e-6);
            }
        }
    }

    // In the second up block the backbone is what an upsampler or a residual block without attention wrote: scaling it
    // is scaling their last weights.
    void backboneIsScaledWeights() {
        const double b = 1.7;
        const auto scaleLast = [&](const std::string& name, std::vector<float>& v) {
            if (name.starts_with("up_blocks.0.upsamplers.0.conv.") || name.starts_with("up_blocks.1.resnets.0.conv2.")
                || name.starts_with("up_blocks.1.resnets.0.conv_shortcut."))
                std::transform(v.begin(), v.begin() + std::ptrdiff_t(v.size() / 2), v.begin(),
                               [&](float x) { return float(b * x); });
        };
        const Network plain = loadNetwork(*m_backend, "sprites-unet"),
                      scaled = loadNetwork(*m_backend, "sprites-unet", scaleLast);
        const auto run = [&](const Choice& c) { return plain.run({{plain.hook(c), 1, 1}}); };
        const HostTensor without = plain.run(), with = run(freeU(1, b, 1, 1)), expected = scaled.run();
        QVERIFY(with.rows(0, 1).sameBits(without.rows(0, 1)) && with.rows(2, 1).sameBits(without.rows(2, 1)));
        QVERIFY(largestDifference(with.rows(1, 1), expected.rows(1, 1)) < 2e-5);
        QVERIFY(largestDifference(with.rows(1, 1), without.rows(1, 1)) > 1e-2);
        // Factors of 1 are no change; the widths of this network (64 of 32 channels) are the second place and never the
        // first.
        QVERIFY(run(freeU(1, 1, 1, 1)).sameBits(without) && run(freeU(1, 1, 1, 1, true)).sameBits(without));
        QVERIFY(run(freeU(3, 1, 0, 1, false, true)).sameBits(without));
        QVERIFY(largestDifference(run(freeU(1, b, 1, 1, false, true)), without) > 1e-2);
    }

    // The rule changes every row of the run, costs none, and is gone where it is neutral or out of its window.
    void inRuns() {
        Recipe r;
        r.model = "builtin:sprites-unet";
        r.prompt = "a red circle above a blue square on a white background";
        r.images = 2;
        r.steps = 3;
        r.attention = AttentionLevel::Off;
        r.sampler = {"ddim", {}};
        r.schedule = {"uniform_t", {}};
        const Choice cfg{"cfg", {{"scale", 2.0}}};
        r.guidance = {cfg};
        const auto plain = runOne(r);
        const auto with = [&](const Params& p) {
            r.guidance = {cfg, {"freeu", p}};
            return runOne(r);
        };
        QVERIFY(sameRecord(*plain, *with({{"b1", 1.0}, {"b2", 1.0}, {"s1", 1.0}, {"s2", 1.0}})));
        const auto full = with({}), late = with({{"from", 0.34}}), first = with({{"version", std::string("1")}});
        const auto& before = *plain->trajectory->evaluations.front();
        const auto& after = *full->trajectory->evaluations.front();
        QCOMPARE(after.branches.size(), std::size_t(2));
        for (std::size_t b = 0; b < 2; ++b)
            QVERIFY(largestDifference(after.branches[b].denoised, before.branches[b].denoised) > 1e-3);
        QCOMPARE(full->trajectory->evaluations.size(), plain->trajectory->evaluations.size());
        QVERIFY(late->trajectory->evaluations[0]->denoised.sameBits(before.denoised));
        QVERIFY(!late->trajectory->evaluations[2]->denoised.sameBits(plain->trajectory->evaluations[2]->denoised));
        QVERIFY(largestDifference(first->trajectory->last(), full->trajectory->last()) > 1e-3);
        // A transformer has no skip connections.
        r.model = "builtin:sprites-dit";
        r.sampler = {"euler", {}};
        const auto refused = plan(r);
        QVERIFY(!refused);
        QVERIFY2(refused.error().text.find("skip connections of a U-Net") != std::string::npos,
                 refused.error().text.c_str());
    }
};

QTEST_GUILESS_MAIN(TestFreeU)
#include "tst_free_u.moc"
