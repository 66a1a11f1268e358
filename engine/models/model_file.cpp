// A model in one file of weights: identified by its keys, shapes and metadata, never by its name (tables:
// models/families). Parts that it lacks are looked for.
#include <algorithm>
#include <filesystem>

#include "engine/core/printable.h"
#include "engine/models/families/family.h"
#include "engine/models/families/part_search.h"
#include "engine/models/model_files.h"
#include "engine/weights/lora/lora.h"
#include "engine/weights/renamed.h"
#include "engine/weights/scaled_weights.h"

namespace meander {

namespace fs = std::filesystem;

namespace {

constexpr const char* networkPrefixes[] = {"model.diffusion_model.", "diffusion_model.", "net.", "module.", ""};
constexpr const char* codecPrefixes[] = {"first_stage_model.", "vae."};

// One of several shards is opened with all of them.
std::shared_ptr<FileWeights> openWeights(const std::string& path) {
    const fs::path file = path;
    const std::string stem = file.stem().string(), marks = "-00000-of-00000";
    if (stem.size() > marks.size()) {
        const std::string base = stem.substr(0, stem.size() - marks.size()), tail = stem.substr(base.size());
        std::error_code error;
        if (tail[0] == '-' && tail.substr(6, 4) == "-of-"
            && fs::exists(file.parent_path() / (base + file.extension().string() + ".index.json"), error)) {
            auto all = FileWeights::open(file.parent_path().string(), base);
            if (!all) throw Failure(all.error().text);
            return std::move(*all);
        }
    }
    auto weights = FileWeights::open(path);
    if (!weights) throw Failure(weights.error().text);
    return std::move(*weights);
}

std::string inQuotes(const std::string& path) { return "'" + path + "'"; }

// Files quantised by programs whose formats cannot be computed with.
void refuseForeignFormats(const TensorList& all, const std::string& path) {
    struct Sign {
        const char *ending, *program;
    };
    static const Sign signs[] = {{".wscales", "SVDQuant (Nunchaku)"},
                                 {".smooth_factor", "SVDQuant (Nunchaku)"},
                                 {".quant_map", "bitsandbytes"},
                                 {".absmax", "bitsandbytes"},
                                 {".encoded_exponent", "DFloat11"}};
    for (const auto& [name, entry] : all.entries())
        for (const Sign& s : signs)
            if (name.ends_with(s.ending))
                throw Failure(
                    "The weights in " + inQuotes(path) + " are packed by " + s.program + " (tensor '" + printable(name)
                    + "'), which Meander cannot compute with. Use the model as F16, BF16, fp8, int8 or GGUF.");
}

bool isLora(const std::shared_ptr<FileWeights>& weights) {
    try {
        Lora(weights->files().front());
        return true;
    } catch (const Failure&) {
        return false;
    }
}

[[noreturn]] void refuse(const std::shared_ptr<FileWeights>& weights, const TensorList& all, const std::string& path) {
    if (isLora(weights))
        throw Failure(inQuotes(path)
                      + " is a LoRA, a change of a model. Open the model that it was made for, and add it "
                        "there.");
    if (const OtherKind* kind = otherKindOf(all))
        throw Failure(inQuotes(path) + " is " + kind->name + ", not a whole model. " + kind->remedy);
    throw Failure("The file " + inQuotes(path)
                  + " holds weights, but does not say of which network. Open the folder that it belongs to, or a model "
                    "in the format of diffusers.");
}

// The part of a diffusers folder that a file is, opened with the rest of its model.
std::optional<std::string> folderOfPart(const std::string& path) {
    const fs::path folder = fs::path(path).parent_path();
    std::error_code error;
    if (!fs::is_regular_file(folder / "config.json", error) || !isDiffusersFolder(folder.parent_path().string()))
        return {};
    return folder.parent_path().string();
}

std::string formatOf(const TensorList& list) {
    std::map<std::string, std::size_t> bytes;
    for (const auto& [name, e] : list.entries()) bytes[e->type->name] += std::size_t(e->bytes);
    const auto most =
        std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == bytes.end() ? "" : most->first;
}

// In the last block of Stable Diffusion 3 the modulation of the text has two parts, stored the other way round.
NameTable networkNames(const TensorList& network, const Family& family) {
    const NameTable& table = *NameTable::named(family.names);
    const std::string last = std::to_string(network.blocks("joint_blocks.") - 1),
                      modulation = "joint_blocks." + last + ".context_block.adaLN_modulation.1.";
    const std::int64_t rows = network.extent(modulation + "weight", 0),
                       width = network.extent(modulation + "weight", 1);
    if (rows == 0 || rows != 2 * width) return table;
    return table.before("transformer_blocks." + last + ".norm1_context.linear.* " + modulation + "* swap");
}

void addFinding(ModelFiles& files, const char* key, const std::string& value, const std::string& reason,
                Finding::Source source = Finding::Read) {
    files.findings.push_back({key, value, reason, source});
}

void addNetwork(ModelFiles& files, const std::shared_ptr<FileWeights>& weights, const TensorList& network,
                const Family& family) {
    Json config = {{"_class_name", family.className}};
    std::optional<NameTable> names;
    if (family.config) config = family.config(network, family);
    if (*family.names && NameTable::named(family.names)) names = networkNames(network, family);
    if (family.ownNames) names = NameTable(family.ownNames(network));
    files.isOnlyRecognised = !family.config;
    files.network = partOf(weights, network.prefix(), std::move(config), files.path, std::move(names));
    files.family = family.name;
    std::string why = wordsOf(family.test).front();
    addFinding(files, "family", family.name,
               "Its tensors fit the test of this family, among them '"
                   + network.find(why.substr(0, why.find('['))).value_or(why) + "'.");
}

// The codec inside the file, else one with fitting latents from elsewhere.
void addCodec(ModelFiles& files, const std::shared_ptr<FileWeights>& weights, const CodecFormat& format) {
    const auto fits = [&](const TensorList& list) {
        const auto config = autoencoderConfig(list, format);
        return config && (*config)["latent_channels"] == format.channels;
    };
    const auto take = [&](const std::shared_ptr<FileWeights>& from, const std::string& prefix,
                          const std::string& path) {
        const TensorList list(from, prefix);
        std::optional<NameTable> names;
        if (const char* table = codecNames(list); *table) names = *NameTable::named(table);
        files.codec = partOf(from, prefix, *autoencoderConfig(list, format), path, std::move(names));
    };
    for (const char* prefix : codecPrefixes)
        if (const TensorList list(weights, prefix); !list.isEmpty() && fits(list)) {
            take(weights, prefix, files.path);
            addFinding(files, "codec", format.name, "It lies in the file, under '" + std::string(prefix) + "'.");
            return;
        }
    Places looked;
    const auto found = findWeights(files.path, {"vae", "VAE"}, {"", "first_stage_model.", "vae."}, fits, looked);
    if (!found) {
        files.missing.push_back("The file " + inQuotes(files.path) + " holds no codec. It needs the " + format.name
                                + "; none was found in " + listed(looked) + ".");
        return;
    }
    take(found->weights, found->prefix, found->path);
    addFinding(files, "codec", format.name,
               "The file holds none; " + inQuotes(found->path)
                   + " has latents of as many channels, and is taken for the codec of this family.",
               Finding::Assumed);
}

struct FoundText {
    std::shared_ptr<FileWeights> weights;
    std::string path, prefix;
    bool isInside;
};

std::optional<FoundText> findText(const ModelFiles& files, const std::shared_ptr<FileWeights>& weights,
                                  const TextRole& role, Places& looked) {
    for (const auto& prefix : wordsOf(role.prefixes))
        if (const TensorList list(weights, prefix); !list.isEmpty())
            return FoundText{weights, files.path, prefix, true};
    auto found = findWeights(
        files.path, {"text_encoders", "text_encoder", "text_encoder_2", "text_encoder_3", "clip"}, {"", "transformer."},
        [&](const TensorList& list) { return list.fits(role.test); }, looked);
    if (!found) return {};
    return FoundText{found->weights, found->path, found->prefix, false};
}

void addText(ModelFiles& files, const std::shared_ptr<FileWeights>& weights, const TextRole& role, int index) {
    Places looked;
    const auto found = findText(files, weights, role, looked);
    if (!found) {
        files.missing.push_back("The file " + inQuotes(files.path) + " holds no text encoder " + role.name
                                + ", which its network needs; none was found in " + listed(looked) + ".");
        return;
    }
    const TensorList list(found->weights, found->prefix);
    std::optional<NameTable> names;
    if (*textNames(list)) names = *NameTable::named(textNames(list));
    TextFiles text;
    text.encoder = partOf(found->weights, found->prefix, role.config(list, role), found->path, std::move(names));
    addFinding(files, "text encoder", role.name,
               found->isInside
                   ? "It lies in the file, under '" + found->prefix + "'."
                   : "The file holds none; " + inQuotes(found->path) + " has its tensors and their shapes.");
    Places vocabularies;
    if (const auto tokenizer = findTokenizer(role.tokenizer, files.path, index, vocabularies)) {
        text.tokenizer = *tokenizer;
        addFinding(files, "tokenizer", *tokenizer,
                   "Files of weights hold no vocabulary; this one was found for " + std::string(role.name) + ".");
    } else {
        files.missing.push_back("Files of weights hold no vocabulary. The one of " + std::string(role.name)
                                + " (vocab.json and merges.txt, tokenizer.json, or the model of sentencepiece) was not "
                                  "found in "
                                + listed(vocabularies) + ".");
    }
    files.text.push_back(std::move(text));
}

void addTraining(ModelFiles& files, const Family& family) {
    if (family.shift > 0) {
        files.process = Process::rectifiedFlow(1000, family.shift);
        files.parametrization = Parametrization::FlowVelocity;
        addFinding(files, "prediction", nameOf(files.parametrization), "All models of this family are rectified flows.",
                   Finding::Assumed);
    } else {
        files.process = Process::vpScaledLinear(1000, 0.00085, 0.012);
    }
    addFinding(files, "process", files.process.name(),
               "Files of weights do not state it; it is that of the family's training.", Finding::Assumed);
}

std::string layoutOf(const FileWeights& weights, const TensorList& network) {
    const std::string prefix = network.prefix();
    std::string layout = weights.files().size() > 1 ? "shards" : "single file";
    layout += prefix.empty() ? ", network alone" : ", network under " + prefix;
    return layout + ", " + nameOf(weights.files().front().format());
}

ModelFiles filledBy(const std::string& path, const std::shared_ptr<FileWeights>& weights, const TensorList& all,
                    const TensorList& network, const Family& family) {
    ModelFiles files;
    files.path = path;
    files.name = fs::path(path).stem().string();
    files.layout = layoutOf(*weights, network);
    addNetwork(files, weights, network, family);
    files.recommended = Json::parse(family.recommended);
    if (files.isOnlyRecognised) return files;
    addTraining(files, family);
    if (family.refine) family.refine({*weights, all, network}, files);
    else refineFlow({*weights, all, network}, files);
    const bool isPlayground = files.parametrization == Parametrization::Edm;
    if (const CodecFormat* format = findCodecFormat(isPlayground ? "playground" : family.codec))
        addCodec(files, weights, *format);
    if (std::string(family.className) == "UNet2DModel") addPixels(files);
    int index = 0;
    for (const auto& id : wordsOf(family.texts)) addText(files, weights, *findTextRole(id), index++);
    files.conditioner = family.conditioner;
    if (all.hasAny("model_ema."))
        addFinding(files, "averages", "left out", "The file holds a second, averaged copy of its network (model_ema).");
    for (const auto& file : weights->files())
        for (const auto& note : file.notes()) addFinding(files, "file", "unusual", note);
    return files;
}

}  // namespace

void addPixels(ModelFiles& files) {
    if (files.network.config.value("in_channels", 3) != 3) {
        files.missing.push_back("The network of '" + files.path
                                + "' draws pixels that are not of three colours, and has no codec that makes an image "
                                  "of them.");
        return;
    }
    PartFiles part;
    part.config = {{"_class_name", "PixelShuffleCodec"}, {"factor", 1}};
    part.what = files.network.what;
    part.open = [] { return std::make_shared<FileWeights>(std::vector<WeightFile>()); };
    files.codec = std::move(part);
}

PartFiles partOf(const std::shared_ptr<FileWeights>& weights, const std::string& prefix, Json config,
                 const std::string& path, std::optional<NameTable> names) {
    PartFiles part;
    const TensorList list(weights, prefix);
    part.config = std::move(config);
    part.what = inQuotes(path);
    part.file = path;
    part.parameters = list.parameters();
    part.bytes = list.bytes();
    part.format = formatOf(list);
    if (names) part.names = std::make_shared<const NameTable>(std::move(*names));
    part.openStored = [weights, prefix]() -> std::shared_ptr<WeightSource> {
        std::shared_ptr<WeightSource> source = weights;
        if (!prefix.empty()) source = std::make_shared<Renamed>(source, NameTable::withPrefix(prefix));
        Json layers = nullptr;
        for (const auto& file : weights->files())
            if (layers.is_null()) layers = ScaledWeights::layersOfMetadata(file, prefix);
        return std::make_shared<ScaledWeights>(std::move(source), std::move(layers));
    };
    part.open = [stored = part.openStored, table = part.names]() -> std::shared_ptr<WeightSource> {
        if (!table) return stored();
        return std::make_shared<Renamed>(stored(), *table);
    };
    return part;
}

ModelFiles openModelFile(const std::string& path) {
    if (const auto folder = folderOfPart(path)) return openDiffusersFolder(*folder);
    const std::shared_ptr<FileWeights> weights = openWeights(path);
    const TensorList all(weights, "");
    refuseForeignFormats(all, path);
    for (const char* prefix : networkPrefixes) {
        const TensorList network(weights, prefix);
        if (const Family* family = network.isEmpty() ? nullptr : familyOf(network))
            return filledBy(path, weights, all, network, *family);
    }
    refuse(weights, all, path);
}

}  // namespace meander
