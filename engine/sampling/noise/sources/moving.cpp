// Noise fixed to the scene: shifted and turned with the image. White noise has no values at points but integrals over
// areas (Chang et al. 2024, "How I warped your noise"): each cell of the scene holds unit noise, split into sub-cells
// whose sum it is; a pixel of the moved image sums the sub-cells under it. Pixels tile the plane, so they stay
// independent and of unit variance, and share with the old image what they cover. Whole shifts and quarter turns are
// exact.
#include <algorithm>
#include <cmath>

#include "engine/sampling/noise/noise.h"

namespace meander::noise {

namespace {

constexpr std::uint32_t cellPurpose = 0x4D000000u, subCellPurpose = 0x4E000000u;

// Standard normal number `index` of a cell of the endless scene.
double cellNormal(const NoiseContext& c, std::uint32_t image, std::uint32_t draw, std::int64_t row, std::int64_t column,
                  std::uint32_t purpose, int index) {
    double four[4];
    kernels::normal4({c.seed, image, draw, purpose}, std::uint32_t(std::uint16_t(row)) << 16 | std::uint16_t(column),
                     four);
    return four[index];
}

struct Motion {
    double shiftX, shiftY, cosine, sine;
    double halfWidth, halfHeight;
    // Where a point of the scene lies in the moved image, and back. Counter-clockwise as seen, rows going down.
    void toImage(double x, double y, double& px, double& py) const {
        const double dx = x - halfWidth, dy = y - halfHeight;
        px = cosine * dx + sine * dy + halfWidth + shiftX;
        py = -sine * dx + cosine * dy + halfHeight + shiftY;
    }
    void toScene(double px, double py, double& x, double& y) const {
        const double dx = px - halfWidth - shiftX, dy = py - halfHeight - shiftY;
        x = cosine * dx - sine * dy + halfWidth;
        y = sine * dx + cosine * dy + halfHeight;
    }
};

bool isWhole(double v) { return std::abs(v - std::round(v)) < 1e-9; }

class Moving final : public NoiseSource {
public:
    Moving(const NoiseContext& c, const Params& p) : m_context(c), m_sub(int(integer(p, "subdivision"))) {
        const double turns = std::fmod(real(p, "rotation"), 360.0) / 90, angle = turns * M_PI / 2;
        m_motion = {real(p, "shift_x"),
                    real(p, "shift_y"),
                    isWhole(turns) ? std::round(std::cos(angle)) : std::cos(angle),
                    isWhole(turns) ? std::round(std::sin(angle)) : std::sin(angle),
                    0,
                    0};
        m_motion.halfWidth = double(c.shape[2]) / 2;
        m_motion.halfHeight = double(c.shape[1]) / 2;
        double x, y;
        m_motion.toScene(0.5, 0.5, x, y);
        m_exact = isWhole(turns) && isWhole(x - 0.5) && isWhole(y - 0.5);
    }
    Tensor initial() override { return draw(0); }
    Tensor step(const NoiseRequest& q) override { return draw(drawAddress(q)); }

private:
    Tensor draw(std::uint32_t number) const {
        std::vector<double> values(std::size_t(m_context.shape.count()));
        for (std::int64_t i = 0; i < m_context.shape[0]; ++i) {
            const auto one = std::span(values).subspan(std::size_t(i * m_context.shape.rowCount()),
                                                       std::size_t(m_context.shape.rowCount()));
            m_exact ? copyCells(one, m_context.sharedAcrossImages ? 0 : std::uint32_t(i), number)
                    : sumSubCells(one, m_context.sharedAcrossImages ? 0 : std::uint32_t(i), number);
        }
        return upload(m_context.backend, HostTensor::fromDoubles(m_context.shape, values)).converted(m_context.type);
    }
    double cell(std::uint32_t image, std::uint32_t number, std::int64_t row, std::int64_t column,
                std::int64_t channel) const {
        return cellNormal(m_context, image, number, row, column, cellPurpose | std::uint32_t(channel / 4),
                          int(channel % 4));
    }
    void copyCells(std::span<double> out, std::uint32_t image, std::uint32_t number) const {
        const std::int64_t width = m_context.shape[2], channels = m_context.shape[3];
        for (std::int64_t i = 0; i < std::int64_t(out.size()) / channels; ++i) {
            double x, y;
            m_motion.toScene(double(i % width) + 0.5, double(i / width) + 0.5, x, y);
            for (std::int64_t k = 0; k < channels; ++k)
                out[std::size_t(i * channels + k)] =
                    cell(image, number, std::int64_t(std::floor(y)), std::int64_t(std::floor(x)), k);
        }
    }
    void sumSubCells(std::span<double> out, std::uint32_t image, std::uint32_t number) const {
        const std::int64_t height = m_context.shape[1], width = m_context.shape[2], channels = m_context.shape[3];
        std::vector<int> counts(std::size_t(height * width), 0);
        double left = 1e18, right = -1e18, top = 1e18, bottom = -1e18;
        for (const auto& [px, py] : {std::pair(0.0, 0.0), std::pair(double(width), 0.0), std::pair(0.0, double(height)),
                                     std::pair(double(width), double(height))}) {
            double x, y;
            m_motion.toScene(px, py, x, y);
            left = std::min(left, x), right = std::max(right, x), top = std::min(top, y), bottom = std::max(bottom, y);
        }
        for (auto row = std::int64_t(std::floor(top)); double(row) < bottom; ++row)
            for (auto column = std::int64_t(std::floor(left)); double(column) < right; ++column)
                addCell(out, counts, image, number, row, column);
        for (std::size_t i = 0; i < counts.size(); ++i)
            for (std::int64_t k = 0; k < channels; ++k)
                out[i * std::size_t(channels) + std::size_t(k)] *= m_sub / std::sqrt(double(counts[i]));
    }
    // A cell's sub-cells, each to the pixel that its centre lies in.
    void addCell(std::span<double> out, std::vector<int>& counts, std::uint32_t image, std::uint32_t number,
                 std::int64_t row, std::int64_t column) const {
        const std::int64_t height = m_context.shape[1], width = m_context.shape[2], channels = m_context.shape[3];
        const int n = m_sub * m_sub;
        std::vector<std::int64_t> pixel(std::size_t(n), -1);
        bool any = false;
        for (int s = 0; s < n; ++s) {
            double px, py;
            m_motion.toImage(double(column) + (s % m_sub + 0.5) / m_sub, double(row) + (s / m_sub + 0.5) / m_sub, px,
                             py);
            if (px < 0 || py < 0 || px >= double(width) || py >= double(height)) continue;
            pixel[std::size_t(s)] = std::int64_t(py) * width + std::int64_t(px);
            ++counts[std::size_t(pixel[std::size_t(s)])];
            any = true;
        }
        if (!any) return;
        std::vector<double> fine(std::size_t(n), 0);
        for (std::int64_t k = 0; k < channels; ++k) {
            double mean = 0;
            for (int s = 0; s < n; ++s) {
                fine[std::size_t(s)] = cellNormal(m_context, image, number, row, column,
                                                  subCellPurpose | std::uint32_t(k << 8) | std::uint32_t(s / 4), s % 4);
                mean += fine[std::size_t(s)] / n;
            }
            const double share = cell(image, number, row, column, k) / n;
            // Independent normals of variance 1/n, given that they add up to the cell.
            for (int s = 0; s < n; ++s)
                if (pixel[std::size_t(s)] >= 0)
                    out[std::size_t(pixel[std::size_t(s)] * channels + k)] +=
                        share + (fine[std::size_t(s)] - mean) / m_sub;
        }
    }

    NoiseContext m_context;
    int m_sub;
    Motion m_motion{};
    bool m_exact = false;
};

}  // namespace

// Particles have no place in an image; theirs is the addressed noise.
static std::unique_ptr<NoiseSource> make(const NoiseContext& c, const Params& p) {
    if (!c.isImage || c.shape.rank() != 4) return findNoise("philox")->make(c, {});
    return std::make_unique<Moving>(c, p);
}

NoiseInfo moving() {
    return {
        .id = "moving",
        .label = "Moves with the image",
        .summary = "Noise fixed to the scene: shift and turn it, and what it draws goes along",
        .source = "Chang et al. 2024, integral noise; Yan et al. 2025, consistent flow distillation",
        .params =
            {withUnit(
                 realParam("shift_x", "Shift right", 0, -4096, 4096,
                           "In elements of the state (8 pixels of an image for usual latents). Whole shifts are exact.",
                           0.25),
                 "elements"),
             withUnit(realParam("shift_y", "Shift down", 0, -4096, 4096, "In elements of the state.", 0.25),
                      "elements"),
             withUnit(realParam("rotation", "Rotation", 0, -360, 360,
                                "Counter-clockwise about the middle. Quarter turns of square images are exact.", 1),
                      "degrees"),
             advanced(integerParam("subdivision", "Subdivision", 8, 2, 32,
                                   "Sub-cells along an element's side, for shifts and turns that are not exact."))},
        .make = make};
}

}  // namespace meander::noise
