// Codecs: between states and images, on the device. The table: a new one is a file with `const CodecKind& name()` and a
// line in list.inl.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/imaging/pixel_map.h"
#include "engine/models/layers/builder.h"

namespace meander {

class Codec {
public:
    virtual ~Codec() = default;
    // States as the denoiser sees them (n, h, w, c) F32 → images (n, h', w', 3) F32 in [0, 1], not clipped; and back.
    // Throws Failure where a size does not fit.
    virtual Tensor decode(const Tensor& states) const = 0;
    virtual Tensor encode(const Tensor& images) const = 0;
    // Estimated activation memory of decoding one state of height · width cells, in bytes.
    virtual std::size_t bytesToDecode(int height, int width) const = 0;

    std::int64_t parameters = 0;
    std::size_t weightBytes = 0;
};

struct CodecFacts {
    int channels = 3;  // of a state
    int factor = 1;    // pixels per cell along each side
    bool hasEncoder = true;
    // What decoding does where it needs no network; else how states look without it, where that is known beforehand.
    std::optional<PixelMap> pixels;
};

struct CodecKind {
    const char* className;  // diffusers' `_class_name`
    const char* name;       // as shown: "KL autoencoder"
    // Throws Failure.
    CodecFacts (*describe)(const Json& config, const std::string& what);
    // Reads the weights by diffusers' names. Throws Failure.
    std::unique_ptr<Codec> (*build)(const Json& config, const std::string& what, NetworkBuilder& builder);
};

// How the states of a codec that is a network look without it: the linear map nearest to the codec itself, on images of
// smooth colours that its encoder turns into states (or, without an encoder, on smooth states).
PixelMap measuredPixelMap(const Codec& codec, Backend& backend, const CodecFacts& facts);

const std::vector<const CodecKind*>& codecKinds();
const CodecKind* findCodec(const std::string& className);

}  // namespace meander
