// The default: every number has an address (seed, image, draw, element), so images do not depend on their number,
// on the device, on pausing, branching or replay.
#include "engine/sampling/noise/noise.h"

namespace meander::noise {

namespace {
class Addressed final : public NoiseSource {
public:
    explicit Addressed(const NoiseContext& c) : m_context(c) {}
    Tensor initial() override { return normals(0); }
    Tensor step(const NoiseRequest& q) override { return normals(drawAddress(q)); }

private:
    Tensor normals(std::uint32_t draw) const {
        Tensor z(m_context.backend, m_context.shape, m_context.type);
        std::vector<kernels::NoiseAddress> addresses;
        for (std::int64_t i = 0; i < z.rows(); ++i)
            addresses.push_back({m_context.seed, m_context.sharedAcrossImages ? 0 : std::uint32_t(i), draw, 0});
        m_context.backend.normal(addresses, z);
        return z;
    }
    NoiseContext m_context;
};
}  // namespace

static std::unique_ptr<NoiseSource> make(const NoiseContext& c, const Params&) {
    return std::make_unique<Addressed>(c);
}

NoiseInfo philox() {
    return {.id = "philox",
            .label = "Addressed (Meander)",
            .summary = "The same on every device, for any number of images, paused, branched or replayed",
            .source = "Philox 4x32-10, Salmon et al. 2011",
            .make = make};
}

}  // namespace meander::noise
