#include "engine/sampling/manifold_common.h"

namespace meander {

namespace {

// f(row of x, row of y, row of the result); y may be empty.
Tensor rowwise(const Tensor& x, const Tensor& y,
               const std::function<void(std::span<const double>, std::span<const double>, std::span<double>)>& f) {
    const std::vector<double> a = download(x).toDoubles(), b = y ? download(y).toDoubles() : std::vector<double>();
    std::vector<double> result(a.size());
    const std::size_t n = std::size_t(x.shape().rowCount());
    for (std::size_t at = 0; at + n <= a.size(); at += n)
        f(std::span(a).subspan(at, n), y ? std::span(b).subspan(at, n) : std::span<const double>(),
          std::span(result).subspan(at, n));
    return upload(x.backend(), HostTensor::fromDoubles(x.shape(), result)).converted(x.type());
}

}  // namespace

Tensor alongGeodesic(const Manifold& m, const Tensor& x, const Tensor& toward, double factor) {
    if (m.isFlat()) return (1 - factor) * x + factor * toward;
    return rowwise(x, toward, [&](auto from, auto to, auto end) {
        std::vector<double> v(from.size());
        m.log(from, to, v);
        for (double& c : v) c *= factor;
        m.exp(from, v, end);
    });
}

Tensor randomWalk(const Manifold& m, const Tensor& x, const Tensor& toward, double factor, const Tensor& normals,
                  double noiseStd) {
    if (m.isFlat()) return (1 - factor) * x + factor * toward + noiseStd * normals;
    const std::vector<double> z = download(normals).toDoubles();
    std::size_t at = 0;
    return rowwise(x, toward, [&](auto from, auto to, auto end) {
        std::vector<double> v(from.size()),
            noise(z.begin() + std::ptrdiff_t(at), z.begin() + std::ptrdiff_t(at + from.size()));
        at += from.size();
        m.log(from, to, v);
        m.makeTangentNormal(from, noise);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = factor * v[i] + noiseStd * noise[i];
        m.exp(from, v, end);
    });
}

Tensor tangentTo(const Manifold& m, const Tensor& x, const Tensor& toward, double factor) {
    if (m.isFlat()) return factor * (toward - x);
    return rowwise(x, toward, [&](auto from, auto to, auto v) {
        m.log(from, to, v);
        for (double& c : v) c *= factor;
    });
}

Tensor retracted(const Manifold& m, const Tensor& moved) {
    if (m.isFlat()) return moved;
    return rowwise(moved, {}, [&](auto x, auto, auto end) {
        std::copy(x.begin(), x.end(), end.begin());
        m.retract(end);
    });
}

Tensor priorOf(const Manifold& m, const Tensor& normals) {
    if (m.isFlat()) return normals;
    return rowwise(normals, {}, [&](auto z, auto, auto end) {
        std::copy(z.begin(), z.end(), end.begin());
        m.makePrior(end);
    });
}

}  // namespace meander
