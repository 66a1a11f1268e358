#include "engine/guidance/reference.h"

#include "engine/imaging/png.h"

namespace meander {

HostTensor referenceImage(const std::string& path, const ModelInfo& model, const std::string& rule) {
    if (model.state.kind != StateKind::Image)
        throw Failure(rule + " cannot use a reference image: '" + model.name
                      + "' draws points. Give numbers instead, or choose a model of images.");
    auto file = readPng(path);
    if (!file) throw Failure(file.error().text);
    const Image& p = file->image;
    const Shape& s = model.state.image;
    if (p.height != s[0] || p.width != s[1])
        throw Failure("The reference image '" + path + "' has " + std::to_string(p.width) + " × "
                      + std::to_string(p.height) + " pixels, but '" + model.name + "' draws " + std::to_string(s[1])
                      + " × " + std::to_string(s[0]) + ". Resize it first.");
    return tensorOf(p);
}

Tensor referenceState(const HostTensor& image, const Model& model, const Tensor& like) {
    const Tensor one = upload(like.backend(), model.encode(image)).converted(like.type());
    const std::vector<Tensor> rows(std::size_t(like.rows()), one);
    return stackRows(rows).reshaped(like.shape());
}

}  // namespace meander
