// Langevin dynamics at the levels of the schedule (Song & Ermon 2019, algorithm 1); on a list of one level and clean it
// is Langevin at a fixed noise level, started from the given state: data-based initialisation (Koehler & Vuong 2023). y
// ← y + h score + √(2h) z with score = −(y − a D)/τ² and h = step · τ². MALA accepts or rejects each proposal; the
// density ratio is the integral of the score along the way by the trapezoidal rule, exact for Gaussians (Sjöberg et al.
// 2023).
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static int requests(int step, int steps, const Params& p) {
    const bool extra = toggle(p, "mala") || (step + 1 == steps && toggle(p, "denoise"));
    return int(integer(p, "langevin_steps")) + (extra ? 1 : 0);
}

// Uniform numbers in (0, 1), one for each row, from standard normals.
static std::vector<double> uniforms(const Tensor& z) {
    const auto values = download(z).toDoubles();
    const std::size_t rows = std::size_t(z.rows()), width = values.size() / rows;
    std::vector<double> u;
    for (std::size_t r = 0; r < rows; ++r) u.push_back(0.5 * std::erfc(-values[r * width] / std::sqrt(2.0)));
    return u;
}

// 1 for each row whose proposal is taken: log α = ½ (s + s*)·(y* − y) − ‖y − y* − h s*‖²/4h + ‖z‖²/2.
static std::vector<double> accepted(const Tensor& score, const Tensor& proposedScore, const Tensor& z, double h,
                                    const std::vector<double>& u) {
    Backend& b = z.backend();
    const Tensor move = h * score + std::sqrt(2 * h) * z, sum = (score + proposedScore) / 2,
                 back = move + h * proposedScore;
    const auto gain = b.dotRows(sum, move), backward = b.dotRows(back, back), forward = b.dotRows(z, z);
    std::vector<double> take;
    for (std::size_t r = 0; r < u.size(); ++r)
        take.push_back(std::log(u[r]) < gain[r] - backward[r] / (4 * h) + forward[r] / 2 ? 1 : 0);
    return take;
}

static Tensor select(const std::vector<double>& take, const Tensor& a, const Tensor& b) {
    std::vector<double> leave;
    for (double t : take) leave.push_back(1 - t);
    const std::vector<Tensor> values{a, b};
    const std::vector<std::vector<double>> factors{take, leave};
    return combineRows(values, factors);
}

static SamplerTask run(Sampling& s) {
    const int steps = int(integer(s.params, "langevin_steps"));
    const bool mala = toggle(s.params, "mala"), denoise = toggle(s.params, "denoise");
    for (auto [from, to] : s.intervals()) {
        const double a = s.signal(from), tau = from, h = real(s.params, "step") * tau * tau;
        const auto scoreOf = [a, tau](const Tensor& y, const Tensor& d) { return Tensor((a * d - y) / (tau * tau)); };
        Tensor y = s.x, d, score;
        for (int k = 0; k < steps; ++k) {
            if (!mala || k == 0) score = scoreOf(y, d = co_await s.denoise(y, from, from));
            const Tensor z = s.noise(from, from, 2 * k), proposal = y + h * score + std::sqrt(2 * h) * z;
            if (!mala) {
                y = proposal;
                continue;
            }
            const Tensor d2 = co_await s.denoise(proposal, from, from), score2 = scoreOf(proposal, d2);
            const auto take = accepted(score, score2, z, h, uniforms(s.noise(from, from, 2 * k + 1)));
            y = select(take, proposal, y);
            d = select(take, d2, d);
            score = select(take, score2, score);
        }
        if (to.isClean() && denoise) {
            if (!mala) d = co_await s.denoise(y, from);
            y = d;
        }
        // On to the next level: the signal follows the process, the noise is what the next level's steps reduce.
        if (!to.isClean() && s.signal(to) != a) y = y + (s.signal(to) - a) * d;
        s.advance(y, to);
    }
}

// Far from the data a step multiplies y by 1 − h/τ², which beyond −1 grows without bound; acceptance holds it back.
static std::string problem(const Params& p) {
    return toggle(p, "mala") || real(p, "step") <= 2
               ? ""
               : "with a step size above 2 every step leads further away. Take at most 2 (about 0.1 is accurate), or "
                 "turn on \"Accept or reject\".";
}

SamplerInfo langevin() {
    return {
        .id = "langevin",
        .label = "Langevin / MALA",
        .summary = "Langevin dynamics at each level of the schedule, from the current state",
        .source = "Song & Ermon 2019; Koehler & Vuong 2023; Sjöberg et al. 2023",
        .group = "Stochastic",
        .params = {integerParam("langevin_steps", "Steps at a level", 20, 1, 10000,
                                "Langevin steps at each level of the schedule."),
                   realParam("step", "Step size", 0.1, 1e-5, 10,
                             "Length of a step in units of τ²; small steps are accurate; above 2 it diverges unless "
                             "steps are rejected.",
                             0.01),
                   toggleParam(
                       "mala", "Accept or reject (MALA)", false,
                       "Corrects the error of the step size by rejecting some proposals; one more evaluation a level."),
                   toggleParam("denoise", "Noise-free end", true,
                               "Ends on the estimate; off leaves the noise of the last level in.")},
        .order = 0,
        .stochastic = true,
        .drawsBesidePath = true,
        .run = run,
        .requestsInStep = requests,
        .problem = problem};
}

}  // namespace meander::sampler
