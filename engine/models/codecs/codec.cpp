#include "engine/models/codecs/codec.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

namespace meander {
Shape PixelShuffleCodec::imageShape(const Shape& state) const {
    if (state.rank() != 3 || state[2] != 3 * std::int64_t(m_factor) * m_factor)
        throw Failure("The codec of this model expects states with " + std::to_string(3 * m_factor * m_factor)
                      + " channels, but the network has the shape " + state.text()
                      + ". Its parts do not belong together.");
    return {state[0] * m_factor, state[1] * m_factor, 3};
}

HostTensor PixelShuffleCodec::decode(const HostTensor& states) const {
    const Shape s = states.shape();
    if (s.rank() != 4) throw std::invalid_argument("decode: states must be (n, h, w, c), not " + s.text());
    static_cast<void>(imageShape({s[1], s[2], s[3]}));  // throws where the shape does not fit
    return applyPixelMap(*pixelMap(), states);
}

std::optional<PixelMap> PixelShuffleCodec::pixelMap() const {
    return PixelMap{m_factor, 0.5 / m_scale, 0.5 * m_shift + 0.5};
}

HostTensor PixelShuffleCodec::encode(const HostTensor& images) const {
    const Shape s = images.shape();
    if (s.rank() != 4 || s[3] != 3 || s[1] % m_factor != 0 || s[2] % m_factor != 0)
        throw Failure("An image of " + s.text() + " does not fit this model: its height and width must be multiples of "
                      + std::to_string(m_factor) + ".");
    const HostTensor states = foldPixels(images, m_factor);
    std::vector<float> v = states.toFloats();
    for (float& x : v) x = float((2.0 * x - 1.0 - m_shift) * m_scale);
    return HostTensor::fromFloats(states.shape(), v);
}

std::unique_ptr<Codec> codecFrom(const Json& config, const std::string& what) {
    const std::string kind = jsonText(config, "_class_name", "", what);
    if (kind != "PixelShuffleCodec")
        throw Failure("The codec described in " + what + " is of the kind '" + kind
                      + "', which Meander cannot use yet. It knows PixelShuffleCodec.");
    const std::int64_t factor = jsonInteger(config, "factor", 2, what);
    const double scale = jsonReal(config, "scale", 1, what), shift = jsonReal(config, "shift", 0, what);
    if (factor < 1 || factor > 64 || !(scale > 0))
        throw Failure("The codec described in " + what
                      + " has an impossible factor or scale. The file may be damaged.");
    return std::make_unique<PixelShuffleCodec>(int(factor), scale, shift);
}

namespace {

// Of the codec in a model's folder; none without one.
std::optional<PixelMap> mapInFolder(const std::string& folder) {
    const std::string path = (std::filesystem::path(folder) / "codec" / "config.json").string();
    std::ifstream in(path, std::ios::binary);
    if (!in) return {};
    const Json config = Json::parse(in, nullptr, false);
    try {
        return config.is_object() ? codecFrom(config, "'" + path + "'")->pixelMap() : std::nullopt;
    } catch (const Failure&) {
        return {};
    }
}

std::optional<PixelMap> mapOfShapes(const ModelInfo& m) {
    const Shape &s = m.stateShape, &p = m.imageShape;
    if (m.state != StateKind::Image || s.rank() != 3 || p.rank() != 3 || s[1] <= 0 || p[1] % s[1] != 0) return {};
    const std::int64_t fold = p[1] / s[1];
    if (fold < 1 || fold > 64 || s[2] != 3 * fold * fold) return {};
    return PixelMap{int(fold), 0.5, 0.5};
}

}  // namespace

std::optional<PixelMap> pixelMapOf(const ModelInfo& model) {
    const auto byShapes = mapOfShapes(model);
    if (!byShapes || model.id.find('/') == std::string::npos) return byShapes;
    static std::mutex mutex;
    static std::map<std::string, std::optional<PixelMap>> known;
    const std::lock_guard lock(mutex);
    const auto [it, isNew] = known.try_emplace(model.id);
    if (isNew) it->second = mapInFolder(model.id);
    return it->second && it->second->fold == byShapes->fold ? it->second : byShapes;
}

}  // namespace meander
