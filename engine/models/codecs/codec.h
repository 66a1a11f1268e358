// Between states and images.
#pragma once
#include <memory>
#include <optional>

#include "engine/core/json.h"
#include "engine/imaging/pixel_map.h"
#include "engine/models/model.h"

namespace meander {

class Codec {
public:
    virtual ~Codec() = default;
    // (h, w, 3) of the image for a state of (h, w, c).
    virtual Shape imageShape(const Shape& state) const = 0;
    virtual HostTensor decode(const HostTensor& states) const = 0;  // (n, h, w, c) → (n, h', w', 3), not clipped
    virtual HostTensor encode(const HostTensor& images) const = 0;  // and back
    // What decode does, where it needs no network.
    virtual std::optional<PixelMap> pixelMap() const { return {}; }
};

// Pixels, no network: state = (pixelUnshuffle(2·image − 1) − shift)·scale.
class PixelShuffleCodec final : public Codec {
public:
    PixelShuffleCodec(int factor, double scale, double shift) : m_factor(factor), m_scale(scale), m_shift(shift) {}
    Shape imageShape(const Shape& state) const override;
    HostTensor decode(const HostTensor& states) const override;
    HostTensor encode(const HostTensor& images) const override;
    std::optional<PixelMap> pixelMap() const override;

private:
    int m_factor;
    double m_scale, m_shift;
};

// codec/config.json. Throws Failure.
std::unique_ptr<Codec> codecFrom(const Json& config, const std::string& what);

// How states of a model look as images without its network; none: points, or a codec that is a network. From the codec
// of its folder, read once; where there is none from the shapes, on the scale of pixels in [−1, 1]. Any thread.
std::optional<PixelMap> pixelMapOf(const ModelInfo& model);

}  // namespace meander
