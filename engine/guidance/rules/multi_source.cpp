// Several sources whose sum is known (Mariani et al. 2024, multi-source diffusion models). Dirac: one source s is what
// the others leave, x_s = y − Σ x_n, and the others follow d_m − d_s with d = (x − D)/σ; as an estimate, D'_m = D_m +
// (x_s − D_s). Gaussian: d − (y − Σ x) σ/(2γ²) with γ = c σ, D' = D + (y − Σ x)/(2c²). At noise the sum of the noisy
// sources is held to the clean one, as the authors do: a deterministic run seeks a mode, noise brings the posterior's
// spread back.
#include <algorithm>
#include <cmath>

#include "engine/guidance/reference.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class MultiSource final : public GuidanceRun {
public:
    MultiSource(const Params& p, const GuidanceSetup& s)
        : m_window(p),
          m_isDirac(text(p, "kind") == "dirac"),
          m_areImages(text(p, "over") == "images"),
          m_sources(integer(p, "sources")),
          m_held(integer(p, "held")),
          m_width(real(p, "width")) {
        const std::int64_t elements = s.model.state.shape.count();
        if (m_held >= m_sources)
            throw Failure("The held source has the number " + std::to_string(m_held) + ", but there are only "
                          + std::to_string(m_sources) + ", numbered from 0.");
        if (m_areImages && s.recipe.images % m_sources != 0)
            throw Failure("The sum of " + std::to_string(m_sources) + " images needs a multiple of "
                          + std::to_string(m_sources) + " images; the recipe has " + std::to_string(s.recipe.images)
                          + ".");
        if (!m_areImages && elements % m_sources != 0)
            throw Failure("States of " + std::to_string(elements) + " numbers cannot be split into "
                          + std::to_string(m_sources) + " sources of the same size.");
        m_length = m_areImages ? elements : elements / m_sources;
        if (!text(p, "reference").empty()) {
            if (!m_areImages)
                throw Failure("A reference image is the mean of several images; choose images as the sources.");
            m_image = referenceImage(text(p, "reference"), s.model, "A sum of sources");
            return;
        }
        m_sum = std::get<std::vector<double>>(p.at("sum"));
        if (std::int64_t(m_sum.size()) != m_length)
            throw Failure("The sum of the sources needs " + std::to_string(m_length) + " numbers; it has "
                          + std::to_string(m_sum.size()) + ".");
    }

    Tensor projectedState(const GuidanceMoment& m, const Tensor& y) const override {
        if (!m_isDirac || !m_window.holds(m) || !(m.signal() > 0)) return y;
        const auto sum = sumAt(m, y);
        auto v = download(y).toDoubles();
        hold(v, sum, m.signal());
        return upload(y.backend(), HostTensor::fromDoubles(y.shape(), v)).converted(y.type());
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        const double a = m.signal();
        if (!m_window.holds(m) || !(a > 0)) return;
        const auto sum = sumAt(m, parts.combined);
        auto d = download(parts.combined).toDoubles();
        const auto y = download(m.state).toDoubles();
        const std::int64_t groups = std::int64_t(d.size()) / (m_sources * m_length);
        std::vector<double> residual(std::size_t(parts.combined.rows()), 0.0);
        for (std::int64_t g = 0; g < groups; ++g)
            for (std::int64_t l = 0; l < m_length; ++l) {
                if (m_isDirac) {
                    const std::size_t s = index(g, m_held, l);
                    const double shift = y[s] / a - d[s];
                    for (std::int64_t n = 0; n < m_sources; ++n) d[index(g, n, l)] += n == m_held ? 0 : shift;
                } else {
                    double missing = sum[std::size_t(l)];
                    for (std::int64_t n = 0; n < m_sources; ++n) missing -= y[index(g, n, l)] / a;
                    for (std::int64_t n = 0; n < m_sources; ++n) d[index(g, n, l)] += missing / (2 * m_width * m_width);
                }
            }
        if (m_isDirac) hold(d, sum, 1);
        for (std::int64_t g = 0; g < groups; ++g)
            for (std::int64_t l = 0; l < m_length; ++l) {
                double missing = sum[std::size_t(l)];
                for (std::int64_t n = 0; n < m_sources; ++n) missing -= d[index(g, n, l)];
                const auto row = std::size_t(m_areImages ? g * m_sources : g);
                residual[row] = std::max(residual[row], std::abs(missing));
            }
        if (m_areImages)
            for (std::size_t r = 0; r < residual.size(); ++r) residual[r] = residual[r - r % std::size_t(m_sources)];
        parts.metrics.push_back({"residual of the sum", residual});
        parts.combined = upload(parts.combined.backend(), HostTensor::fromDoubles(parts.combined.shape(), d))
                             .converted(parts.combined.type());
    }

private:
    std::size_t index(std::int64_t group, std::int64_t source, std::int64_t element) const {
        return std::size_t((group * m_sources + source) * m_length + element);
    }
    // The held source becomes what the others leave of `signal` times the sum.
    void hold(std::vector<double>& v, const std::vector<double>& sum, double signal) const {
        const std::int64_t groups = std::int64_t(v.size()) / (m_sources * m_length);
        for (std::int64_t g = 0; g < groups; ++g)
            for (std::int64_t l = 0; l < m_length; ++l) {
                double rest = signal * sum[std::size_t(l)];
                for (std::int64_t n = 0; n < m_sources; ++n) rest -= n == m_held ? 0 : v[index(g, n, l)];
                v[index(g, m_held, l)] = rest;
            }
    }
    // The mean of the images is the reference, so their sum is a multiple.
    std::vector<double> sumAt(const GuidanceMoment& m, const Tensor& like) const {
        if (!m_image) return m_sum;
        if (!m.model) throw Failure("A sum of images needs the model that draws them.");
        auto v = download(referenceState(m_image, *m.model, like.slice(0, 1))).toDoubles();
        for (double& x : v) x *= double(m_sources);
        return v;
    }
    Window m_window;
    bool m_isDirac, m_areImages;
    std::int64_t m_sources, m_held, m_length = 0;
    double m_width;
    std::vector<double> m_sum;
    HostTensor m_image;
};

std::string advice(const GuidanceContext& c) {
    return addsNoise(c.recipe) ? ""
                               : "Without fresh noise the sources seek a mode: their spread is much smaller than that "
                                 "of the true posterior.";
}

}  // namespace

GuidanceRule multiSource() {
    const std::vector<ParamSpec> params = withWindow(
        {choiceParam("kind", "Constraint",
                     {{"dirac", "Dirac: the sum is met"}, {"gaussian", "Gaussian: the sum is approached"}},
                     "How the sources are held to their sum."),
         choiceParam("over", "Sources are", {{"elements", "Parts of one state"}, {"images", "Images of the run"}},
                     "Equal parts of each state, one after another, or that many images in a row."),
         integerParam("sources", "Sources", 2, 2, 64, "How many there are."),
         integerParam("held", "Held source", 0, 0, 63, "Dirac: the one that is what the others leave."),
         realParam("width", "Width c", 0.5, 0.01, 1000, "Gaussian: the tolerance at noise σ is c σ; small is strict."),
         listParam("sum", "Sum", -1e6, 1e6, "A number for each element of a source."),
         imageParam("reference", "Reference image", "Path of a PNG that is the mean of the images.")});
    return {.id = "multi_source",
            .label = "Sum of sources",
            .group = "Constraints and rewards",
            .summary = "Separates sources whose sum is known: exactly (Dirac) or within a tolerance (Gaussian)",
            .source = "Mariani et al. 2024, MSDM",
            .cost = "nothing",
            .params = params,
            .guides = true,
            .make = made<MultiSource>,
            .idle = whyWindowIsEmpty,
            .advice = advice};
}

}  // namespace meander::guidance
