// Families of models, as data: how the tensors of a file tell one, and what follows from it. Facts that keys and shapes
// do not tell (the noise of the training, scales of latents, usual settings) stand in these tables.
#pragma once
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/models/families/tensor_list.h"
#include "engine/process/parametrization.h"

namespace meander {

struct ModelFiles;

// A file of weights whose family is known.
struct FamilyFile {
    const FileWeights& weights;
    const TensorList& all;      // under their full names
    const TensorList& network;  // without the prefix of the network

    // The values of a tensor by its full name. Throws Failure.
    std::vector<float> values(const std::string& name) const;
    std::string metadata(const std::string& key) const;  // empty: none
};

struct Family {
    const char *id, *name;
    const char* test;       // of TensorList::fits, on the network's tensors without their prefix
    const char* className;  // of diffusers; of a family that Meander may not compute yet too
    // The configuration in diffusers' words; null: the family is recognised only.
    Json (*config)(const TensorList& network, const Family& family) = nullptr;
    const char* names = "";  // table of names of the network; empty: those of diffusers
    std::string (*ownNames)(const TensorList& network) = nullptr;  // such a table, where it follows from the tensors
    const char* codec = "";                                        // id of codecFacts
    const char* texts = "";                                        // ids of textRoles, separated by spaces
    const char* conditioner = "";                                  // id of the table of conditioners
    int size = 1024;  // pixels along each side of the images it was trained on
    // Noise of the training: a rectified flow with this shift; 0: the β of Stable Diffusion.
    double shift = 0;
    // What the network predicts and how it was distilled, where the file tells more than the family; may be null.
    void (*refine)(const FamilyFile& file, ModelFiles& files) = nullptr;
    const char* recommended = "{}";  // keys of the recipe, over the general recommendation
};

// In the order of their tests: the first that fits.
const std::vector<Family>& families();
const Family* familyOf(const TensorList& network);

// Scale and class of the latents of a family. The rest follows from shapes.
struct CodecFormat {
    const char *id, *name, *className;
    int channels;          // of the latents
    const char* settings;  // JSON, over the derived configuration
};
const CodecFormat* findCodecFormat(const std::string& id);
// An AutoencoderKL under the names of LDM or of diffusers, or the codec of Qwen-Image under those of its authors or of
// diffusers; none where the tensors are not that of the format.
std::optional<Json> autoencoderConfig(const TensorList& codec, const CodecFormat& format);
// The table of names that the tensors of a codec are stored under; empty: those that it reads.
const char* codecNames(const TensorList& codec);

// A text encoder that a family needs.
struct TextRole {
    const char *id, *name;
    const char* test;       // on the tensors of a file that holds it alone
    const char* prefixes;   // where it stands in files of whole models, separated by spaces
    const char* tokenizer;  // id of the table of tokenizers to look for
    Json (*config)(const TensorList& text, const TextRole& role);
};
const TextRole* findTextRole(const std::string& id);
const std::vector<TextRole>& textRoles();
// The table of names that the tensors are stored under; empty: those of transformers.
const char* textNames(const TensorList& text);

// Files of weights that are no model by themselves.
struct OtherKind {
    const char *name, *test, *remedy;
};
const OtherKind* otherKindOf(const TensorList& all);

// Configurations by shapes.
Json ldmUnetConfig(const TensorList& network, const Family& family);
Json fluxConfig(const TensorList& network, const Family& family);
Json flux2Config(const TensorList& network, const Family& family);
Json sd3Config(const TensorList& network, const Family& family);
Json zImageConfig(const TensorList& network, const Family& family);
Json lumina2Config(const TensorList& network, const Family& family);
Json chromaConfig(const TensorList& network, const Family& family);
Json qwenImageConfig(const TensorList& network, const Family& family);
Json pixArtConfig(const TensorList& network, const Family& family);
Json sanaConfig(const TensorList& network, const Family& family);
Json ditConfig(const TensorList& network, const Family& family);
Json pixelUnetConfig(const TensorList& network, const Family& family);
std::string pixelUnetNames(const TensorList& network);
Json clipConfig(const TensorList& text, const TextRole& role);
Json t5Config(const TensorList& text, const TextRole& role);
Json decoderTextConfig(const TensorList& text, const TextRole& role);

// What a file tells beyond its family.
void refineSd1(const FamilyFile& file, ModelFiles& files);
void refineSd2(const FamilyFile& file, ModelFiles& files);
void refineSdxl(const FamilyFile& file, ModelFiles& files);
void refineDdpm(const FamilyFile& file, ModelFiles& files);  // β linear as Ho et al. 2020, noise predicted
void refineDit(const FamilyFile& file, ModelFiles& files);
void refinePixelUnet(const FamilyFile& file, ModelFiles& files);
void refineFlow(const FamilyFile& file, ModelFiles& files);  // of families without one of their own

std::vector<std::string> wordsOf(const std::string& text);  // separated by spaces

}  // namespace meander
