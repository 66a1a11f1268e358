#include "engine/run/source_image.h"

#include "engine/core/param_specs.h"
#include "engine/imaging/png.h"

namespace meander {
namespace {

// Cut and scaled to the size of the run.
HostTensor readImage(const std::string& path, const ModelInfo& model) {
    const auto file = readPng(path);
    if (!file) throw Failure(file.error().text);
    const Shape& s = model.state.image;
    return tensorOf(fitted(file->image, int(s[1]), int(s[0])));
}

// 1 where the image is white, or lighter than the middle grey.
HostTensor readMask(const std::string& path, const ModelInfo& model) {
    const HostTensor image = readImage(path, model);
    const Shape s = image.shape();
    std::vector<float> mask(std::size_t(s[1] * s[2]));
    for (std::size_t i = 0; i < mask.size(); ++i) {
        const auto rgb = image.floats().subspan(3 * i, 3);
        mask[i] = rgb[0] + rgb[1] + rgb[2] >= 1.5f ? 1.0f : 0.0f;
    }
    return HostTensor::fromFloats({1, s[1], s[2], 1}, mask);
}

}  // namespace

const std::vector<SourceInfo>& sources() {
    static const std::vector<SourceInfo> table{
        {"none", "None", "No image; most models take none", {}},
        {"image",
         "Image",
         "An image that a model for inpainting or editing draws into or changes (Rombach et al. 2022; Brooks et al. "
         "2023)",
         {imageParam("file", "Image",
                     "A PNG, which is cut and scaled to the size of the run; empty: the one that the run starts from."),
          imageParam("mask", "Mask", "A PNG for inpainting, white where the image is drawn anew.")}}};
    return table;
}

const SourceInfo* findSource(const std::string& id) {
    for (const auto& s : sources())
        if (s.id == id) return &s;
    return nullptr;
}

std::shared_ptr<const SourceImage> resolveSource(const Recipe& r, const ModelInfo& model) {
    const bool isGiven = r.source.id != "none", isInpainting = model.imageCondition == ImageCondition::Inpainting;
    if (model.imageCondition == ImageCondition::None) {
        if (isGiven)
            throw Failure(model.name
                          + " takes no source image. Set the source image to none; to change an image with this model, "
                            "start from it (start=data), or hold what is known of it (guidance=data_consistency).");
        return nullptr;
    }
    std::string file = isGiven ? text(r.source.params, "file") : std::string();
    const std::string mask = isGiven ? text(r.source.params, "mask") : std::string();
    if (file.empty() && r.start.id == "data") file = text(r.start.params, "file");
    if (file.empty())
        throw Failure(model.name + (isInpainting ? " draws into an image" : " changes an image")
                      + ", and the recipe names none. Choose one (source=image, source.file).");
    if (isInpainting && mask.empty())
        throw Failure(model.name
                      + " draws where a mask is white, and the recipe names none. Choose one (source=image, "
                        "source.mask).");
    if (!isInpainting && !mask.empty())
        throw Failure(model.name + " changes the whole image and takes no mask. Remove it (source.mask).");
    auto source = std::make_shared<SourceImage>();
    source->image = readImage(file, model);
    if (isInpainting) source->mask = readMask(mask, model);
    return source;
}

}  // namespace meander
