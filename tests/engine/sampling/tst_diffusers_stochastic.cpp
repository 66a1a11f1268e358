// Full sampling loops with a formula as the model, against values computed with diffusers 0.3x (float32, CPU, seed 0):
// the stochastic ones. Model: F(x, t) = x t/(t + 1). Start: element [b, c, y, x] = (((8c + y)8 + x)4 + b)/768, shape
// (4, 3, 8, 8). Results: Σ|x| and the first three elements and the last.
#include <QtTest>
#include <cmath>

#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/torch_random.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

const Shape shape{4, 3, 8, 8};

Tensor tensor(const std::vector<double>& v) { return upload(cpu(), HostTensor::fromDoubles(shape, v)); }
Tensor counted(bool reversed) {
    std::vector<double> v;
    for (int b = 0; b < 4; ++b)
        for (int rest = 0; rest < 192; ++rest) v.push_back((reversed ? 767 - (rest * 4 + b) : rest * 4 + b) / 768.0);
    return tensor(v);
}
Tensor mapped(const Tensor& x, const std::function<double(double)>& f) {
    auto v = download(x).toDoubles();
    for (double& e : v) e = f(e);
    return tensor(v);
}

// Cumulative signal of β, rounded as there: β and ᾱ in single precision, the product in double.
std::vector<double> cumulative(const std::vector<float>& betas) {
    std::vector<double> list;
    double product = 1;
    for (float b : betas) list.push_back(double(float(product *= double(1.0f - b))));
    return list;
}
// torch.linspace in single precision: from both ends to the middle, one rounding each.
std::vector<float> linearBetas(int steps) {
    const float low = 1e-4f, high = 0.02f, step = (high - low) / float(steps - 1);
    std::vector<float> betas;
    for (int k = 0; k < steps; ++k)
        betas.push_back(k < steps / 2 ? float(low + double(step) * k) : float(high - double(step) * (steps - 1 - k)));
    return betas;
}
std::vector<double> linearAlphas(int steps) { return cumulative(linearBetas(steps)); }
std::vector<float> cosineBetas(int steps) {
    const auto bar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * M_PI / 2), 2); };
    std::vector<float> betas;
    for (int k = 0; k < steps; ++k)
        betas.push_back(float(std::min(1 - bar((k + 1.0) / steps) / bar(double(k) / steps), 0.999)));
    return betas;
}
double sigmaOf(double alpha) { return std::sqrt((1 - alpha) / alpha); }
float single(double x) { return float(x); }

class Stream {
public:
    // The k-th of as many draws as are needed, whichever are asked for: the other program also draws where it then adds
    // nothing.
    Tensor draw(std::size_t k) {
        while (m_draws.size() <= k) {
            std::vector<float> v(std::size_t(shape.count()));
            m_random.normals(v);
            m_draws.push_back(tensor({v.begin(), v.end()}));
        }
        return m_draws[k];
    }
    Tensor next() { return draw(m_used++); }

private:
    noise::TorchCpuRandom m_random{0};
    std::vector<Tensor> m_draws;
    std::size_t m_used = 0;
};

// Prediction → x̂0 at σ where the state is x0 + σ ε.
double denoised(double x, double output, double sigma, bool v) {
    return v ? -sigma / std::sqrt(sigma * sigma + 1) * output + x / (sigma * sigma + 1) : x - sigma * output;
}

struct Result {
    double sumAbs, first, second, third, last;
};

// These schedulers' loops overwrite the state by the scaled model input x/√(1 + σ²) before each call of step, inner
// ones included; that is what the numbers are of.
std::vector<double> overwrittenLoop(const char* id, bool v, bool karras, bool noised, bool brownian) {
    const int trained = 1100, steps = 10;
    const bool slopes = std::string(id) == "dpm_2_ancestral";
    const auto alphas = linearAlphas(trained);
    const Process process = Process::variancePreserving(alphas, "linear");
    std::vector<double> times, levels;
    for (int i = 0; i < steps; ++i) {
        const double t = (trained - 1) * (1 - double(i) / (steps - 1)), low = std::min(std::floor(t), trained - 2.0),
                     w = t - low;
        times.push_back(t);
        levels.push_back(single((1 - w) * single(sigmaOf(alphas[std::size_t(low)]))
                                + w * single(sigmaOf(alphas[std::size_t(low) + 1]))));
    }
    if (karras) {
        levels = karrasLevels(steps, levels.front(), levels.back());
        for (double& l : levels) l = single(l);
        for (int i = 0; i < steps; ++i) times[std::size_t(i)] = process.networkTime(levels[std::size_t(i)]);
    } else {
        levels.push_back(0);
    }
    Stream stream;
    noise::BrownianNoise tree(levels[steps - 1], levels.front(), std::size_t(shape.count()), 0);
    Tensor y = mapped(counted(false), [&](double e) { return e * levels.front(); });
    const int first = noised ? steps - 2 : 0;
    if (noised) y = combine({{1, y}, {levels[std::size_t(first)], counted(true)}});
    for (int i = first; i < steps; ++i) {
        const double from = levels[std::size_t(i)], to = levels[std::size_t(i) + 1];
        y = combine({{1 / std::sqrt(from * from + 1), y}});
        const auto estimate = [&](const Tensor& x, double tau) {
            const bool inner = tau != from;
            const double t = inner ? process.networkTime(tau) : times[std::size_t(i)],
                         scale = inner ? 1 / std::sqrt(tau * tau + 1) : 1;
            DenoiseResult a;
            // DPM2 takes the slope of the overwritten inner state, x̂0 is relative to it; the exponential step takes x̂0
            // itself.
            const double offset = inner && slopes ? 1 - scale : 0;
            a.denoised =
                mapped(x, [&](double e) { return e * offset + denoised(e * scale, e * scale * t / (t + 1), tau, v); });
            return a;
        };
        const auto noise = [&](const NoiseRequest& q, const Tensor&) {
            if (!brownian) return stream.next();
            // Levels as there: through the logarithm and back in single precision, the inner one halfway. The path
            // moves by √Δt, so the last bit counts.
            const auto logarithm = [](double tau) { return -std::log(float(tau)); };
            const float low = logarithm(from), high = logarithm(to), halfway = low + (high - low) * 0.5f;
            const auto level = [&](double tau) {
                return double(std::exp(-(tau == from ? low : tau == to ? high : halfway)));
            };
            const auto z = tree.between(level(q.from), level(q.to));
            return tensor({z.begin(), z.end()});
        };
        y = solve(*findSampler(id), process, {from, to}, y, {}, estimate, noise).state;
    }
    return download(y).toDoubles();
}

// DDPM over all its steps, or unCLIP (cosine β) over some: the estimate is clipped to [−1, 1]. There β of a step, 1 −
// ᾱ/ᾱ', is rounded to single precision, for a small β in its fourth digit, so that the two coefficients of the mean do
// not add up; the estimate is scaled by what its coefficient is off.
std::vector<double> posteriorLoop(const std::vector<float>& betas, const std::vector<int>& times, bool v, bool noised,
                                  bool givenBetas) {
    const auto alphas = cumulative(betas);
    const Process process = Process::varianceExploding(1e-6, 1e6);  // the state is x/√ᾱ
    std::vector<double> levels, factors;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const bool last = i + 1 == times.size();
        const double alpha = alphas[std::size_t(times[i])], before = last ? 1 : alphas[std::size_t(times[i + 1])];
        const float beta = givenBetas && (last || times[i + 1] == times[i] - 1)
                               ? betas[std::size_t(times[i])]
                               : 1.0f - single(single(alpha) / single(before));
        const double kept = last ? 0 : (1 - before) / before * alpha / (1 - alpha);
        levels.push_back(sigmaOf(alpha));
        factors.push_back(beta / (1 - alpha) / (1 - kept));
    }
    levels.push_back(0);
    const double first = alphas[std::size_t(times.front())];
    Tensor x = counted(false);
    if (noised) x = combine({{std::sqrt(first), x}, {std::sqrt(1 - first), counted(true)}});
    std::size_t step = 0;
    const auto estimate = [&](const Tensor& y, double) {
        const double t = times[step], alpha = alphas[std::size_t(times[step])], s = std::sqrt(alpha),
                     n = std::sqrt(1 - alpha), factor = factors[step];
        ++step;
        DenoiseResult answer;
        answer.denoised = mapped(y, [&](double e) {
            const double native = e * s, output = native * t / (t + 1);
            return factor * std::clamp(v ? s * native - n * output : (native - n * output) / s, -1.0, 1.0);
        });
        return answer;
    };
    Stream stream;
    return solve(*findSampler("ddpm"), process, levels, combine({{1 / std::sqrt(first), x}}), {}, estimate,
                 [&](const NoiseRequest&, const Tensor&) { return stream.next(); })
        .values();
}

std::vector<double> adamsLoop(bool v) {
    const int trained = 1100, steps = 10;
    const auto alphas = linearAlphas(trained);
    const Process process = Process::variancePreserving(alphas, "linear");
    std::vector<double> times, levels;
    for (int i = 0; i < steps; ++i) times.push_back(std::nearbyint((trained - 1.0) * (steps - i) / steps));
    for (double t : times) levels.push_back(sigmaOf(alphas[std::size_t(t)]));
    levels.push_back(sigmaOf(alphas[0]));
    const auto scale = [&](double tau) { return 1 / std::sqrt(1 + tau * tau); };
    const auto estimate = [&](const Tensor& y, double tau) {
        const double t = times[std::size_t(std::find(levels.begin(), levels.end(), tau) - levels.begin())],
                     s = scale(tau), n = tau * s;
        DenoiseResult a;
        a.denoised = mapped(y, [&](double e) {
            const double native = e * s, output = native * t / (t + 1);
            return v ? s * native - n * output : (native - n * output) / s;
        });
        return a;
    };
    Stream stream;
    const Params params{
        {"predictor_order", std::int64_t(2)}, {"corrector_order", std::int64_t(2)}, {"simple_order_2", true},
        {"tau_at", std::string("start")},     {"tau_start", 1 - 800.5 / 1099},      {"tau_end", 1 - 199.5 / 1099}};
    const Tensor y =
        solve(*findSampler("sa_solver"), process, levels, combine({{1 / scale(levels.front()), counted(false)}}),
              params, estimate, [&](const NoiseRequest& q, const Tensor&) { return stream.draw(std::size_t(q.step)); })
            .state;
    return download(combine({{scale(levels.back()), y}})).toDoubles();
}

// Three predictor-corrector steps with the model as the score. The model is told the levels of the first three of 2000
// times, as that loop does.
std::vector<double> scoreLoop() {
    const std::vector<double> levels{1348, std::sqrt(0.01 * 1348), 0.01, 0},
        times{1, 1 - (1 - 1e-5) / 1999, 1 - 2 * (1 - 1e-5) / 1999};
    const auto estimate = [&](const Tensor& y, double tau) {
        const std::size_t i = std::size_t(std::find(levels.begin(), levels.end(), tau) - levels.begin());
        const double t = 0.01 * std::pow(1348 / 0.01, times[i]);
        DenoiseResult a;
        a.denoised = mapped(y, [&](double e) { return e + tau * tau * e * t / (t + 1); });
        return a;
    };
    Stream stream;
    return solve(*findSampler("predictor_corrector"), Process::varianceExploding(0.01, 1348), levels, counted(false),
                 {{"snr", 0.15}, {"norms", std::string("batch")}, {"denoise", false}}, estimate,
                 [&](const NoiseRequest&, const Tensor&) { return stream.next(); })
        .values();
}

std::vector<int> countdown(int from) {
    std::vector<int> list;
    for (int t = from; t >= 0; --t) list.push_back(t);
    return list;
}
std::vector<int> spread(int trained, int steps) {
    std::vector<int> list;
    for (int i = steps - 1; i >= 0; --i) list.push_back(int(std::nearbyint(double(trained - 1) / (steps - 1) * i)));
    return list;
}

struct Loop {
    const char* name;
    std::function<std::vector<double>()> run;
    Result want;
    double elements = 1e-5;  // tolerance of single elements
};
const std::vector<Loop>& loops() {
    static const std::vector<Loop> list = {
        {"ddpm",
         [] { return posteriorLoop(linearBetas(1000), countdown(999), false, false, false); },
         {258.96061833330896, -0.28061372, -0.42489928, -0.082317911, -0.014786017},
         1e-4},
        {"ddpm v",
         [] { return posteriorLoop(linearBetas(1000), countdown(999), true, false, false); },
         {202.02957817825518, -0.081324346, -0.47770959, -0.073143087, -0.030242018},
         1e-4},
        {"ddpm with noise",
         [] { return posteriorLoop(linearBetas(1000), countdown(1), false, true, false); },
         {387.9465857925825, 0.0064375508, 0.011351752, 0.02312159, 0.99288762}},
        {"unclip",
         [] { return posteriorLoop(cosineBetas(1000), countdown(999), false, false, true); },
         {252.26825227204245, -0.38901687, -0.15278535, -0.1721494, -0.072915912},
         1e-4},
        {"unclip 25 steps",
         [] { return posteriorLoop(cosineBetas(1000), spread(1000, 25), false, false, true); },
         {258.2045118384849, -0.62428546, 0.56629694, -0.015812516, 0.34949094}},
        {"euler ancestral",
         [] { return overwrittenLoop("euler_ancestral", false, false, false, false); },
         {152.3192668867705, -0.31697899, 0.0099248774, 0.098878466, -0.2041368}},
        {"euler ancestral v",
         [] { return overwrittenLoop("euler_ancestral", true, false, false, false); },
         {108.44388352730311, -0.25736612, 0.097535238, 0.075190082, -0.0098828105}},
        {"euler ancestral with noise",
         [] { return overwrittenLoop("euler_ancestral", false, false, true, false); },
         {56163.05240648985, 0.21259299, 0.97273982, 1.7421676, 146.03055}},
        {"dpm2 ancestral",
         [] { return overwrittenLoop("dpm_2_ancestral", false, false, false, false); },
         {13979.950274605304, -6.2210498, -5.1856213, 0.075608261, 34.4482}},
        {"dpm2 ancestral v",
         [] { return overwrittenLoop("dpm_2_ancestral", true, false, false, false); },
         {331.81333310841, -0.44100735, -0.14154083, 0.12093012, -0.078413531}},
        {"dpm2 ancestral with noise",
         [] { return overwrittenLoop("dpm_2_ancestral", false, false, true, false); },
         {93087.34379377961, 0.35976323, 1.6198456, 2.8892093, 242.04039}},
        {"dpm sde",
         [] { return overwrittenLoop("dpmpp_sde", false, false, false, true); },
         {162.52374225320818, -0.37362561, 0.057433046, 0.21456258, 0.15600437}},
        {"dpm sde v",
         [] { return overwrittenLoop("dpmpp_sde", true, false, false, true); },
         {119.84875620605453, -0.25379476, 0.044472396, 0.13735597, 0.11014299}},
        {"dpm sde karras",
         [] { return overwrittenLoop("dpmpp_sde", false, true, false, true); },
         {170.31351031551458, -0.26046106, 0.23482816, 0.029404135, 0.19735149}},
        {"sa solver",
         [] { return adamsLoop(false); },
         {337.3942559538409, -0.42184484, 0.20941155, 0.32849127, 0.020061422}},
        {"score sde ve", [] { return scoreLoop(); }, {14372758756.457031, -15792215, -16012545, -3175502.8, 26736820}},
    };
    return list;
}

}  // namespace

class TestDiffusersStochastic : public QObject {
    Q_OBJECT
private slots:
    void loop_data() {
        QTest::addColumn<int>("index");
        for (int i = 0; i < int(loops().size()); ++i) QTest::newRow(loops()[std::size_t(i)].name) << i;
    }
    // Sum within 1e-5; elements within 1e-5 of the mean size of one, where the other program's single precision does
    // not add up over 1000 steps.
    void loop() {
        QFETCH(int, index);
        const Loop& l = loops()[std::size_t(index)];
        const auto x = l.run();
        double sum = 0;
        for (double e : x) sum += std::abs(e);
        const double size = l.want.sumAbs / double(x.size()), total = std::abs(sum / l.want.sumAbs - 1);
        const double worst = std::max({std::abs(x[0] - l.want.first), std::abs(x[1] - l.want.second),
                                       std::abs(x[2] - l.want.third), std::abs(x.back() - l.want.last)})
                             / size;
        qInfo("%s: sum %.1e, elements %.1e", l.name, total, worst);
        QVERIFY2(
            total < 1e-5 && worst < l.elements,
            qPrintable(QString("%1 %2 %3 %4 %5").arg(sum, 0, 'g', 10).arg(x[0]).arg(x[1]).arg(x[2]).arg(x.back())));
    }
};

QTEST_GUILESS_MAIN(TestDiffusersStochastic)
#include "tst_diffusers_stochastic.moc"
