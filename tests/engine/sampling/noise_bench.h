// The three processes by name, and Philox noise as the engine addresses it.
#pragma once
#include <QtTest>

#include "tests/engine/sampling/oracle_bench.h"

namespace meander::bench {

inline Process processNamed(const QString& name) {
    if (name == "edm") return Process::varianceExploding(0.002, 80);
    if (name == "vp") return Process::vpScaledLinear(1000, 0.00085, 0.012);
    return Process::rectifiedFlow();
}
inline const QStringList processNames = {"edm", "vp", "flow"};

inline Tensor tensorOf(Shape shape, const std::vector<double>& values) {
    return upload(cpu(), HostTensor::fromDoubles(shape, values));
}
inline NoiseFunction philox(std::uint64_t seed) {
    return [seed](const NoiseRequest& q, const Tensor& like) {
        Tensor z(cpu(), like.shape(), like.type());
        std::vector<kernels::NoiseAddress> addresses;
        for (std::int64_t i = 0; i < like.rows(); ++i)
            addresses.push_back({seed, std::uint32_t(i), std::uint32_t(q.step * 4096 + 1 + q.draw), 0});
        cpu().normal(addresses, z);
        return z;
    };
}
inline Tensor normals(std::int64_t rows, std::int64_t width, std::uint64_t seed) {
    return philox(seed)({-1, 4095, 0, 0}, Tensor(cpu(), {rows, width}, DType::F64));
}

}  // namespace meander::bench
