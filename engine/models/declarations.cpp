#include "engine/models/declarations.h"

#include <algorithm>

#include "engine/core/param_specs.h"
#include "engine/models/checkpoint.h"
#include "engine/models/model_id.h"
#include "engine/models/recommendation.h"
#include "engine/process/terminal.h"

namespace meander {
namespace {

constexpr const char* stated = "as_stated";

std::vector<ParamChoice> predictions() {
    std::vector<ParamChoice> list{{stated, "as stated"}};
    for (int i = 0; i < parametrizationCount; ++i)
        list.push_back({nameOf(Parametrization(i)), nameOf(Parametrization(i))});
    return list;
}

std::vector<ParamChoice> kinds() {
    std::vector<ParamChoice> list{{stated, "as stated"}};
    for (int i = 0; i < distillations; ++i) {
        const CheckpointRule& rule = checkpointRule(Distillation(i));
        list.push_back({rule.key, rule.name});
    }
    return list;
}

std::vector<ParamSpec> facts() {
    return {
        choiceParam("prediction", "Prediction", predictions(), "What the network predicts."),
        choiceParam("process", "Process",
                    {{stated, "as stated"},
                     {"sd15", "Stable Diffusion's β"},
                     {"vp-linear", "linear β"},
                     {"vp-cosine", "cosine β"},
                     {"edm", "variance exploding"},
                     {"flow", "rectified flow"}},
                    "The noise that the model was trained on."),
        choiceParam(
            "zero_snr", "Zero terminal SNR",
            {{stated, "as stated"}, {"0", "no"}, {"1", "σ = 4096 (diffusers)"}, {"comfyui", "σ = 4518.8 (ComfyUI)"}},
            "Whether the last training step of a variance-preserving process holds no signal."),
        optionalParam(realParam("shift", "Shift", 1, 0.01, 100,
                                "Of the times of a rectified flow; more spends more steps on noise.")),
        optionalParam(integerParam("train_steps", "Training steps", 1000, 2, 1e6, "Of the declared process.")),
        choiceParam("kind", "Kind", kinds(), "What the checkpoint was distilled to answer."),
        optionalParam(realParam("sigma_data", "Data spread", 0.5, 1e-3, 1e3,
                                "Standard deviation of the data that the preconditioning assumes.")),
    };
}

void add(ModelInfo& info, const std::string& key, const std::string& value) {
    std::erase_if(info.findings, [&](const Finding& f) { return f.key == key; });
    info.findings.push_back({key, value, "Declared in the recipe.", Finding::Declared});
}

// Of a variance-preserving process with another end.
Process withEnd(const Process& p, const std::string& end) {
    if (p.kind() != ProcessKind::VariancePreserving)
        throw Failure("Zero terminal SNR is declared, but the process of the model is " + p.name()
                      + ", which has no training step without signal.");
    return p.withZeroTerminalSnr(end == "comfyui" ? terminalSignalComfyUi : terminalSignalDiffusers);
}

void declareProcess(ModelInfo& info, const Params& p) {
    const std::string name = text(p, "process"), end = text(p, "zero_snr");
    const bool hasShift = p.contains("shift"), hasSteps = p.contains("train_steps");
    if (name == stated) {
        if (hasShift && info.process.kind() == ProcessKind::RectifiedFlow)
            info.process =
                Process::rectifiedFlow(info.process.networkTime(1), real(p, "shift"), info.process.tableSteps());
        else if (hasShift || hasSteps)
            throw Failure("A shift or a number of training steps is declared without the process that it belongs to. "
                          "Declare the process too.");
        if (end == "1" || end == "comfyui") info.process = withEnd(info.process, end);
        if (end == "0")
            throw Failure("That the process has no zero terminal SNR can be declared only with the process itself.");
    } else {
        ModelId id;
        id.text = info.id;
        id.parameters["process"] = name;
        if (end == "1" || end == "comfyui") {
            if (name == "edm" || name == "flow") static_cast<void>(withEnd(Process::rectifiedFlow(), end));
            id.parameters["zero_snr"] = end;
        }
        if (hasSteps) id.parameters["train_steps"] = std::to_string(integer(p, "train_steps"));
        if (hasShift) id.parameters["shift"] = std::to_string(real(p, "shift"));
        info.process = id.takeProcess(name);
        if (!id.parameters.empty())
            throw Failure("The declared process has no " + id.parameters.begin()->first + ". Leave it out.");
        // Other programs' flows count their times to 1000, the network that was stated keeps its own scale.
        if (name == "flow")
            info.process = Process::rectifiedFlow(info.process.networkTime(1) == 1 ? 1000 : 1, info.process.timeShift(),
                                                  info.process.tableSteps());
    }
    if (name != stated || end != stated || hasShift) add(info, "process", info.process.name());
}

// Kinds whose rule needs more than a network gives.
void checkKind(const ModelInfo& info) {
    if (info.distillation == Distillation::Bridge && info.process.manifold().isFlat())
        throw Failure("Mixtures of bridges are sampled on curved spaces, and the states of " + info.name
                      + " are flat. Declare another kind.");
    if (info.distillation == Distillation::Poisson && info.process.kind() != ProcessKind::VarianceExploding)
        throw Failure("A Poisson flow model has noise levels of a variance exploding process, and that of " + info.name
                      + " is " + info.process.name() + ". Declare the process \"edm\" too.");
}

}  // namespace

const std::vector<DeclarationInfo>& declarations() {
    static const std::vector<DeclarationInfo> table{
        {stated, "As its files state", "Prediction, process and kind as the files of the model state them.", {}},
        {"declared", "Declared", "Facts that the files state wrongly or not at all.", facts()}};
    return table;
}

const DeclarationInfo* findDeclaration(const std::string& id) {
    for (const auto& d : declarations())
        if (d.id == id) return &d;
    return nullptr;
}

ModelInfo declared(ModelInfo info, const Choice& checkpoint) {
    if (checkpoint.id == stated) return info;
    if (info.id.starts_with("analytic:"))
        throw Failure(info.name
                      + " is exact: what it predicts and its process are parameters of its name, and cannot be "
                        "declared otherwise.");
    const auto resolved = resolveParams(findDeclaration("declared")->params, checkpoint.params, "Declared");
    if (!resolved) throw Failure(resolved.error().text);
    const Params& p = *resolved;
    const ProcessKind before = info.process.kind();
    const Distillation kindBefore = info.distillation;
    declareProcess(info, p);
    if (const std::string name = text(p, "prediction"); name != stated) {
        for (int i = 0; i < parametrizationCount; ++i)
            if (name == nameOf(Parametrization(i))) info.parametrization = Parametrization(i);
        add(info, "prediction", name);
    }
    if (const auto kind = distillationOf(text(p, "kind"))) {
        info.distillation = *kind;
        add(info, "kind", checkpointRule(*kind).name);
    }
    if (p.contains("sigma_data")) {
        info.sigmaData = real(p, "sigma_data");
        add(info, "sigma_data", std::to_string(info.sigmaData));
    }
    checkKind(info);
    // What the files recommend belongs to what they state.
    if (info.process.kind() != before || info.distillation != kindBefore) {
        Json settings = generalRecommendation(info);
        settings.erase("images");
        info.recommended.update(settings);
    }
    return info;
}

}  // namespace meander
