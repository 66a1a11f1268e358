// What the tests of sites, hooks and interventions share: the built-in networks with edited weights, hooks on rows, and
// what a call costs.
#pragma once
#include <QtTest>
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "engine/core/resources.h"
#include "engine/interventions/intervention.h"
#include "engine/models/architectures/pixart.h"
#include "engine/models/architectures/unet.h"
#include "engine/models/model.h"
#include "engine/models/model_files.h"
#include "engine/weights/weight_file.h"

namespace meander::bench {

// Normal, of standard deviation 1.
inline std::vector<float> random(std::size_t n, std::uint32_t seed) {
    RandomWeights source(seed + 1);
    std::vector<float> v = source.read("noise.bias", {std::int64_t(n)}).floats();
    for (float& x : v) x *= 50;  // RandomWeights draws biases with standard deviation 0.02
    return v;
}
// 1e9 where the shapes differ.
inline double largestDifference(const HostTensor& a, const HostTensor& b) {
    double d = a.shape() == b.shape() ? 0 : 1e9;
    for (std::int64_t i = 0; d < 1e9 && i < a.count(); ++i) d = std::max(d, std::abs(a.at(i) - b.at(i)));
    return d;
}

using WeightEdit = std::function<void(const std::string&, std::vector<float>&)>;
inline void zero(std::vector<float>& v) { std::fill(v.begin(), v.end(), 0.0f); }

// Weights with some of them changed.
class EditedWeights final : public WeightSource {
public:
    EditedWeights(WeightSource& source, WeightEdit edit) : m_source(source), m_edit(std::move(edit)) {}
    bool has(const std::string& name) const override { return m_source.has(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override {
        const HostWeight w = m_source.read(name, shape);
        std::vector<float> v = w.floats();
        if (m_edit) m_edit(name, v);
        return HostWeight::fromFloats(w.shape, std::move(v));
    }

private:
    WeightSource& m_source;
    WeightEdit m_edit;
};

// An intervention and the rows [first, first + rows) it acts on.
struct Acting {
    nn::SiteHookPtr hook;
    std::int64_t first = 0, rows = 1;
};

// A built-in network with three rows of input.
struct Network {
    std::unique_ptr<Denoiser> network;
    ModelInfo info;
    Tensor x, context;
    std::vector<double> times{400, 400, 700};

    // `avoided`: the context of prompts that hooks attend to.
    nn::SiteHookPtr hook(const Choice& c, Tensor avoided = {}) const {
        const std::vector<Token> tokens = words();
        return makeHook(c, {info,
                            [&](const Prompt&) {
                                auto prepared = std::make_shared<Conditioning>();
                                prepared->conditions.tensors[condition::context] = avoided;
                                return prepared;
                            },
                            &tokens});
    }
    // Of the context: "w0" to "w23".
    static std::vector<Token> words() {
        std::vector<Token> tokens;
        for (int i = 0; i < 24; ++i) tokens.push_back({i, "w" + std::to_string(i), false, i, i, i + 1});
        return tokens;
    }
    // `fails`: as if the call had failed behind the network.
    HostTensor run(const std::vector<Acting>& acting = {}, bool fails = false,
                   const kernels::Trace* trace = nullptr) const {
        nn::Hooks hooks;
        for (const Acting& a : acting) hooks.add(a.hook, a.first, a.rows);
        hooks.setTrace(trace);
        hooks.starting();
        const HostTensor y = download(network->forward({x, times, {{{condition::context, context}}}, hooks}));
        if (!fails) hooks.completed();
        return y;
    }
    // Multiplications and additions of the products, convolutions and attentions of a call.
    double flops(const std::vector<Acting>& acting = {}) const {
        kernels::Trace trace;
        x.backend().setTrace(&trace);
        run(acting, false, &trace);
        x.backend().setTrace(nullptr);
        double sum = 0;
        for (const auto& op : trace) sum += op.flops;
        return sum;
    }
};

inline void networkNames() {
    QTest::addColumn<QString>("name");
    QTest::newRow("U-Net") << "sprites-unet";
    QTest::newRow("transformer") << "sprites-dit";
}

inline Network loadNetwork(Backend& backend, const QString& name, const WeightEdit& edit = {}) {
    const ModelFiles files = openDiffusersFolder(*findResource("models/" + name.toStdString()));
    const auto weights = files.network.open();
    EditedWeights edited(*weights, edit);
    NetworkBuilder builder(backend, edited, DType::F32);
    Network n;
    n.info = *inspectModel("builtin:" + name.toStdString());
    if (name == "sprites-unet") n.network = std::make_unique<UNet>(unetConfig(files.network.config, "test"), builder);
    else n.network = std::make_unique<PixArt>(pixArtConfig(files.network.config, "test"), builder);
    const Shape s = n.info.state.shape;
    n.x = upload(backend, HostTensor::fromFloats({3, s[0], s[1], s[2]}, random(std::size_t(3 * s.count()), 5)));
    std::vector<Tensor> texts;
    for (std::uint32_t r = 0; r < 3; ++r)
        texts.push_back(
            n.network
                ->prepare({{{condition::context,
                             upload(backend, HostTensor::fromFloats({1, 24, 64}, random(24 * 64, 10 + r)))}}})
                .at(condition::context));
    n.context = stackRows(texts);
    return n;
}

// y (rows, n, c) = softmax(q kᵀ/√d) v per head, by plain loops in double precision; `received` (rows, m): what each key
// receives of all queries together, mean over heads.
inline std::vector<double> plainAttention(const HostTensor& q, const HostTensor& k, const HostTensor& v, int heads,
                                          std::vector<double>* received = nullptr) {
    const std::int64_t rows = q.shape()[0], n = q.shape()[1], m = k.shape()[1], c = q.shape()[2], d = c / heads;
    std::vector<double> y(std::size_t(rows * n * c)), p(static_cast<std::size_t>(m));
    if (received) received->assign(std::size_t(rows * m), 0);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t h = 0; h < heads; ++h)
            for (std::int64_t i = 0; i < n; ++i) {
                double sum = 0;
                for (std::int64_t j = 0; j < m; ++j) {
                    double score = 0;
                    for (std::int64_t e = 0; e < d; ++e)
                        score += q.at((r * n + i) * c + h * d + e) * k.at((r * m + j) * c + h * d + e);
                    sum += p[std::size_t(j)] = std::exp(score / std::sqrt(double(d)));
                }
                for (std::int64_t j = 0; j < m; ++j) {
                    const double share = p[std::size_t(j)] / sum;
                    if (received) (*received)[std::size_t(r * m + j)] += share / heads;
                    for (std::int64_t e = 0; e < d; ++e)
                        y[std::size_t((r * n + i) * c + h * d + e)] += share * v.at((r * m + j) * c + h * d + e);
                }
            }
    return y;
}

}  // namespace meander::bench
