#include "engine/weights/scaled_weights.h"

#include <algorithm>

#include "engine/core/json.h"
#include "engine/weights/quantised.h"

namespace meander {
namespace {

struct Description {
    std::string format;
    int rotatedGroup = 0;  // inputs that were rotated together; 0: none
};

Description parsed(const Json& json, const std::string& what) {
    Description d{jsonText(json, "format", "", what), 0};
    if (jsonBool(json, "convrot", false, what))
        d.rotatedGroup = int(std::clamp<std::int64_t>(jsonInteger(json, "convrot_groupsize", 256, what), 0, 1 << 20));
    return d;
}

Description descriptionOf(WeightSource& source, const Json& layers, const std::string& module) {
    if (layers.is_object() && layers.contains(module) && layers[module].is_object())
        return parsed(layers[module], "the description of '" + module + "'");
    const std::string name = module + ".comfy_quant";
    const auto shape = source.shapeOf(name);
    if (!shape) return {};
    std::string text;
    for (const float c : source.read(name, *shape).floats()) text += char(c);
    const std::string what = "the description '" + name + "'";
    const auto json = parseJson(text, what);
    if (!json) throw Failure(json.error().text);
    return parsed(*json, what);
}

bool isPowerOfFour(int n) { return n > 0 && (n & (n - 1)) == 0 && (n & 0x55555555) != 0; }

// One row times R, group by group: one factor of the Kronecker power for each base-4 digit of the index.
void rotate(float* row, std::int64_t columns, int group) {
    for (std::int64_t first = 0; first < columns; first += group)
        for (int step = 1; step < group; step *= 4)
            for (int i = 0; i < group; ++i) {
                if (i / step % 4 != 0) continue;
                float* v = row + first + i;
                const float a = v[0], b = v[step], c = v[2 * step], d = v[3 * step];
                v[0] = 0.5f * (a + b + c - d);
                v[step] = 0.5f * (a + b - c + d);
                v[2 * step] = 0.5f * (a - b + c + d);
                v[3 * step] = 0.5f * (b + c + d - a);
            }
}

HostWeight unrotated(const HostWeight& w, const std::string& name, int group) {
    if (!isPowerOfFour(group) || w.rowCount() % group != 0)
        throw Failure("The rotation of '" + name + "' over " + std::to_string(group)
                      + " inputs does not fit its shape. The file may be damaged.");
    std::vector<float> values = w.floats();
    for (std::int64_t r = 0; r < w.rows(); ++r) rotate(values.data() + r * w.rowCount(), w.rowCount(), group);
    return quantised(HostWeight::fromFloats(w.shape, std::move(values)), WeightFormat::F16);
}

}  // namespace

Json ScaledWeights::layersOfMetadata(const WeightFile& file, const std::string& prefix) {
    const auto entry = file.metadata().find("_quantization_metadata");
    if (entry == file.metadata().end()) return nullptr;
    const std::string what = "the entry '_quantization_metadata' of '" + file.name() + "'";
    const auto json = parseJson(entry->second, what);
    if (!json) throw Failure(json.error().text);
    Json layers = Json::object();
    if (!json->is_object() || !json->contains("layers") || !(*json)["layers"].is_object()) return nullptr;
    for (const auto& [name, layer] : (*json)["layers"].items())
        layers[name.starts_with(prefix) ? name.substr(prefix.size()) : name] = layer;
    return layers;
}

HostWeight ScaledWeights::read(const std::string& name, const kernels::Shape& shape) {
    if (!name.ends_with(".weight")) return m_source->read(name, shape);
    const std::string module = name.substr(0, name.size() - 7);
    const Description d = descriptionOf(*m_source, m_layers, module);
    static const char* const known[] = {"", "float8_e4m3fn", "float8_e5m2", "int8_tensorwise"};
    if (std::find(std::begin(known), std::end(known), d.format) == std::end(known))
        throw Failure(
            "The weight '" + name + "' is stored as " + d.format
            + ", which Meander cannot compute with. Use a file in another format, such as BF16, fp8 or GGUF.");
    HostWeight w = m_source->read(name, shape);
    for (const char* ending : {".weight_scale", ".scale_weight"}) {
        const auto scaleShape = m_source->shapeOf(module + ending);
        if (!scaleShape) continue;
        const std::vector<float> scales = m_source->read(module + ending, *scaleShape).floats();
        if (scales.size() != 1 && std::int64_t(scales.size()) != w.rows())
            throw Failure("The scales '" + module + ending + "' do not fit their weight. The file may be damaged.");
        w.rowScales.resize(std::size_t(w.rows()), scales.front());
        if (scales.size() > 1) w.rowScales = scales;
        break;
    }
    return d.rotatedGroup ? unrotated(w, name, d.rotatedGroup) : w;
}

}  // namespace meander
