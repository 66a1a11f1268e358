#include "engine/models/vector_field.h"

#include <cmath>

namespace meander {
namespace {

std::vector<double> places(const FieldGrid& g) {
    std::vector<double> y;
    for (int r = 0; r < g.rows; ++r)
        for (int c = 0; c < g.columns; ++c) {
            y.push_back(g.bounds.left + (c + 0.5) / g.columns * (g.bounds.right - g.bounds.left));
            if (g.dimensions > 1) y.push_back(g.bounds.bottom + (r + 0.5) / g.rows * (g.bounds.top - g.bounds.bottom));
        }
    return y;
}

void fillDenoised(FieldGrid& g, Model& model, Backend& backend, const Prompt& prompt, const std::vector<double>& y) {
    const ModelInfo& info = model.info();
    const std::int64_t rows = std::int64_t(g.rows) * g.columns;
    const Conversion c = conversionAt(info.process, info.parametrization, g.tau, info.sigmaData);
    HostTensor host = HostTensor::fromDoubles({rows, g.dimensions}, y);
    if (info.state.type != DType::F64) host = HostTensor::fromFloats({rows, g.dimensions}, host.toFloats());
    const Tensor state = upload(backend, host);
    NetworkBatch batch;
    batch.x = combine({{c.input, state}});
    batch.times.assign(std::size_t(rows), c.time);
    batch.taus.assign(std::size_t(rows), g.tau);
    batch.targets.assign(std::size_t(rows), std::nan(""));
    batch.conditioning.assign(std::size_t(rows), prompt.unconditional ? nullptr : model.condition(prompt));
    const Tensor output = model.predict(batch);
    const std::vector<double> d = download(combine({{c.fromState, state}, {c.fromOutput, output}})).toDoubles();
    for (std::size_t i = 0; i < std::size_t(rows); ++i) {
        const std::size_t k = i * std::size_t(g.dimensions);
        g.denoisedX.push_back(d[k]);
        g.denoisedY.push_back(g.dimensions > 1 ? d[k + 1] : 0);
        g.velocityX.push_back((y[k] - d[k]) / g.tau);
        g.velocityY.push_back(g.dimensions > 1 ? (y[k + 1] - d[k + 1]) / g.tau : 0);
    }
}

}  // namespace

Result<FieldGrid> evaluateField(const std::string& modelId, const Prompt& prompt, double tau, const FieldBounds& bounds,
                                int columns, int dataPoints) {
    try {
        kernels::CpuOptions options;
        options.threads = 1;
        const auto backend = kernels::createCpuBackend(options);
        auto loaded = loadModel(modelId, *backend);
        if (!loaded) return loaded.error();
        Model& model = **loaded;
        const ModelInfo& info = model.info();
        if (info.state.kind != StateKind::Points || info.state.shape.count() > 2)
            return Error{"A field can be drawn for models of one or two dimensions only; '" + info.name
                             + "' has states of shape " + info.state.shape.text() + ".",
                         {}};
        FieldGrid g;
        g.dimensions = int(info.state.shape.count());
        g.columns = columns;
        g.rows = g.dimensions > 1 ? columns : 1;
        g.bounds = bounds;
        g.tau = tau > 0 ? tau : info.process.minimum();
        const std::vector<double> y = places(g);
        if (tau > 0) fillDenoised(g, model, *backend, prompt, y);
        if (info.hasDensity) {
            std::vector<double> native = y;
            for (double& v : native) v *= info.process.nativeScale(g.tau);
            g.logDensity = model.logDensity(
                HostTensor::fromDoubles({std::int64_t(g.rows) * g.columns, g.dimensions}, native), g.tau, prompt);
        }
        if (dataPoints > 0)
            if (const HostTensor data = model.drawData(dataPoints, 1, prompt); data)
                for (std::int64_t i = 0; i < data.shape()[0]; ++i) {
                    g.dataX.push_back(data.at(i * g.dimensions));
                    g.dataY.push_back(g.dimensions > 1 ? data.at(i * g.dimensions + 1) : 0);
                }
        return g;
    } catch (const std::exception& e) {
        return Error{std::string("The field of this model could not be evaluated: ") + e.what(), {}};
    }
}

}  // namespace meander
