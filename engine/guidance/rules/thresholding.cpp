// Thresholds on the combined estimate: Imagen's dynamic thresholding (Saharia et al. 2022), and the "mimic" rule of
// sd-dynamic-thresholding, which brings a high weight's range back to that of a lower one.
#include <algorithm>
#include <cmath>

#include "engine/guidance/grid.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class DynamicThreshold final : public GuidanceRun {
public:
    explicit DynamicThreshold(const Params& p) : m_window(p), m_ratio(real(p, "ratio")) {
        if (p.contains("limit")) m_limit = real(p, "limit");
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_window.holds(m)) return;
        Planes d = Planes::of(parts.combined);
        const auto n = std::size_t(d.perRow());
        for (std::size_t r = 0; r < std::size_t(d.rows); ++r) {
            double* row = d.values.data() + r * n;
            std::vector<double> sizes(n);
            std::transform(row, row + n, sizes.begin(), [](double v) { return std::abs(v); });
            double s = std::max(1.0, quantile(sizes, m_ratio));
            if (m_limit) s = std::min(s, *m_limit);
            for (std::size_t k = 0; k < n; ++k) row[k] = std::clamp(row[k], -s, s) / s;
        }
        parts.combined = d.tensor(parts.combined);
    }

private:
    Window m_window;
    double m_ratio;
    std::optional<double> m_limit;
};

// How the mimicked weight moves over the steps, between its minimum and its value (the modes of the original, with its
// constants).
double modeFactor(const std::string& mode, double done, double value) {
    if (mode == "linear_down") return 1 - done;
    if (mode == "half_cosine_down") return std::cos(done);
    if (mode == "cosine_down") return std::cos(done * 1.5707);
    if (mode == "linear_up") return done;
    if (mode == "half_cosine_up") return 1 - std::cos(done);
    if (mode == "cosine_up") return 1 - std::cos(done * 1.5707);
    if (mode == "power_up") return std::pow(done, value);
    if (mode == "power_down") return 1 - std::pow(done, value);
    if (mode == "linear_repeating") {
        const double part = std::fmod(done * value, 1.0);
        return (part < 0.5 ? 0.5 - part : part - 0.5) * 2;
    }
    if (mode == "cosine_repeating") return std::cos(done * 6.28318 * value) * 0.5 + 0.5;
    if (mode == "sawtooth") return std::fmod(done * value, 1.0);
    return 1;
}

class Mimic final : public GuidanceRun {
public:
    explicit Mimic(const Params& p)
        : m_window(p),
          m_scale(real(p, "scale")),
          m_least(real(p, "scale_min")),
          m_value(real(p, "mode_value")),
          m_percentile(real(p, "percentile")),
          m_phi(real(p, "phi")),
          m_mode(text(p, "mode")),
          m_perChannel(toggle(p, "per_channel")),
          m_fromZero(text(p, "start") == "zero"),
          m_byDeviation(text(p, "measure") == "deviation") {}

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_window.holds(m)) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!parts.unconditional || !m_window.holds(m)) return;
        const double done = m.steps > 1 ? double(m.step) / (m.steps - 1) : 0;
        const double w = m_least + (m_scale - m_least) * modeFactor(m_mode, done, m_value);
        Planes target = Planes::of(parts.combined);
        const Planes mimicked = Planes::of(combine({{w, parts.conditional}, {1 - w, parts.unconditional}}));
        const std::vector<double> before = target.values;
        for (std::int64_t r = 0; r < target.rows; ++r) fit(target, mimicked, r);
        if (m_phi != 1)
            for (std::size_t k = 0; k < before.size(); ++k)
                target.values[k] = m_phi * target.values[k] + (1 - m_phi) * before[k];
        parts.combined = target.tensor(parts.combined);
    }

private:
    // Values of one channel, less their mean.
    static std::vector<double> centred(const Planes& p, std::int64_t row, std::int64_t channel, double& mean) {
        std::vector<double> v;
        for (std::int64_t y = 0; y < p.height; ++y)
            for (std::int64_t x = 0; x < p.width; ++x) v.push_back(p.at(row, y, x, channel));
        mean = 0;
        for (double d : v) mean += d / double(v.size());
        for (double& d : v) d -= mean;
        return v;
    }
    double sizeOf(std::vector<double> v, double share) const {
        if (m_byDeviation) {  // unbiased, about the values' own mean
            double mean = 0, square = 0;
            for (double d : v) mean += d / double(v.size());
            for (double d : v) square += (d - mean) * (d - mean);
            return std::sqrt(square / double(v.size() - 1));
        }
        for (double& d : v) d = std::abs(d);
        return quantile(v, share);
    }
    void fit(Planes& target, const Planes& mimicked, std::int64_t row) const {
        const auto n = std::size_t(target.channels);
        std::vector<std::vector<double>> wanted(n), own(n);
        std::vector<double> means(n), allWanted, allOwn;
        for (std::size_t c = 0; c < n; ++c) {
            double ignored = 0;
            wanted[c] = centred(mimicked, row, std::int64_t(c), ignored);
            own[c] = centred(target, row, std::int64_t(c), means[c]);
            allWanted.insert(allWanted.end(), wanted[c].begin(), wanted[c].end());
            allOwn.insert(allOwn.end(), own[c].begin(), own[c].end());
        }
        for (std::size_t c = 0; c < n; ++c) {
            const double goal = sizeOf(m_perChannel ? wanted[c] : allWanted, 1),
                         size = sizeOf(m_perChannel ? own[c] : allOwn, m_percentile), most = std::max(goal, size);
            std::size_t i = 0;
            for (std::int64_t y = 0; y < target.height; ++y)
                for (std::int64_t x = 0; x < target.width; ++x, ++i) {
                    double& v = target.at(row, y, x, std::int64_t(c));
                    if (m_fromZero) v = size > 0 ? v * goal / size : v;
                    else if (m_byDeviation) v = size > 0 ? own[c][i] / size * goal + means[c] : v;
                    else v = most > 0 ? std::clamp(own[c][i], -most, most) / most * goal + means[c] : v;
                }
        }
    }
    Window m_window;
    double m_scale, m_least, m_value, m_percentile, m_phi;
    std::string m_mode;
    bool m_perChannel, m_fromZero, m_byDeviation;
};

}  // namespace

GuidanceRule dynamicThreshold() {
    ParamSpec limit = realParam("limit", "Limit", 1, 0.01, 1000,
                                "Largest threshold; absent: none, as in Imagen. 1 clips to −1 … 1.", 0.1);
    limit.optional = true;
    const std::vector<ParamSpec> params =
        withWindow({realParam("ratio", "Quantile", 0.995, 0, 1,
                              "The threshold s is this quantile of |x̂0| in each image, at least 1; "
                              "the estimate is clipped to ±s and divided by s.",
                              0.005),
                    limit});
    return {.id = "dynamic_threshold",
            .label = "Dynamic thresholding",
            .group = "After a combination",
            .summary = "Clips the clean estimate at a quantile and scales it back into range",
            .source = "Saharia et al. 2022, Imagen",
            .cost = "nothing",
            .params = params,
            .guides = true,
            .make = made<DynamicThreshold>,
            .idle = whyWindowIsEmpty};
}

GuidanceRule mimic() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("scale", "Mimicked scale", 4, 0, 50,
                   "The weight whose range of values the combination is brought back to.", 0.25),
         realParam("percentile", "Percentile", 1, 0.5, 1,
                   "Quantile of the combination's size that counts as its range; low ones divide by almost nothing.",
                   0.005),
         choiceParam("mode", "Mode",
                     {{"constant", "Constant"},
                      {"linear_down", "Linear down"},
                      {"cosine_down", "Cosine down"},
                      {"half_cosine_down", "Half cosine down"},
                      {"linear_up", "Linear up"},
                      {"cosine_up", "Cosine up"},
                      {"half_cosine_up", "Half cosine up"},
                      {"power_up", "Power up"},
                      {"power_down", "Power down"},
                      {"linear_repeating", "Linear, repeating"},
                      {"cosine_repeating", "Cosine, repeating"},
                      {"sawtooth", "Sawtooth"}},
                     "How the mimicked scale moves over the steps, from its value to its minimum."),
         advanced(realParam("scale_min", "Least scale", 0, 0, 50, "Where the modes other than constant end.", 0.25)),
         advanced(realParam("mode_value", "Mode's value", 4, 0, 100,
                            "Exponent of the power modes, repetitions of the repeating ones.", 0.25)),
         advanced(toggleParam("per_channel", "Per channel", true,
                              "Ranges are measured in each channel, or over all of an image.")),
         advanced(choiceParam("start", "From", {{"mean", "Each channel's mean"}, {"zero", "Zero"}},
                              "What values are scaled about.")),
         advanced(choiceParam("measure", "Range", {{"extent", "Largest distance"}, {"deviation", "Standard deviation"}},
                              "How a range is measured.")),
         advanced(realParam("phi", "Share", 1, 0, 1, "Share of the result; the rest is the combination as it was."))});
    return {.id = "mimic",
            .label = "Mimic a lower scale",
            .group = "After a combination",
            .summary = "Brings the range of a strongly guided estimate back to that of a lower scale",
            .source = "sd-dynamic-thresholding (mcmonkey 2023)",
            .cost = "one more row unless a combination asked it",
            .params = params,
            .usesUnconditional = true,
            .make = [](const Params& p, GuidanceSetup& s) -> std::unique_ptr<GuidanceRun> {
                if (s.model.conditioning == ConditioningKind::None)
                    throw Failure("Mimicking a scale needs the unconditional estimate, but '" + s.model.name
                                  + "' takes no prompt. Remove the rule.");
                return std::make_unique<Mimic>(p);
            },
            .idle =
                [](const GuidanceContext& c) {
                    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
                    return real(c.params, "phi") == 0 ? std::string("Mimicking has no effect at share 0.")
                                                      : whyNothingPrecedes(c);
                }};
}

}  // namespace meander::guidance
