// A model in one file of weights: identified by its keys and shapes, never by its name.
#include "engine/models/model_files.h"
#include "engine/weights/weight_file.h"

namespace meander {

ModelFiles openModelFile(const std::string& path) {
    const auto file = WeightFile::open(path);
    if (!file) throw Failure(file.error().text);
    throw Failure(
        "The file '" + path
        + "' holds weights, but does not say of which network. Open the folder that it belongs to, or a model "
          "in the format of diffusers.");
}

}  // namespace meander
