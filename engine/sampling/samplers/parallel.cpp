// The Euler (DDIM) chain solved for all its levels at once, in sweeps of evaluations that share network calls (Shih et
// al. 2023, ParaDiGMS: Picard; Lim et al. 2024, DEER: Newton). A sweep evaluates the levels of a window and carries the
// change along: y'_{i+1} = e_i + G_i (y'_i − y_i), e_i the Euler step from y_i, with G_i = 0 (Jacobi), the growth of
// the native scale (Picard) or the diagonal of ∂e_i/∂y_i by a difference quotient along (1 … 1) (Newton: exact where
// elements do not interact). Each ends in the Euler chain; at least one more level is exact after each sweep.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
// e + ∂e/∂y · (moved − y) by elements, with ∂e/∂y = τ'/τ + (1 − τ'/τ) (D(y + δ) − D(y))/δ
Tensor newton(const Tensor& e, const Tensor& moved, const Tensor& y, const Tensor& d, const Tensor& shifted,
              double delta, double ratio) {
    auto out = download(e).toDoubles();
    const auto m = download(moved).toDoubles(), a = download(y).toDoubles(), b = download(d).toDoubles(),
               c = download(shifted).toDoubles();
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] += (ratio + (1 - ratio) * (c[i] - b[i]) / delta) * (m[i] - a[i]);
    return upload(e.backend(), HostTensor::fromDoubles(e.shape(), out)).converted(e.type());
}

double rootMeanSquare(const Tensor& a, const Tensor& b) {
    double sum = 0;
    const auto rows = rmsRows(a - b);
    for (double r : rows) sum += r * r;
    return std::sqrt(sum / double(rows.size()));
}

Tensor addConstant(const Tensor& y, double c) {
    auto v = download(y).toDoubles();
    for (double& x : v) x += c;
    return upload(y.backend(), HostTensor::fromDoubles(y.shape(), v)).converted(y.type());
}
}  // namespace

static SamplerTask run(Sampling& s) {
    const std::string method = text(s.params, "method");
    const auto intervals = s.intervals();
    const std::size_t n = intervals.size(),
                      window = integer(s.params, "window") == 0 ? n : std::size_t(integer(s.params, "window"));
    const int sweeps = int(integer(s.params, "sweeps"));
    const double tolerance = real(s.params, "tolerance"), small = real(s.params, "difference");
    const auto scale = [&](const NoiseLevel& l) { return s.process.nativeScale(l); };
    std::vector<Tensor> y{s.x};
    if (text(s.params, "guess") == "estimate") {
        const Tensor d = co_await s.denoise(s.x, intervals[0].from);
        for (const auto& [from, to] : intervals) y.push_back(eulerStep(s.x, d, intervals[0].from, to));
    } else {
        for (const auto& [from, to] : intervals) y.push_back(scale(intervals[0].from) / scale(to) * s.x);
    }
    std::size_t done = 0;
    for (int sweep = 1; done < n; ++sweep) {
        const std::size_t end = std::min(n, done + window);
        std::vector<Sampling::Query> queries;
        for (std::size_t i = done; i < end; ++i) {
            const auto& [from, to] = intervals[i];
            queries.push_back({y[i], from, to, from.index});
            if (method == "newton") queries.push_back({addConstant(y[i], small * from), from, to, from.index});
        }
        const std::vector<DenoiseResult> answers = co_await s.denoiseAll(queries);
        std::size_t exact = done;
        bool isSettled = true;
        std::vector<Tensor> next{y[done]};
        for (std::size_t i = done; i < end; ++i) {
            const auto& [from, to] = intervals[i];
            const std::size_t k = (i - done) * (method == "newton" ? 2 : 1);
            const Tensor d = answers[k], moved = next.back(), e = eulerStep(y[i], d, from, to);
            const double growth = scale(from) / scale(to);
            if (i == done || method == "jacobi") next.push_back(e);
            else if (method == "newton")
                next.push_back(newton(e, moved, y[i], d, answers[k + 1].denoised, small * from, to / from));
            else next.push_back(e + growth * (moved - y[i]));
            isSettled =
                isSettled
                && (i == done
                    || rootMeanSquare(next.back(), y[i + 1]) <= tolerance * std::hypot(s.signal(to), double(to)));
            if (isSettled) exact = i + 1;
        }
        for (std::size_t i = done; i < end; ++i) y[i + 1] = next[i - done + 1];
        if (sweep == sweeps) exact = n;
        for (; done < exact; ++done) s.advance(y[done + 1], intervals[done].to);
    }
}

static int requests(int step, int, const Params& p) {
    return int(integer(p, "sweeps")) * (text(p, "method") == "newton" ? 2 : 1)
           + (step == 0 && text(p, "guess") == "estimate" ? 1 : 0);
}

SamplerInfo parallel() {
    return {.id = "parallel",
            .label = "Parallel in time",
            .summary = "The Euler chain by sweeps over all levels at once (Picard, Newton)",
            .source = "Shih et al. 2023, ParaDiGMS; Lim et al. 2024, DEER",
            .group = "One step",
            .params = {choiceParam("method", "Method", "picard",
                                   {{"picard", "Picard"}, {"newton", "Newton (diagonal)"}, {"jacobi", "Jacobi"}},
                                   "How a sweep carries changes along the chain; Newton needs fewest sweeps and twice "
                                   "the evaluations in each."),
                       integerParam("sweeps", "Sweeps at most", 12, 1, 1000,
                                    "After so many the states are taken as they are."),
                       realParam("tolerance", "Tolerance", 1e-3, 0, 1,
                                 "A level is settled when a sweep changes it by less than this, relative to its scale; "
                                 "0 runs all sweeps.",
                                 1e-3),
                       integerParam(
                           "window", "Window", 0, 0, 1000,
                           "Levels evaluated in one sweep; 0 is all of them. It bounds the rows of a network call."),
                       advanced(choiceParam("guess", "First guess", "estimate",
                                            {{"estimate", "From one estimate"}, {"constant", "The start everywhere"}},
                                            "What the first sweep starts from.")),
                       advanced(realParam("difference", "Difference", 1e-3, 1e-9, 0.1,
                                          "Newton's difference quotient moves states by this times τ.", 1e-3))},
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
