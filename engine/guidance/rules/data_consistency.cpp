// Data consistency for a linear observation y = A x: after every estimate, D + A⁺ (y − A D) (range-null decomposition,
// Wang et al. 2023, DDNM: the residual is zero), or a step of gradient, D − ρ Aᵀ (A D − y), the correction that Chung
// et al. 2023 (CDDB) make inside a bridge from the observation; here the run starts from noise, so it is that
// correction alone. Images are observed as pixels, so the operator does not know the model's codec.
#include <algorithm>
#include <cmath>

#include "engine/guidance/operators.h"
#include "engine/guidance/reference.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

// What the box leaves, or a mask image: bright is known.
std::vector<double> maskOf(const Params& p, const ModelInfo& model) {
    const auto h = std::size_t(model.state.image[0]), w = std::size_t(model.state.image[1]);
    if (!text(p, "mask").empty()) {
        const HostTensor image = referenceImage(text(p, "mask"), model, "Data consistency");
        std::vector<double> mask(h * w);
        for (std::size_t i = 0; i < mask.size(); ++i)
            mask[i] =
                image.at(std::int64_t(3 * i)) + image.at(std::int64_t(3 * i + 1)) + image.at(std::int64_t(3 * i + 2))
                > 1.5;
        return mask;
    }
    const double left = at(p, "box", 0, 0.25), top = at(p, "box", 1, 0.25), right = left + at(p, "box", 2, 0.5),
                 bottom = top + at(p, "box", 3, 0.5);
    std::vector<double> mask(h * w, 1.0);
    for (std::size_t y = 0; y < h; ++y)
        for (std::size_t x = 0; x < w; ++x) {
            const double fx = (double(x) + 0.5) / double(w), fy = (double(y) + 0.5) / double(h);
            if (fx >= left && fx < right && fy >= top && fy < bottom) mask[y * w + x] = 0;
        }
    return mask;
}

class DataConsistency final : public GuidanceRun {
public:
    DataConsistency(const Params& p, const GuidanceSetup& s)
        : m_window(p),
          m_step(real(p, "step")),
          m_isProjection(text(p, "kind") == "projection"),
          m_isImage(s.model.state.kind == StateKind::Image) {
        m_isImage ? makeImage(p, s.model) : makePoint(p, s.model);
        m_observation = m_operator->apply(m_reference);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_window.holds(m)) return;
        if (m_isImage && !m.model) return;
        Planes x = m_isImage ? Planes::of(m.model->decode(download(parts.combined))) : Planes::of(parts.combined);
        const Planes correction = corrected(x);
        for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] += correction.values[i];
        parts.metrics.push_back({"residual", residuals(x)});
        parts.combined =
            m_isImage ? upload(parts.combined.backend(), m.model->encode(x.floats())).converted(parts.combined.type())
                      : x.tensor(parts.combined);
    }

private:
    void makeImage(const Params& p, const ModelInfo& model) {
        const std::string kind = text(p, "operator");
        if (text(p, "reference").empty())
            throw Failure("Data consistency needs a reference image: give the path of a PNG of "
                          + std::to_string(model.state.image[1]) + " × " + std::to_string(model.state.image[0])
                          + " pixels.");
        m_reference = Planes::of(referenceImage(text(p, "reference"), model, "Data consistency"));
        const int factor = int(integer(p, "factor"));
        if (kind == "downsample" && (model.state.image[0] % factor != 0 || model.state.image[1] % factor != 0))
            throw Failure("Data consistency cannot shrink images of " + std::to_string(model.state.image[1]) + " × "
                          + std::to_string(model.state.image[0]) + " pixels by " + std::to_string(factor)
                          + ". Choose a factor that divides both sides.");
        m_operator = kind == "mask"         ? maskOperator(maskOf(p, model))
                     : kind == "blur"       ? blurOperator(real(p, "sigma"), real(p, "least"))
                     : kind == "downsample" ? downsampleOperator(factor)
                                            : greyOperator();
    }
    // Points: some coordinates are known, or their mean.
    void makePoint(const Params& p, const ModelInfo& model) {
        const auto& known = std::get<std::vector<double>>(p.at("observation"));
        const std::string kind = text(p, "operator");
        const auto n = std::size_t(model.state.shape.count());
        if (known.size() != n)
            throw Failure("Data consistency for '" + model.name + "' needs an observation of " + std::to_string(n)
                          + " numbers, one for each coordinate.");
        if (kind != "mask" && kind != "grey")
            throw Failure("Points can be observed by a mask or by their mean; blur and downsample are for images.");
        m_reference = {1, 1, 1, std::int64_t(n), known};
        std::vector<double> mask(n);
        for (std::size_t i = 0; i < n; ++i) mask[i] = at(p, "known", i, 1);
        m_operator = kind == "mask" ? maskOperator(mask) : greyOperator();
    }
    Planes difference(const Planes& x) const {  // y − A x, the one observation against every row
        Planes d = m_operator->apply(x);
        const std::size_t n = m_observation.values.size();
        for (std::size_t i = 0; i < d.values.size(); ++i) d.values[i] = m_observation.values[i % n] - d.values[i];
        return d;
    }
    Planes corrected(const Planes& x) const {
        Planes c = m_isProjection ? m_operator->inverse(difference(x)) : m_operator->adjoint(difference(x));
        for (double& v : c.values) v *= m_step;
        return c;
    }
    std::vector<double> residuals(const Planes& x) const {  // root mean square
        const Planes d = difference(x);
        const auto n = std::size_t(d.perRow());
        std::vector<double> r(std::size_t(d.rows), 0.0);
        for (std::size_t i = 0; i < d.values.size(); ++i) r[i / n] += d.values[i] * d.values[i] / double(n);
        for (double& v : r) v = std::sqrt(v);
        return r;
    }
    Window m_window;
    double m_step;
    bool m_isProjection, m_isImage;
    Planes m_reference, m_observation;
    std::unique_ptr<LinearOperator> m_operator;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "step") == 0) return "Data consistency has no effect at step 0.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule dataConsistency() {
    ParamSpec box =
        listParam("box", "Box", 0, 1, "The unknown part as left, top, width and height, in parts of the image.");
    box.defaultValue = std::vector<double>{0.25, 0.25, 0.5, 0.5};
    const std::vector<ParamSpec> params = withWindow(
        {choiceParam("operator", "Observed",
                     {{"mask", "Known pixels (a mask)"},
                      {"blur", "A blurred image"},
                      {"downsample", "A smaller image"},
                      {"grey", "Without colour"}},
                     "What is known of the reference."),
         imageParam("reference", "Reference image", "Path of a PNG of the model's size."), box,
         imageParam("mask", "Mask image", "Path of a PNG, bright where pixels are known; empty: the box."),
         realParam("sigma", "Blur σ", 2, 0, 100,
                   "Of the blurred observation, in pixels; wrapped around at the borders.", 0.25),
         integerParam("factor", "Factor", 4, 1, 256, "Side of the blocks whose means are known."),
         choiceParam("kind", "Correction",
                     {{"projection", "Projection: the residual is zero"}, {"gradient", "A step of gradient"}},
                     "How the estimate is brought to the observation."),
         realParam("step", "Step ρ", 1, 0, 4, "Share of the correction; 1 with projection meets the observation."),
         advanced(realParam("least", "Least gain", 1e-3, 0, 1,
                            "Frequencies that the blur damps below this are left alone by the projection.", 1e-3)),
         listParam("observation", "Observation", -1e6, 1e6, "For points: a number for each coordinate."),
         listParam("known", "Known", 0, 1, "For points: 1 where a coordinate is known; missing ones are 1.")});
    return {.id = "data_consistency",
            .label = "Data consistency",
            .group = "Constraints and rewards",
            .summary = "Holds every estimate to what is known: pixels, a blurred, smaller or colourless image",
            .source = "Wang et al. 2023, DDNM; gradient step of Chung et al. 2023",
            .cost = "nothing",
            .params = params,
            .guides = true,
            .make = made<DataConsistency>,
            .idle = idle};
}

}  // namespace meander::guidance
