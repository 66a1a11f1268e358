// 8-bit weights whose scales are tensors of their own, as checkpoints are quantised after training:
//   W.weight (F8 or I8), W.weight_scale or W.scale_weight: one factor, or one for each output row;
//   W.comfy_quant: the bytes of a JSON text that names the format, and a rotation of the inputs (ConvRot).
//   Or the metadata entry "_quantization_metadata" of the file: such descriptions of all modules.
#pragma once
#include <memory>

#include "engine/core/json.h"
#include "engine/weights/weight_file.h"

namespace meander {

class ScaledWeights final : public WeightSource {
public:
    // `layers`: the same descriptions by the modules' names, where a file holds them in its metadata
    // (layersOfMetadata); null: none.
    explicit ScaledWeights(std::shared_ptr<WeightSource> source, Json layers = nullptr)
        : m_source(std::move(source)), m_layers(std::move(layers)) {}
    // Of a file's metadata entry "_quantization_metadata", for modules whose names begin with `prefix`, which is left
    // out; null: none. Throws Failure.
    static Json layersOfMetadata(const WeightFile& file, const std::string& prefix);

    bool has(const std::string& name) const override { return m_source->has(name); }
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override { return m_source->shapeOf(name); }
    // With its scales in `rowScales`. Rotated weights are turned back and become F16: W = (q·s)·R, where R is the
    // Kronecker power of the symmetric, orthogonal matrix ½·(1 1 1 −1; 1 1 −1 1; 1 −1 1 1; −1 1 1 1) and acts on each
    // group of inputs. Throws Failure for a format that cannot be computed with, by its name.
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;

private:
    std::shared_ptr<WeightSource> m_source;
    Json m_layers;
};

}  // namespace meander
