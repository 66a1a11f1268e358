// Samplers against exact oracles: the moments of stochastic samplers on a Gaussian, and what every table row must keep.
// (Orders: tst_convergence. Values of other programs: tst_gaussian_oracle, tst_diffusers_loops.) Every sampler is the
// same code under variance exploding, variance preserving and rectified flow.
#include <QtTest>
#include <cmath>

#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

using namespace meander;

namespace {

constexpr double mean = 0.6;
const std::vector<double> variances = {0.04, 0.25, 1.0, 2.25};

struct Gaussian {
    const Process& process;
    Backend& backend;

    // E[x0 | y] for x0 ~ N(mean, v), y = a x0 + τ ε, per column.
    Tensor denoise(const Tensor& y, double tau) const {
        const auto values = download(y).toDoubles();
        std::vector<double> out(values.size());
        const double a = process.signal(tau);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const double v = variances[i % variances.size()];
            out[i] = mean + a * v / (a * a * v + tau * tau) * (values[i] - a * mean);
        }
        return upload(backend, HostTensor::fromDoubles(y.shape(), out));
    }
};

struct Host : Sampling::Host {
    Backend& backend;
    std::uint64_t seed = 1;
    int advances = 0, requests = 0;
    std::vector<double> lastDraws;
    explicit Host(Backend& b) : backend(b) {}
    Tensor noise(const NoiseRequest& q, const Tensor& like) override {
        return normals(q.step * 4096 + 1 + q.draw, like);
    }
    Tensor normals(int draw, const Tensor& like) {
        Tensor z(backend, like.shape(), like.type());
        std::vector<kernels::NoiseAddress> addresses;
        for (int i = 0; i < like.rows(); ++i) addresses.push_back({seed, std::uint32_t(i), std::uint32_t(draw), 0});
        backend.normal(addresses, z);
        return z;
    }
    void advanced(const Tensor&, const NoiseLevel&, bool) override { ++advances; }
};

std::vector<std::pair<QString, Process>> processes() {
    return {{"edm", Process::varianceExploding(0.002, 80)},
            {"vp", Process::vpLinear(1000, 1e-4, 0.02)},
            {"flow", Process::rectifiedFlow()}};
}

Params defaults(const SamplerInfo& info, Params given = {}) { return *resolveParams(info.params, given, info.label); }

std::vector<double> solve(const SamplerInfo& info, const Process& process, const std::vector<double>& levels,
                          Tensor start, Host& host, Params params) {
    const Gaussian target{process, host.backend};
    Sampling s(process, levels, std::move(params), std::move(start), host);
    SamplerTask task = info.run(s);
    task.resume();
    while (!task.done()) {
        for (DenoiseRequest& q : s.pending()) {
            ++host.requests;
            q.answer.denoised = target.denoise(q.x, q.tau);
            q.answer.conditional = q.answer.unconditional = q.answer.denoised;
        }
        task.resume();
    }
    return download(s.x).toDoubles();
}

}  // namespace

class TestSamplers : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend();

    Tensor start(const Process& p, const std::vector<double>& levels, int rows, std::uint64_t seed) {
        // From the true marginal at the first level, so that the sampler's own error is all there is.
        Host host(*m_backend);
        host.seed = seed;
        Tensor unit = host.normals(0, Tensor(*m_backend, Shape{rows, 4}, DType::F64));
        auto values = download(unit).toDoubles();
        const double a = p.signal(levels.front()), tau = levels.front();
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = a * mean + std::sqrt(a * a * variances[i % 4] + tau * tau) * values[i];
        return upload(*m_backend, HostTensor::fromDoubles(unit.shape(), values));
    }

    // Mean and deviation per component of 4000 particles.
    std::vector<std::pair<double, double>> statistics(const SamplerInfo& info, const Process& p, int steps) {
        const auto levels = *makeSchedule("karras", p, steps, {});
        Host host(*m_backend);
        const auto got = solve(info, p, levels, start(p, levels, 4000, 11), host, defaults(info, {{"eta", 1.0}}));
        std::vector<std::pair<double, double>> result;
        for (std::size_t c = 0; c < 4; ++c) {
            double sum = 0, squares = 0;
            for (std::size_t i = c; i < got.size(); i += 4) {
                sum += got[i];
                squares += got[i] * got[i];
            }
            const double n = double(got.size()) / 4, m = sum / n;
            result.emplace_back(m, std::sqrt(squares / n - m * m));
        }
        return result;
    }

private slots:
    void moments_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<int>("process");
        for (const char* id : {"euler_ancestral", "ddim", "dpmpp_2m_sde"})
            for (int p = 0; p < 3; ++p)
                QTest::addRow("%s %s", id, qPrintable(processes()[std::size_t(p)].first)) << id << p;
    }
    // With η = 1 the exact mean and deviation appear as the steps grow. The samplers are first order, so twice the
    // deviation at 2N less that at N is the limit; the same 4000 particles serve both, whose deviation has a standard
    // error of 1.1 %.
    void moments() {
        QFETCH(QString, sampler);
        QFETCH(int, process);
        const auto& info = *findSampler(sampler.toStdString());
        const auto p = processes()[std::size_t(process)].second;
        const auto coarse = statistics(info, p, 60), fine = statistics(info, p, 120);
        for (std::size_t c = 0; c < 4; ++c) {
            const double wanted = std::sqrt(variances[c]), limit = 2 * fine[c].second - coarse[c].second;
            QVERIFY2(std::abs(fine[c].first - mean) < 4 * wanted / std::sqrt(4000) + 0.01,
                     qPrintable(QString("mean %1").arg(fine[c].first)));
            QVERIFY2(std::abs(limit / wanted - 1) < 0.04, qPrintable(QString("deviation %1, %2, limit %3 of %4")
                                                                         .arg(coarse[c].second)
                                                                         .arg(fine[c].second)
                                                                         .arg(limit)
                                                                         .arg(wanted)));
            QVERIFY2(std::abs(fine[c].second - wanted) < std::abs(coarse[c].second - wanted) + 0.02 * wanted,
                     "more steps must not be worse");
        }
    }

    // DDIM without noise is Euler in these coordinates, step by step.
    void ddimIsEuler() {
        for (const auto& [name, p] : processes()) {
            const auto levels = *makeSchedule("uniform_t", p, 13, {});
            const Tensor y = start(p, levels, 8, 3);
            Host a(*m_backend), b(*m_backend);
            const auto one = solve(*findSampler("euler"), p, levels, y, a, {}),
                       two = solve(*findSampler("ddim"), p, levels, y, b, {{"eta", 0.0}});
            for (std::size_t i = 0; i < one.size(); ++i)
                QVERIFY(std::abs(one[i] - two[i]) < 1e-11 * (1 + std::abs(one[i])));
        }
    }
    // η = 1 in DDIM is ancestral sampling where the clock is σ: the same posterior variance, reached by another
    // formula. (In flow DDIM measures by σ = t/(1 − t), the ancestral step by t, as the field does; both have the right
    // marginals.)
    void ancestralIsDdimWithEtaOne() {
        for (const auto& [name, p] : processes()) {
            if (p.kind() == ProcessKind::RectifiedFlow) continue;
            const auto levels = *makeSchedule("uniform_t", p, 13, {});
            const Tensor y = start(p, levels, 8, 3);
            Host a(*m_backend), b(*m_backend);
            const auto one = solve(*findSampler("euler_ancestral"), p, levels, y, a, {{"eta", 1.0}, {"s_noise", 1.0}}),
                       two = solve(*findSampler("ddim"), p, levels, y, b, {{"eta", 1.0}});
            for (std::size_t i = 0; i < one.size(); ++i)
                QVERIFY2(std::abs(one[i] - two[i]) < 1e-9 * (1 + std::abs(one[i])), qPrintable(name));
        }
    }
    void requestsAreAsPlanned() {
        for (const auto& info : samplers())
            for (int n : {1, 2, 7}) {
                if (info.needsData || info.inverts || info.curved) continue;  // tested with what they need
                const auto p = Process::varianceExploding(0.002, 80);
                const auto levels = *makeSchedule("karras", p, n, {});
                Host host(*m_backend);
                const Params params = defaults(info);
                try {
                    solve(info, p, levels, start(p, levels, 2, 3), host, params);
                } catch (const std::exception& e) {
                    QFAIL((info.id + ": " + e.what()).c_str());
                }
                if (info.freeSteps) continue;  // as many as the tolerance needs
                int planned = 0;
                for (int k = 0; k < n; ++k) planned += info.requestsInStep(k, n, params);
                if (info.id == "parallel")  // an upper bound: sweeps end when nothing changes
                    QVERIFY(host.requests <= planned);
                else
                    QVERIFY2(
                        host.requests == planned,
                        (info.id + ": " + std::to_string(host.requests) + " of " + std::to_string(planned)).c_str());
                QCOMPARE(host.advances, n);
            }
    }
    void noiseDoesNotDependOnTheBatch() {
        Host host(*m_backend);
        for (DType type : {DType::F32, DType::F64}) {
            const auto many = download(host.normals(7, Tensor(*m_backend, Shape{9, 5, 3}, type)));
            for (int i = 0; i < 9; ++i) {
                Tensor one(*m_backend, Shape{1, 5, 3}, type);
                const kernels::NoiseAddress address{host.seed, std::uint32_t(i), 7, 0};
                m_backend->normal({&address, 1}, one);
                QVERIFY(download(one).sameBits(many.rows(i, 1)));
            }
        }
    }
    void everyTableRowIsComplete() {
        QSet<QString> ids;
        for (const auto& info : samplers()) {
            QVERIFY(!ids.contains(QString::fromStdString(info.id)));
            ids.insert(QString::fromStdString(info.id));
            QVERIFY(!info.label.empty() && !info.summary.empty() && !info.source.empty() && info.run
                    && info.requestsInStep);
            for (const auto& s : info.params) QVERIFY(!s.key.empty() && !s.label.empty() && !s.help.empty());
        }
    }
};

QTEST_GUILESS_MAIN(TestSamplers)
#include "tst_samplers.moc"
