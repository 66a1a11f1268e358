// meander-run convert: the weights of a model in another file format.
#include <filesystem>
#include <iostream>

#include "engine/cli/command.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/progress.h"
#include "engine/models/families/family.h"
#include "engine/weights/convert.h"

namespace meander::cli {
namespace {

struct Options {
    std::string from, to, format;
    bool isJson = false;
};

struct Target {
    const char *name, *help;
    WeightFormat format;
};
constexpr Target targets[] = {
    {"f32", "32 bits", WeightFormat::F32},
    {"f16", "16 bits", WeightFormat::F16},
    {"bf16", "16 bits, the range of f32", WeightFormat::BF16},
    {"fp8", "8 bits, floats (safetensors)", WeightFormat::F8E4M3},
    {"int8", "8 bits, whole numbers with a scale for each row (safetensors)", WeightFormat::I8},
    {"q8_0", "8 bits in blocks of 32 (GGUF)", WeightFormat::Q8_0},
    {"q4_0", "4 bits in blocks of 32 (GGUF)", WeightFormat::Q4_0},
    {"q4_k", "4 bits in blocks of 256 (GGUF)", WeightFormat::Q4_K},
};

WeightFormat formatOf(const std::string& name) {
    std::string known;
    for (const Target& t : targets) {
        if (name == t.name) return t.format;
        known.append(known.empty() ? "" : ", ").append(t.name);
    }
    throw WrongArgument("There is no format \"" + name + "\". Choose one of " + known + ".");
}

// As programs that read GGUF name the architecture of an image model.
std::string architectureOf(const std::string& path) {
    auto opened = FileWeights::open(path);
    if (!opened) throw Failure(opened.error().text);
    const std::shared_ptr<FileWeights> weights = std::move(*opened);
    static const std::pair<const char*, const char*> names[] = {
        {"flux", "flux"}, {"sdxl", "sdxl"},       {"ssd", "sdxl"},        {"vega", "sdxl"},       {"sd3", "sd3"},
        {"sd", "sd1"},    {"z-image", "lumina2"}, {"lumina2", "lumina2"}, {"qwen", "qwen_image"}, {"wan", "wan"}};
    for (const char* prefix : {"model.diffusion_model.", "diffusion_model.", ""}) {
        const TensorList network(weights, prefix);
        const Family* family = network.isEmpty() ? nullptr : familyOf(network);
        if (!family) continue;
        for (const auto& [beginning, name] : names)
            if (std::string_view(family->id).starts_with(beginning)) return name;
        return family->id;
    }
    return "unknown";
}

int convert(const Options& o) {
    const std::string ending = std::filesystem::path(o.to).extension().string();
    ConvertOptions options;
    if (ending == ".gguf") options.container = WeightContainer::Gguf;
    else if (ending != ".safetensors")
        throw WrongArgument("'" + o.to + "' must end in .safetensors or .gguf, which tells the kind of file.");
    options.format = formatOf(o.format);
    if (options.container == WeightContainer::Gguf) options.architecture = architectureOf(o.from);
    int shown = -1;
    options.progress = [&](double share) {
        const int percent = int(share * 100);
        if (o.isJson && percent / 10 != shown / 10) printLine({{"progress", share}});
        else if (!o.isJson && percent != shown) showProgress(std::to_string(percent) + " %");
        shown = percent;
        return interruptedBy() == 0;
    };
    watchInterrupts();
    const ConvertedFile made = convertWeights(o.from, o.to, options);
    if (!o.isJson) clearProgress();
    if (made.isCancelled) {
        std::cerr << "meander-run: The conversion was ended; nothing was written.\n";
        return 128 + interruptedBy();
    }
    if (o.isJson) printLine({{"file", o.to}, {"tensors", made.tensors}, {"bytes", made.bytes}});
    else std::cout << o.to << ": " << made.tensors << " tensors, " << bytesText(double(made.bytes)) << '\n';
    return 0;
}

}  // namespace

void addConvert(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("convert", "Write the weights of a file in another format");
    c->add_option("from", o->from, "A file of weights (safetensors, GGUF, ckpt, pt, bin), or one of its shards")
        ->required();
    c->add_option("to", o->to, "The new file; .safetensors or .gguf tells its kind")->required();
    std::string help = "Format of the matrices:";
    for (const Target& t : targets) help += std::string(" ") + t.name + " (" + t.help + ")";
    c->add_option("--format,-f", o->format, help)->required();
    c->add_flag("--json", o->isJson, "One JSON object a line");
    c->callback([o, &context] { context.chosen = [o] { return convert(*o); }; });
}

}  // namespace meander::cli
