// The parts of a model, wherever they lie: a folder of diffusers, or one file that holds all or some of them. Each part
// has its configuration in the words of diffusers and transformers, read or derived from keys and shapes, and weights
// under the names that our networks read. Headers and configurations only: no weights are read.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/models/model.h"
#include "engine/weights/names/name_table.h"
#include "engine/weights/weight_file.h"

namespace meander {

struct PartFiles {
    Json config;
    std::string what;  // for messages: "'…/unet/config.json'"
    std::int64_t parameters = 0;
    std::size_t bytes = 0;                                // of the weights, as stored
    std::function<std::shared_ptr<WeightSource>()> open;  // throws Failure
    // The same under the names of its file, with the table that leads to ours; null: they are ours.
    std::function<std::shared_ptr<WeightSource>()> openStored;
    std::shared_ptr<const NameTable> names;
    std::string file;    // where the weights lie
    std::string format;  // of most of them: "F16"
};
// A part whose weights are the tensors under `prefix` of a file, with their scales, under the names of a table.
PartFiles partOf(const std::shared_ptr<FileWeights>& weights, const std::string& prefix, Json config,
                 const std::string& path, std::optional<NameTable> names = {});

struct ModelFiles;
// The codec of a network of pixels, which needs no weights; what is missing, where they are not of three colours.
void addPixels(ModelFiles& files);

struct TextFiles {
    PartFiles encoder;
    std::string tokenizer;  // folder or file of its vocabulary
};

struct ModelFiles {
    std::string path, name;
    std::string layout;             // as shown: "diffusers folder", "single file, LDM names, safetensors"
    std::string family;             // as shown: "Stable Diffusion XL"; empty: that of the architecture
    bool isOnlyRecognised = false;  // its network cannot be described yet: no more than its family is known
    PartFiles network;
    std::vector<TextFiles> text;
    std::string conditioner;  // how the texts are put together: id of the table of conditioners; empty: no text
    std::optional<PartFiles> codec;
    // What the model was trained with.
    Process process = Process::varianceExploding(0.002, 80);
    Parametrization parametrization = Parametrization::Epsilon;
    double sigmaData = 0.5;
    Distillation distillation = Distillation::None;
    std::optional<double> builtInGuidance;
    Json recommended;  // steps, guidance … over the general recommendation; null: none
    std::vector<Finding> findings;
    std::vector<std::string> missing;  // sentences; a model with missing parts can be inspected and not loaded
};

// A folder as diffusers writes it. Throws Failure.
bool isDiffusersFolder(const std::string& path);
ModelFiles openDiffusersFolder(const std::string& path);
// A file of weights, any format and layout. Throws Failure when it is no model of images, with what it is.
ModelFiles openModelFile(const std::string& path);

}  // namespace meander
