// FreeU (Si et al. 2023): a U-Net's backbone carries structure, its skip connections carry detail; both are weighed
// anew where they meet, without training. At two places on the way up the first half of the backbone's channels is
// scaled, and the skip connection's lowest frequencies.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

// One row (1, h, w, c): the first half of its channels times b, or with structure times 1 + (b − 1) m, where m is the
// mean over channels brought to 0 … 1.
void scaleBackbone(const Tensor& x, double b, bool structure) {
    Backend& device = x.backend();
    const std::int64_t c = x.shape()[3], pixels = x.count() / c;
    const Tensor flat = x.converted(DType::F32).reshaped({pixels, c});
    std::vector<double> gains(std::size_t(pixels), b - 1), ones(gains.size(), 1.0);
    if (structure) {
        const auto sums = device.reduceRows(kernels::Reduction::Sum, flat);
        const auto [low, high] = std::minmax_element(sums.begin(), sums.end());
        for (std::size_t i = 0; i < sums.size(); ++i)
            gains[i] = *high > *low ? (b - 1) * (sums[i] - *low) / (*high - *low) : 0;
    }
    std::vector<float> isFirst(std::size_t(c), 0.0f);
    std::fill_n(isFirst.begin(), c / 2, 1.0f);
    Tensor half(device, flat.shape());
    device.binary(kernels::Binary::Mul, flat, upload(device, HostTensor::fromFloats({c}, isFirst)), half);
    const Tensor values[] = {flat, half};
    const std::vector<double> factors[] = {ones, gains};
    device.convert(combineRows(values, factors).reshaped(x.shape()), x);
}

// One row (1, h, w, c): frequencies −1 and 0 of both sides times s, and the real part of what that leaves. The four
// waves are a product with their sines and cosines, so no transform is needed: x + (s − 1) B Bᵀ x/(h w).
void scaleSkip(const Tensor& x, double s) {
    Backend& device = x.backend();
    const std::int64_t h = x.shape()[1], w = x.shape()[2], c = x.shape()[3], pixels = h * w;
    std::vector<float> across, down;  // (waves, pixels) and (pixels, waves)
    for (int fy = h > 1 ? -1 : 0; fy <= 0; ++fy)
        for (int fx = w > 1 ? -1 : 0; fx <= 0; ++fx)
            for (double shift : {0.0, std::numbers::pi / 2})  // cosine, sine
                for (std::int64_t i = 0; i < pixels; ++i)
                    across.push_back(float(std::cos(
                        2 * std::numbers::pi * (fy * double(i / w) / double(h) + fx * double(i % w) / double(w))
                        - shift)));
    const std::int64_t waves = std::int64_t(across.size()) / pixels;
    for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t k = 0; k < waves; ++k) down.push_back(across[std::size_t(k * pixels + i)]);
    const Tensor flat = x.converted(DType::F32).reshaped({1, pixels, c});
    Tensor weights(device, {1, waves, c}), low(device, {1, pixels, c});
    device.batchedMatmul(upload(device, HostTensor::fromFloats({1, waves, pixels}, across)), flat, weights, false);
    device.batchedMatmul(upload(device, HostTensor::fromFloats({1, pixels, waves}, down)), weights, low, false,
                         1.0f / float(pixels));
    device.convert(combine({{1, flat}, {s - 1, low}}).reshaped(x.shape()), x);
}

class FreeU final : public nn::SiteHook {
public:
    explicit FreeU(const Params& p)
        : m_backbone{real(p, "b1"), real(p, "b2")},
          m_skip{real(p, "s1"), real(p, "s2")},
          m_isByWidth(text(p, "where") == "width"),
          m_followsStructure(text(p, "version") == "2") {}
    bool actsAt(const nn::Site& site) const override {
        return site.kind == nn::SiteKind::Skip && placeOf(site) < m_backbone.size();
    }
    void joining(const nn::SiteCall& call, const Tensor& backbone, const Tensor& skip) override {
        const std::size_t place = placeOf(call.site);
        for (std::int64_t r = 0; r < call.rows; ++r) {
            if (m_backbone[place] != 1) scaleBackbone(backbone.slice(r, 1), m_backbone[place], m_followsStructure);
            if (m_skip[place] != 1) scaleSkip(skip.slice(r, 1), m_skip[place]);
        }
    }

private:
    // The first two up blocks, or wherever the backbone is four and two times as wide as the first level.
    std::size_t placeOf(const nn::Site& site) const {
        if (!m_isByWidth) return std::size_t(site.block);
        return site.width == 4 ? 0 : site.width == 2 ? 1 : 2;
    }
    std::array<double, 2> m_backbone, m_skip;
    bool m_isByWidth, m_followsStructure;
};

}  // namespace

InterventionInfo freeU() {
    return {
        .id = "freeu",
        .label = "FreeU",
        .summary = "Backbone and skip connections of a U-Net are weighed anew",
        .source = "Si et al. 2023, FreeU",
        .params =
            {realParam(
                 "b1", "Backbone 1", 1.3, 0, 10,
                 "Factor on the first half of the backbone's channels at the first place, the coarser one; 1 is off.",
                 0.05),
             realParam("b2", "Backbone 2", 1.4, 0, 10, "The same at the second place.", 0.05),
             realParam("s1", "Skip 1", 0.9, 0, 10,
                       "Factor on the lowest frequencies of the skip connection at the first place; 1 is off.", 0.05),
             realParam("s2", "Skip 2", 0.2, 0, 10, "The same at the second place.", 0.05),
             choiceParam("version", "Version", "2", {{"1", "1: one factor"}, {"2", "2: follows the structure"}},
                         "Version 2 scales the backbone more where its mean over channels is high: by 1 at its least, "
                         "by the full factor at its greatest."),
             choiceParam("where", "Places", "stage",
                         {{"stage", "The first two up blocks"}, {"width", "By width: 4 and 2 times the first level"}},
                         "By block as diffusers, or wherever the backbone is that wide as the authors' code, ComfyUI "
                         "and Forge; a network may have such widths nowhere.")},
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            if (std::none_of(s.model.blocks.begin(), s.model.blocks.end(),
                             [](const TapSite& b) { return b.path.starts_with("mid_block."); }))
                throw Failure(
                    "FreeU weighs the skip connections of a U-Net, which '" + s.model.name
                    + "' does not have. Choose a U-Net, for example builtin:sprites-unet, or remove the rule.");
            return std::make_shared<FreeU>(p);
        }};
}

}  // namespace meander::intervention
