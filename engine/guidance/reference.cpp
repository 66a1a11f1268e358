#include "engine/guidance/reference.h"

#include "engine/exchange/png.h"

namespace meander {

HostTensor referencePicture(const std::string& path, const ModelInfo& model, const std::string& rule) {
    if (model.state != StateKind::Image)
        throw Failure(rule + " cannot use a reference picture: '" + model.name
                      + "' draws points. Give numbers instead, or choose a model of pictures.");
    auto file = readPng(path);
    if (!file) throw Failure(file.error().text);
    const Picture& p = file->picture;
    const Shape& s = model.pictureShape;
    if (p.height != s[0] || p.width != s[1])
        throw Failure("The reference picture '" + path + "' has " + std::to_string(p.width) + " × "
                      + std::to_string(p.height) + " pixels, but '" + model.name + "' draws " + std::to_string(s[1])
                      + " × " + std::to_string(s[0]) + ". Resize it first.");
    return tensorOf(p);
}

Tensor referenceState(const HostTensor& picture, const Model& model, const Tensor& like) {
    const Tensor one = upload(like.backend(), model.encode(picture)).converted(like.type());
    const std::vector<Tensor> rows(std::size_t(like.rows()), one);
    return stackRows(rows).reshaped(like.shape());
}

}  // namespace meander
