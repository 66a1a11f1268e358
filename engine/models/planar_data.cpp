#include "engine/models/planar_data.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/api/philox.h"

namespace meander {
namespace {

constexpr double pi = std::numbers::pi;

// u, v uniform in (0, 1); noise two standard normals.
void moons(double u, double v, const double* noise, double* point) {
    const double a = pi * u, x = v < 0.5 ? std::cos(a) - 0.5 : 0.5 - std::cos(a),
                 y = v < 0.5 ? std::sin(a) - 0.25 : 0.25 - std::sin(a);
    point[0] = 1.4 * x + 0.08 * noise[0];
    point[1] = 1.4 * y + 0.08 * noise[1];
}
void spiral(double u, double, const double* noise, double* point) {
    const double a = 1.5 * pi * (0.15 + 1.85 * std::sqrt(u)), r = 2 * a / (3 * pi);
    point[0] = r * std::cos(a) + 0.05 * noise[0];
    point[1] = r * std::sin(a) + 0.05 * noise[1];
}
void checkerboard(double u, double v, const double*, double* point) {
    const int cell = int(8 * u), row = cell / 2, column = 2 * (cell % 2) + row % 2;
    // The rest of u within its cell is uniform again; v gives the other coordinate.
    point[0] = column + (8 * u - cell) - 2;
    point[1] = row + v - 2;
}
void eightGaussians(double u, double, const double* noise, double* point) {
    const double a = 2 * pi * int(8 * u) / 8;
    point[0] = 1.8 * std::cos(a) + 0.15 * noise[0];
    point[1] = 1.8 * std::sin(a) + 0.15 * noise[1];
}

}  // namespace

HostTensor drawPlanarData(const std::string& dataset, std::int64_t n, std::uint64_t seed) {
    const auto draw = dataset == "moons"             ? moons
                      : dataset == "spiral"          ? spiral
                      : dataset == "checkerboard"    ? checkerboard
                      : dataset == "eight-gaussians" ? eightGaussians
                                                     : nullptr;
    if (!draw) return {};
    std::vector<double> points(std::size_t(n) * 2);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto random =
            kernels::philox4x32(0, 1, std::uint32_t(i), 0x504c414e, std::uint32_t(seed), std::uint32_t(seed >> 32));
        double noise[4];
        kernels::normal4({seed, std::uint32_t(i), 0, 0x504c414e}, 0, noise);
        draw((random.v[0] + 0.5) / 4294967296.0, (random.v[1] + 0.5) / 4294967296.0, noise, points.data() + 2 * i);
    }
    return HostTensor::fromDoubles({n, 2}, points);
}

}  // namespace meander
