// What a file of Stable Diffusion tells beyond its family: prediction, noise of the training, further inputs, and what
// its metadata say about a distillation. Every decision is a finding.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "engine/models/checkpoint.h"
#include "engine/models/families/family.h"
#include "engine/models/model_files.h"
#include "engine/models/recommendation.h"

namespace meander {

std::vector<float> FamilyFile::values(const std::string& name) const {
    for (const WeightFile& file : weights.files())
        if (file.entries().contains(name)) return file.read(name).floats();
    throw Failure("The file has no tensor '" + name + "'. It belongs to another kind of model.");
}

std::string FamilyFile::metadata(const std::string& key) const {
    for (const WeightFile& file : weights.files())
        if (const auto it = file.metadata().find(key); it != file.metadata().end()) return it->second;
    return {};
}

namespace {

void find(ModelFiles& files, const char* key, const std::string& value, const std::string& reason,
          Finding::Source source = Finding::Read) {
    std::erase_if(files.findings, [&](const Finding& f) { return f.key == key; });
    files.findings.push_back({key, value, reason, source});
}

void predict(ModelFiles& files, Parametrization p, const std::string& reason, Finding::Source source = Finding::Read) {
    files.parametrization = p;
    find(files, "prediction", nameOf(p), reason, source);
}

// Inputs besides the noisy latents, by the number of channels.
void readInputs(const FamilyFile& f, ModelFiles& files) {
    const std::int64_t in = f.network.extent("input_blocks.0.0.weight", 1), own = f.network.extent("out.2.weight", 0);
    if (in == own) return;
    const bool isInpainting = in == 2 * own + 1, isEditing = in == 2 * own;
    const char* variant = isInpainting    ? "inpainting"
                          : isEditing     ? "instructed editing (pix2pix)"
                          : in == own + 1 ? "depth"
                                          : "image";
    find(files, "input", variant,
         "The first layer takes " + std::to_string(in) + " channels, the latents have " + std::to_string(own) + ".");
    if (isInpainting || isEditing) return;
    files.missing.push_back("The network of '" + files.path + "' takes further images beside its latents ("
                            + std::string(variant) + "), which Meander cannot give it yet.");
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return text;
}

// Distilled files have the tensors of their family; a title in the metadata may tell them.
void readTitle(const FamilyFile& f, ModelFiles& files) {
    const auto named = distillationNamed(f.metadata("modelspec.title"), false);
    if (!named) return;
    files.distillation = named->kind;
    if (named->kind == Distillation::Lcm)
        files.parametrization =
            files.parametrization == Parametrization::V ? Parametrization::LcmV : Parametrization::LcmEpsilon;
    if (named->holdsGuidance) files.builtInGuidance = 1;
    if (named->kind != Distillation::None) files.recommended = Json::object();  // of the undistilled family
    files.recommended.update(named->recommended);
    find(files, "kind", named->kind == Distillation::None ? named->word : checkpointRule(named->kind).name,
         "The title in the metadata (modelspec.title) contains '" + named->word + "'.", Finding::Assumed);
}

void readStatedPrediction(const FamilyFile& f, ModelFiles& files) {
    const std::string stated = lower(f.metadata("modelspec.prediction_type"));
    if (stated == "v" || stated == "epsilon")
        predict(files, stated == "v" ? Parametrization::V : Parametrization::Epsilon,
                "The metadata state it (modelspec.prediction_type).");
    if (f.network.has("time_embed.cond_proj.weight") || f.network.has("time_embedding.cond_proj.weight")) {
        files.distillation = Distillation::Lcm;
        files.parametrization = Parametrization::LcmEpsilon;
        find(files, "kind", checkpointRule(Distillation::Lcm).name,
             "The network is conditioned on a guidance scale (time_embedding.cond_proj).");
    }
}

void readAll(const FamilyFile& f, ModelFiles& files) {
    readStatedPrediction(f, files);
    readTitle(f, files);
    readInputs(f, files);
}

double firstOf(const FamilyFile& f, const std::string& name, double fallback) {
    if (!f.all.has(name)) return fallback;
    const auto v = f.values(name);
    return v.empty() ? fallback : double(v.front());
}

}  // namespace

void refineSd1(const FamilyFile& f, ModelFiles& files) {
    predict(files, Parametrization::Epsilon,
            "Models of this family predict the noise unless their files say otherwise.", Finding::Assumed);
    readAll(f, files);
}

// The biases of a late norm spread further in networks that were trained to predict v (a test of ComfyUI's).
void refineSd2(const FamilyFile& f, ModelFiles& files) {
    constexpr double border = 0.09;
    std::string bias;
    for (int n = f.network.blocks("output_blocks.") - 1; n >= 0 && bias.empty(); --n) {
        const std::string name = "output_blocks." + std::to_string(n) + ".1.transformer_blocks.0.norm1.bias";
        if (f.network.has(name)) bias = name;
    }
    if (bias.empty() || f.network.extent("input_blocks.0.0.weight", 1) != 4) {
        predict(files, Parametrization::Epsilon, "Variants with further inputs predict the noise.", Finding::Assumed);
    } else {
        const auto values = f.values(f.network.prefix() + bias);
        double sum = 0, squares = 0;
        for (const float v : values) sum += v, squares += double(v) * v;
        const double n = std::max<double>(2, double(values.size())), mean = sum / n,
                     stddev = std::sqrt(std::max(0.0, (squares - n * mean * mean) / (n - 1)));
        const bool isV = stddev > border;
        char text[64];
        std::snprintf(text, sizeof text, "%.3f", stddev);
        predict(files, isV ? Parametrization::V : Parametrization::Epsilon,
                "The biases '" + bias + "' have the standard deviation " + text + (isV ? ", above" : ", not above")
                    + " 0.09, from which on such networks predict v.");
        if (isV) files.network.config["sample_size"] = 96;
    }
    readAll(f, files);
}

void refineSdxl(const FamilyFile& f, ModelFiles& files) {
    predict(files, Parametrization::Epsilon,
            "Models of this family predict the noise unless their files say otherwise.", Finding::Assumed);
    if (f.all.has("v_pred")) predict(files, Parametrization::V, "The file has the marker 'v_pred'.");
    if (f.all.has("ztsnr")) {
        files.process = files.process.withZeroTerminalSnr();
        find(files, "process", files.process.name(), "The file has the marker 'ztsnr' (zero terminal SNR).");
    }
    if (f.all.has("edm_mean") && f.all.has("edm_std")) {
        files.process = Process::varianceExploding(0.002, 80);
        files.sigmaData = 0.5;
        predict(files, Parametrization::Edm, "The file has the markers 'edm_mean' and 'edm_std' of Playground 2.5.");
        find(files, "process", files.process.name(), "The same markers stand for noise levels of 0.002 to 80.");
    } else if (f.all.has("edm_vpred.sigma_max")) {
        files.process = Process::varianceExploding(firstOf(f, "edm_vpred.sigma_min", 0.002),
                                                   firstOf(f, "edm_vpred.sigma_max", 120));
        files.sigmaData = 1;
        find(files, "process", files.process.name(), "The file states its levels (edm_vpred.sigma_min, sigma_max).");
        files.missing.push_back(
            "The network of '" + files.path
            + "' predicts v at noise levels of EDM (as CosXL does), which Meander cannot sample yet.");
    }
    readAll(f, files);
}

void refineDdpm(const FamilyFile& f, ModelFiles& files) {
    files.process = Process::vpLinear(1000, 1e-4, 0.02);
    find(files, "process", files.process.name(),
         "Files of weights do not state it; it is that of the family's training.", Finding::Assumed);
    predict(files, Parametrization::Epsilon,
            "Models of this family predict the noise unless their files say otherwise.", Finding::Assumed);
    readStatedPrediction(f, files);
    readTitle(f, files);
}

void refineDit(const FamilyFile& f, ModelFiles& files) {
    refineDdpm(f, files);
    if (files.parametrization == Parametrization::Epsilon)
        predict(files, Parametrization::Epsilon,
                "A DiT predicts the noise. A SiT, which predicts a velocity, has the same tensors and is not told from "
                "it.",
                Finding::Assumed);
}

// Networks that learn variances are of guided diffusion, others of consistency models.
void refinePixelUnet(const FamilyFile& f, ModelFiles& files) {
    const std::int64_t in = f.network.extent("input_blocks.0.0.weight", 1), out = f.network.extent("out.2.weight", 0);
    files.recommended["guidance"] = 1;  // no class stands for none
    if (out == 2 * in) {
        const bool isSmall = files.network.config["sample_size"] == 64;
        refineDdpm(f, files);
        if (isSmall) files.process = Process::vpCosine(1000);
        find(files, "process", files.process.name(),
             "The network has twice the channels at its output, as those of guided diffusion, which were trained with "
             "it.",
             Finding::Assumed);
        return;
    }
    files.process = Process::varianceExploding(0.002, 80);
    files.sigmaData = 0.5;
    files.distillation = Distillation::Consistency;
    const char* why =
        "The network has as many channels at its output as at its input, as consistency models of pixels.";
    predict(files, Parametrization::Consistency, why, Finding::Assumed);
    find(files, "process", files.process.name(), why, Finding::Assumed);
    find(files, "kind", checkpointRule(files.distillation).name, why, Finding::Assumed);
}

void refineFlow(const FamilyFile& f, ModelFiles& files) {
    const auto named = distillationNamed(f.metadata("modelspec.title"), true);
    if (!named) return;
    Json own = named->recommended;
    // Families of few steps know their number better; a rule of a kind's own replaces the family's solver.
    if (files.recommended.contains("steps") && files.recommended["steps"] <= 10) own.erase("steps");
    if (named->kind != Distillation::None)
        for (const char* key : {"sampler", "steps", "guidance"}) files.recommended.erase(key);
    files.distillation = named->kind;
    files.recommended.update(own);
    if (named->holdsGuidance) files.builtInGuidance = 1;
    find(files, "kind", named->kind == Distillation::None ? named->word : checkpointRule(named->kind).name,
         "The title in the metadata (modelspec.title) contains '" + named->word + "'.", Finding::Assumed);
}

}  // namespace meander
