#include "engine/models/architectures/mlp2d.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <stdexcept>

#include "engine/core/json.h"
#include "engine/models/layers/builder.h"
#include "engine/models/network_fault.h"
#include "engine/models/planar_data.h"
#include "engine/weights/weight_file.h"

namespace meander {
namespace {

struct Description {
    std::string kind, dataset;
    std::vector<int> widths;  // of all layers, input first
};

// What features() computes, in its order and by the names of the description.
std::vector<std::string> inputNames(bool isShortcut) {
    std::vector<std::string> names{"x", "y"};
    const auto waves = [&](const std::string& of, int octaves) {
        for (int i = 0; i < octaves; ++i)
            for (const char* wave : {"sin", "cos"})
                names.push_back(wave + ("(2^" + std::to_string(i)) + "*pi*" + of + ")");
    };
    waves("x/2", 2);
    waves("y/2", 2);
    for (const char* v : isShortcut ? std::vector{"t", "d"} : std::vector{"t"}) {
        names.push_back(v);
        waves(v, 4);
    }
    return names;
}

WeightFile opened(const std::string& path) {
    auto file = WeightFile::open(path);
    if (!file) throw Failure(file.error().text);
    return std::move(*file);
}

Description describe(const WeightFile& file) {
    const std::string what = "the description in '" + file.name() + "'";
    const auto text = file.metadata().find("meander");
    if (text == file.metadata().end())
        throw Failure("The file '" + file.name()
                      + "' holds weights, but does not say of which network. Open the folder that it belongs to, or a "
                        "model in the format of diffusers.");
    auto json = parseJson(text->second, what, {std::size_t(1) << 20, 8});
    if (!json) throw Failure(json.error().text);
    if (jsonText(*json, "format", "", what) != "meander-mlp2d" || jsonInteger(*json, "version", 0, what) != 1)
        throw Failure("The file '" + file.name() + "' is of a format or version that this Meander does not know.");
    Description d;
    d.kind = jsonText(*json, "kind", "", what);
    d.dataset = jsonText(*json, "dataset", "", what);
    for (auto w : jsonIntegers(*json, "layers", {}, 1, what))
        d.widths.push_back(int(std::clamp<std::int64_t>(w, 0, 1 << 20)));
    if (d.kind != "flow" && d.kind != "reflow" && d.kind != "consistency" && d.kind != "shortcut")
        throw Failure("The network in '" + file.name() + "' is of the kind '" + d.kind
                      + "', which Meander does not know.");
    const auto known = inputNames(d.kind == "shortcut");
    if (jsonText(*json, "activation", "silu", what) != "silu" || jsonTexts(*json, "inputs", known, what) != known
        || jsonReal(*json, "data_scale", 1, what) != 1)
        throw Failure("The network in '" + file.name()
                      + "' has another activation, other inputs or another scale of the data than Meander computes "
                        "with: silu, those of its own networks, and 1.");
    if (d.widths.size() < 2 || d.widths.size() > 64 || d.widths.front() != int(known.size()) || d.widths.back() != 2
        || *std::min_element(d.widths.begin(), d.widths.end()) < 1)
        throw Failure("The layers described in '" + file.name()
                      + "' are not those of a network for points in the plane. The file may be damaged.");
    for (std::size_t i = 0; i + 1 < d.widths.size(); ++i)
        for (const char* part : {".weight", ".bias"})
            if (const std::string tensor = "layers." + std::to_string(i) + part; !file.entries().contains(tensor))
                throw Failure("The file '" + file.name() + "' lacks the tensor '" + tensor
                              + "' that its description asks for. It is incomplete; get it again.");
    return d;
}

// v, then sin and cos of 2^i π v.
void appendWaves(std::vector<float>& to, double v, int octaves) {
    for (int i = 0; i < octaves; ++i) {
        const double angle = double(1 << i) * std::numbers::pi * v;
        to.push_back(float(std::sin(angle)));
        to.push_back(float(std::cos(angle)));
    }
}

class Mlp2d final : public Model {
public:
    Mlp2d(ModelInfo info, const Description& d, NetworkBuilder& b)
        : m_backend(b.backend), m_widths(d.widths), m_dataset(d.dataset), m_isShortcut(d.kind == "shortcut") {
        m_info = std::move(info);
        for (std::size_t i = 0; i + 1 < m_widths.size(); ++i)
            m_layers.push_back(b.linear("layers." + std::to_string(i), m_widths[i], m_widths[i + 1]));
        m_info.parameters = b.parameters;
        m_info.weightBytes = b.weightBytes;
        for (int w : m_widths) m_info.bytesPerRow += std::size_t(w) * sizeof(float);
    }

    ConditioningPtr condition(const Prompt&) override { return std::make_shared<Conditioning>(); }

    Tensor predict(const NetworkBatch& batch) override {
        const std::int64_t rows = batch.x.rows();
        if (batch.x.shape().rowCount() != 2 || std::int64_t(batch.times.size()) != rows)
            throw std::invalid_argument("points in the plane: the batch " + batch.x.shape().text() + " does not fit");
        Tensor hidden = features(batch);
        for (std::size_t i = 0; i < m_layers.size(); ++i) {
            Tensor next(m_backend, {rows, m_widths[i + 1]});
            kernels::Epilogue e;
            if (i + 1 < m_layers.size()) e.activation = kernels::Activation::Silu;
            m_backend.linear(hidden, *m_layers[i], next, e);
            hidden = next;
        }
        return hidden.reshaped(batch.x.shape()).converted(batch.x.type());
    }

    HostTensor drawData(std::int64_t n, std::uint64_t seed, const Prompt&) const override {
        return drawPlanarData(m_dataset, n, seed);
    }

private:
    // x, y, their waves, time and its waves, and for shortcut networks the step and its waves: (rows, 19 or 28).
    Tensor features(const NetworkBatch& batch) const {
        const std::vector<double> x = download(batch.x).toDoubles();
        const std::size_t rows = batch.times.size();
        std::vector<float> all;
        all.reserve(rows * std::size_t(m_widths.front()));
        for (std::size_t r = 0; r < rows; ++r) {
            const double t = batch.times[r];
            all.push_back(float(x[2 * r]));
            all.push_back(float(x[2 * r + 1]));
            appendWaves(all, x[2 * r] / 2, 2);
            appendWaves(all, x[2 * r + 1] / 2, 2);
            all.push_back(float(t));
            appendWaves(all, t, 4);
            if (!m_isShortcut) continue;
            const bool known = r < batch.targets.size() && std::isfinite(batch.targets[r]);
            const double step = known ? std::clamp(t - batch.targets[r], 0.0, 1.0) : 0.0;
            all.push_back(float(step));
            appendWaves(all, step, 4);
        }
        return upload(m_backend, HostTensor::fromFloats({std::int64_t(rows), m_widths.front()}, all));
    }

    Backend& m_backend;
    std::vector<int> m_widths;
    std::string m_dataset;
    bool m_isShortcut;
    std::vector<Linear> m_layers;
};

}  // namespace

bool isMlp2d(const std::string& path) {
    const WeightFile file = opened(path);
    return file.metadata().contains("meander");
}

ModelInfo inspectMlp2d(const std::string& path) {
    const WeightFile file = opened(path);
    const Description d = describe(file);
    ModelInfo info;
    info.id = path;
    info.name = std::filesystem::path(path).stem().string();
    info.summary = "A small network for points in the plane, kind " + d.kind + ", trained on " + d.dataset + ".";
    info.family = "MLP";
    // A consistency network too: its denoised estimate is x − t·F.
    info.parametrization = Parametrization::FlowVelocity;
    info.process = Process::rectifiedFlow();
    info.distillation = d.kind == "reflow"        ? Distillation::Reflow
                        : d.kind == "consistency" ? Distillation::Consistency
                        : d.kind == "shortcut"    ? Distillation::Shortcut
                                                  : Distillation::None;
    info.state.kind = StateKind::Points;
    info.state.shape = {2};
    info.sigmaData = 1;
    info.drawsData = bool(drawPlanarData(d.dataset, 1, 1));
    info.parameters = file.parameters();
    info.weightBytes = std::size_t(info.parameters) * sizeof(float);
    return info;
}

std::unique_ptr<Model> loadMlp2d(ModelInfo info, const std::string& path, Backend& backend) {
    std::vector<WeightFile> files;
    files.push_back(opened(path));
    const Description d = describe(files.front());
    FileWeights weights(std::move(files));
    WeightsRead read(weights);
    NetworkBuilder builder(backend, read, DType::F32);
    auto model = std::make_unique<Mlp2d>(std::move(info), d, builder);
    if (const std::string fault = brokenWeight(weights, read.names, "the network"); !fault.empty())
        throw Failure(fault);
    return model;
}

}  // namespace meander
