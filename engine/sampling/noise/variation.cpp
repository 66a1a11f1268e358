#include "engine/sampling/noise/variation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/unsigned_param.h"

namespace meander::noise {

std::vector<ParamSpec> commonParams() {
    return {
        optionalParam(
            integerParam("seed", "Own seed", 0, 0, unsignedMaximum, "Seed of the noise alone; absent: the run's.")),
        advanced(choiceParam("initial_scale", "First state",
                             {{"level", "Noise times its level (A1111, EDM)"},
                              {"unit_variance", "For data of unit variance: √(a² + τ²)"},
                              {"comfyui", "As ComfyUI: √(1 + σ²) at the noisiest level"},
                              {"analytic", "Mean and variance of the data (Analytic-Init)"}},
                             "How unit noise becomes the first state.")),
        optionalParam(listParam("data_mean", "Mean of the data", -1e6, 1e6,
                                "For Analytic-Init: one number per channel or dimension; absent: 0.")),
        optionalParam(
            realParam("data_variance", "Variance of the data", 0, 0, 1e9,
                      "For Analytic-Init: mean variance of an element; absent: the model's σ of the data, squared.")),
        advanced(realParam(
            "offset", "Channel offset", 0, 0, 2,
            "Shifts whole channels of the first noise at random (offset noise): darker and lighter images. 0: none.",
            0.01)),
        advanced(realParam(
            "variation_strength", "Variation", 0, 0, 1,
            "0: the seed's image; 1: the variation seed's. With several images each varies the first one's noise.",
            0.01)),
        advanced(
            integerParam("variation_seed", "Variation seed", 0, 0, unsignedMaximum, "Seed of the noise to go to.")),
        advanced(choiceParam("variation_rule", "Way there",
                             {{"sphere", "On the sphere"}, {"a1111", "As A1111 (column by column)"}},
                             "How the two noises are mixed.")),
        optionalParam(
            integerParam("resize_height", "Noise of height", 64, 1, 8192,
                         "Height, in elements of the state, that the seed's noise is made for; it lies in the "
                         "middle of this size's. Absent: off.")),
        optionalParam(integerParam("resize_width", "Noise of width", 64, 1, 8192, "Width for the same."))};
}

namespace {

// One column of length n at `stride`, or a whole item.
struct Line {
    std::size_t first, stride, count;
};

double dot(std::span<const double> a, std::span<const double> b, const Line& l) {
    double sum = 0;
    for (std::size_t i = 0; i < l.count; ++i) sum += a[l.first + i * l.stride] * b[l.first + i * l.stride];
    return sum;
}

double cosine(std::span<const double> a, std::span<const double> b, const Line& l) {
    return std::clamp(dot(a, b, l) / std::sqrt(dot(a, a, l) * dot(b, b, l)), -1.0, 1.0);
}

void mix(std::span<double> low, std::span<const double> high, const Line& l, double onLow, double onHigh) {
    for (std::size_t i = l.first, k = 0; k < l.count; ++k, i += l.stride) low[i] = onLow * low[i] + onHigh * high[i];
}

}  // namespace

void slerp(double strength, std::span<double> low, std::span<const double> high, const NoiseContext& c,
           VariationRule rule) {
    const auto item = std::size_t(c.shape.rowCount());
    const bool columns = rule == VariationRule::A1111 && c.isImage && c.shape.rank() == 4;
    for (std::size_t image = 0; image < std::size_t(c.shape[0]); ++image) {
        std::vector<Line> lines{{image * item, 1, item}};
        if (columns) {
            // (height, width, channels): a column of one channel.
            const auto stride = std::size_t(c.shape[2] * c.shape[3]);
            lines.clear();
            for (std::size_t k = 0; k < stride; ++k)
                lines.push_back({image * item + k, stride, std::size_t(c.shape[1])});
        }
        double mean = 0;
        for (const Line& l : lines) mean += cosine(low, high, l) / double(lines.size());
        for (const Line& l : lines) {
            const double angle = std::acos(cosine(low, high, l)), s = std::sin(angle);
            if (mean > 0.9995)
                rule == VariationRule::A1111 ? mix(low, high, l, strength, 1 - strength)
                                             : mix(low, high, l, 1 - strength, strength);
            else if (s < 1e-9)  // a single element, or noises that are multiples of each other
                mix(low, high, l, 1 - strength, strength);
            else mix(low, high, l, std::sin((1 - strength) * angle) / s, std::sin(strength * angle) / s);
        }
    }
}

void pasteCentre(std::span<double> full, std::span<const double> small, const NoiseContext& c, std::int64_t height,
                 std::int64_t width) {
    // Halves round down, below zero too.
    const auto half = [](std::int64_t v) { return v >= 0 ? v / 2 : -((1 - v) / 2); };
    const std::int64_t dx = half(c.shape[2] - width), dy = half(c.shape[1] - height), channels = c.shape[3];
    const std::int64_t w = dx >= 0 ? width : width + 2 * dx, h = dy >= 0 ? height : height + 2 * dy;
    for (std::int64_t image = 0; image < c.shape[0]; ++image)
        for (std::int64_t y = 0; y < h; ++y) {
            const auto to = full.begin()
                            + ((image * c.shape[1] + y + std::max<std::int64_t>(dy, 0)) * c.shape[2]
                               + std::max<std::int64_t>(dx, 0))
                                  * channels;
            const auto from =
                small.begin()
                + ((image * height + y + std::max<std::int64_t>(-dy, 0)) * width + std::max<std::int64_t>(-dx, 0))
                      * channels;
            std::copy(from, from + w * channels, to);
        }
}

void addChannelOffset(std::span<double> values, const NoiseContext& c, double amount) {
    const std::int64_t channels = c.shape[-1], item = c.shape.rowCount();
    for (std::int64_t image = 0; image < c.shape[0]; ++image)
        for (std::int64_t k = 0; k < channels; ++k) {
            double four[4];
            kernels::normal4({c.seed, c.sharedAcrossImages ? 0 : std::uint32_t(image), 0, 0x0FF5E7u},
                             std::uint32_t(k / 4), four);
            for (std::int64_t i = k; i < item; i += channels)
                values[std::size_t(image * item + i)] += amount * four[k % 4];
        }
}

namespace {

class Varied final : public NoiseSource {
public:
    Varied(const NoiseInfo& info, const Params& p, const NoiseContext& c)
        : m_info(info), m_params(p), m_context(c), m_main(info.make(c, p)) {}
    Tensor initial() override {
        const bool resized = m_params.contains("resize_height") || m_params.contains("resize_width");
        if (resized && (!m_context.isImage || m_context.shape.rank() != 4))
            throw Failure("The noise of another size needs images; particles have none. Remove resize_height and "
                          "resize_width.");
        NoiseContext c = m_context;
        const std::int64_t height =
            resized && m_params.contains("resize_height") ? integer(m_params, "resize_height") : m_context.shape[1];
        const std::int64_t width = resized && m_params.contains("resize_width") ? integer(m_params, "resize_width")
                                   : m_context.shape.rank() > 2                 ? m_context.shape[2]
                                                                                : 1;
        if (resized) c.shape = {c.shape[0], height, width, c.shape[3]};
        std::vector<double> z = download(resized ? m_info.make(c, m_params)->initial() : m_main->initial()).toDoubles();
        if (const double strength = real(m_params, "variation_strength"); strength > 0) {
            NoiseContext other = c;
            other.seed = unsignedInteger(m_params, "variation_seed");
            other.sharedAcrossImages = false;
            slerp(strength, z, download(m_info.make(other, m_params)->initial()).toDoubles(), c,
                  text(m_params, "variation_rule") == "a1111" ? VariationRule::A1111 : VariationRule::Sphere);
        }
        if (resized) {
            auto full = download(m_main->initial()).toDoubles();
            pasteCentre(full, z, m_context, height, width);
            z = std::move(full);
        }
        if (const double offset = real(m_params, "offset"); offset > 0) addChannelOffset(z, m_context, offset);
        return upload(m_context.backend, HostTensor::fromDoubles(m_context.shape, z)).converted(m_context.type);
    }
    Tensor step(const NoiseRequest& q) override { return m_main->step(q); }
    void skip(int draws) override { m_main->skip(draws); }

private:
    const NoiseInfo& m_info;
    Params m_params;
    NoiseContext m_context;
    std::unique_ptr<NoiseSource> m_main;
};

}  // namespace

std::unique_ptr<NoiseSource> withVariation(const NoiseInfo& info, const Params& params, const NoiseContext& context) {
    const bool varies = real(params, "variation_strength") > 0,
               resized = params.contains("resize_height") || params.contains("resize_width");
    if (!varies && !resized && real(params, "offset") == 0) return info.make(context, params);
    NoiseContext c = context;
    c.sharedAcrossImages = varies;
    return std::make_unique<Varied>(info, params, c);
}

}  // namespace meander::noise
