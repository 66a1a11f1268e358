#include "engine/project/model_json.h"

#include <algorithm>
#include <cmath>

#include "engine/core/json.h"
#include "engine/models/checkpoint.h"

namespace meander {
namespace {

const std::string what = "a recorded model";
constexpr std::size_t maximumList = 1 << 16;

Json shapeToJson(const Shape& s) {
    Json j = Json::array();
    for (auto e : s.extents()) j.push_back(e);
    return j;
}

Shape shapeFromJson(const Json& j, const char* key) {
    const auto extents = jsonIntegers(j, key, {}, 0, what);
    if (extents.size() > std::size_t(Shape::maxRank))
        throw Failure("A recorded shape has too many dimensions. The project file is damaged.");
    for (auto e : extents)
        if (e < 0 || e > (1 << 24)) throw Failure("A recorded shape is not valid. The project file is damaged.");
    return Shape(std::span<const std::int64_t>(extents));
}

// The name of the noise schedule inside Process::name(): "variance preserving, scaled linear, 1000 steps".
std::string scheduleNameOf(const Process& p) {
    const std::string name = p.name();
    const auto first = name.find(", "), last = name.rfind(", ");
    return first == std::string::npos || first == last ? std::string("recorded")
                                                       : name.substr(first + 2, last - first - 2);
}

Json processToJson(const Process& p) {
    switch (p.kind()) {
    case ProcessKind::VarianceExploding:
        return {{"kind", "variance exploding"}, {"minimum", p.minimum()}, {"maximum", p.maximum()}};
    case ProcessKind::RectifiedFlow: {
        Json j = {{"kind", "rectified flow"},
                  {"time_scale", p.networkTime(1)},
                  {"time_shift", p.timeShift()},
                  {"table_steps", p.tableSteps()}};
        if (!p.manifold().isFlat()) j["manifold"] = nameOf(p.manifold().kind());
        return j;
    }
    case ProcessKind::VariancePreserving: break;
    }
    Json alphas = Json::array();
    for (int k = 0; k < p.trainingSteps(); ++k) {
        const double sigma = p.tauOfStep(k);
        alphas.push_back(1 / (1 + sigma * sigma));
    }
    return {{"kind", "variance preserving"}, {"name", scheduleNameOf(p)}, {"alphas_cumprod", std::move(alphas)}};
}

Process processFromJson(const Json& j) {
    const std::string kind = jsonText(j, "kind", "", what);
    if (kind == "variance exploding") {
        const double low = jsonReal(j, "minimum", 0, what), high = jsonReal(j, "maximum", 0, what);
        if (!(low > 0 && low < high && std::isfinite(high))) throw Failure("A recorded noise process is not valid.");
        return Process::varianceExploding(low, high);
    }
    if (kind == "rectified flow") {
        const double scale = jsonReal(j, "time_scale", 1, what), shift = jsonReal(j, "time_shift", 1, what);
        const std::int64_t table = jsonInteger(j, "table_steps", 1000, what);
        if (!(scale > 0 && std::isfinite(scale) && shift > 0 && shift <= 1000 && table >= 2 && table <= 1'000'000))
            throw Failure("A recorded noise process is not valid.");
        const auto manifold = manifoldNamed(jsonText(j, "manifold", "euclidean", what));
        if (!manifold) throw Failure("A recorded noise process is on a space that this version does not know.");
        return Process::rectifiedFlow(scale, shift, int(table)).onManifold(Manifold(*manifold));
    }
    const auto alphas = jsonReals(j, "alphas_cumprod", {}, what);
    if (kind != "variance preserving" || alphas.size() < 2 || alphas.size() > maximumList)
        throw Failure("A recorded noise process is of an unknown kind.");
    for (std::size_t k = 0; k < alphas.size(); ++k)
        if (!(alphas[k] > 0 && alphas[k] < 1 && (k == 0 || alphas[k] < alphas[k - 1])))
            throw Failure("A recorded noise process is not valid.");
    return Process::variancePreserving(alphas, jsonText(j, "name", "recorded", what));
}

template <class E> E byName(const Json& j, const char* key, int count, E fallback) {
    const std::string name = jsonText(j, key, "", what);
    for (int i = 0; i < count; ++i)
        if (name == nameOf(E(i))) return E(i);
    return fallback;
}

}  // namespace

Json sitesToJson(const std::vector<TapSite>& sites) {
    Json j = Json::array();
    for (const auto& s : sites)
        j.push_back(
            {{"path", s.path}, {"heads", s.heads}, {"height", s.height}, {"width", s.width}, {"tokens", s.tokens}});
    return j;
}

std::vector<TapSite> sitesFromJson(const Json& j) {
    std::vector<TapSite> sites;
    if (j.is_null()) return sites;
    if (!j.is_array() || j.size() > maximumList) throw Failure("The recorded attention layers are damaged.");
    for (const auto& e : j) {
        const auto extent = [&](const char* key) {
            const auto v = jsonInteger(e, key, 0, "a recorded attention layer");
            if (v < 0 || v > (1 << 20)) throw Failure("A recorded attention layer has a size that cannot be.");
            return int(v);
        };
        sites.push_back(
            {jsonText(e, "path", "", what), extent("heads"), extent("height"), extent("width"), extent("tokens")});
    }
    return sites;
}

Json tokensToJson(const std::vector<Token>& tokens) {
    Json j = Json::array();
    for (const auto& t : tokens)
        j.push_back({{"id", t.id},
                     {"text", t.text},
                     {"special", t.special},
                     {"word", t.word},
                     {"begin", t.begin},
                     {"end", t.end}});
    return j;
}

std::vector<Token> tokensFromJson(const Json& j) {
    std::vector<Token> tokens;
    if (j.is_null()) return tokens;
    if (!j.is_array() || j.size() > maximumList) throw Failure("The recorded words of the prompt are damaged.");
    const std::string token = "a recorded token";
    for (const auto& e : j)
        tokens.push_back({int(jsonInteger(e, "id", 0, token)), jsonText(e, "text", "", token),
                          jsonBool(e, "special", false, token), int(jsonInteger(e, "word", -1, token)),
                          int(jsonInteger(e, "begin", 0, token)), int(jsonInteger(e, "end", 0, token))});
    return tokens;
}

namespace {

// --- one reading and one writing for each type of a fact; null: left out ---
constexpr const char* stateNames[] = {"points", "image"};
constexpr const char* conditioningNames[] = {"none", "class", "text"};
constexpr const char* sourceNames[] = {"read", "assumed", "declared"};

template <class E, std::size_t N>
E named(const Json& j, const char* key, const char* const (&names)[N], E fallback = E(0)) {
    const std::string name = jsonText(j, key, names[std::size_t(fallback)], what);
    const auto it = std::find(std::begin(names), std::end(names), name);
    return it == std::end(names) ? fallback : E(it - std::begin(names));
}

Json jsonOf(const std::string& v) { return v; }
Json jsonOf(bool v) { return v ? Json(true) : Json(); }
Json jsonOf(double v) { return v; }
Json jsonOf(int v) { return v; }
Json jsonOf(std::int64_t v) { return v; }
Json jsonOf(std::size_t v) { return v; }
Json jsonOf(const Json& v) { return v; }
Json jsonOf(const Shape& v) { return shapeToJson(v); }
Json jsonOf(const Process& v) { return processToJson(v); }
Json jsonOf(Parametrization v) { return nameOf(v); }
Json jsonOf(Distillation v) { return checkpointRule(v).key; }
Json jsonOf(StateKind v) { return stateNames[std::size_t(v)]; }
Json jsonOf(ConditioningKind v) { return conditioningNames[std::size_t(v)]; }
Json jsonOf(DType v) { return kernels::nameOf(v); }
Json jsonOf(const std::vector<std::string>& v) { return v.empty() ? Json() : Json(v); }
Json jsonOf(const std::vector<TapSite>& v) { return v.empty() ? Json() : sitesToJson(v); }
Json jsonOf(const std::optional<double>& v) { return v ? Json(*v) : Json(); }
Json jsonOf(const std::optional<PixelMap>& v) {
    if (!v) return {};
    Json j = {{"fold", v->fold}, {"scale", v->scale}, {"offset", v->offset}};
    if (!v->isExact()) {
        j["matrix"] = v->matrix;
        j["bias"] = v->bias;
    }
    return j;
}
Json jsonOf(const std::vector<Finding>& v) {
    Json list = Json::array();
    for (const Finding& f : v)
        list.push_back({{"key", f.key}, {"value", f.value}, {"reason", f.reason}, {"source", sourceNames[f.source]}});
    return list.empty() ? Json() : list;
}

void read(const Json& j, const char* key, std::string& v) { v = jsonText(j, key, v, what); }
void read(const Json& j, const char* key, bool& v) { v = jsonBool(j, key, v, what); }
void read(const Json& j, const char* key, double& v) { v = jsonReal(j, key, v, what); }
void read(const Json& j, const char* key, int& v) {
    v = int(std::clamp<std::int64_t>(jsonInteger(j, key, v, what), 0, 1 << 24));
}
void read(const Json& j, const char* key, std::int64_t& v) { v = jsonInteger(j, key, v, what); }
void read(const Json& j, const char* key, std::size_t& v) {
    v = std::size_t(std::max<std::int64_t>(0, jsonInteger(j, key, std::int64_t(v), what)));
}
void read(const Json& j, const char* key, Json& v) { v = j[key]; }
void read(const Json& j, const char* key, Shape& v) { v = shapeFromJson(j, key); }
void read(const Json& j, const char* key, Process& v) { v = processFromJson(j[key]); }
void read(const Json& j, const char* key, Parametrization& v) {
    const std::string name = jsonText(j, key, "", what);
    for (int i = 0; i < parametrizationCount; ++i)
        if (name == nameOf(Parametrization(i))) v = Parametrization(i);
}
void read(const Json& j, const char* key, Distillation& v) {
    v = distillationOf(jsonText(j, key, "none", what)).value_or(Distillation::None);
}
void read(const Json& j, const char* key, StateKind& v) { v = named(j, key, stateNames, StateKind::Points); }
void read(const Json& j, const char* key, ConditioningKind& v) {
    v = named<ConditioningKind>(j, key, conditioningNames);
}
void read(const Json& j, const char* key, DType& v) {
    v = jsonText(j, key, "f32", what) == "f64" ? DType::F64 : DType::F32;
}
void read(const Json& j, const char* key, std::vector<std::string>& v) { v = jsonTexts(j, key, {}, what); }
void read(const Json& j, const char* key, std::vector<TapSite>& v) { v = sitesFromJson(j[key]); }
void read(const Json& j, const char* key, std::optional<double>& v) { v = jsonReal(j, key, 1, what); }
void read(const Json& j, const char* key, std::optional<PixelMap>& v) {
    const std::string map = "a recorded map of pixels";
    PixelMap m;
    m.fold = int(std::clamp<std::int64_t>(jsonInteger(j[key], "fold", 1, map), 1, 64));
    m.scale = jsonReal(j[key], "scale", m.scale, map);
    m.offset = jsonReal(j[key], "offset", m.offset, map);
    m.matrix = jsonReals(j[key], "matrix", {}, map);
    const auto bias = jsonReals(j[key], "bias", {}, map);
    if (m.matrix.size() % 3 != 0 || m.matrix.size() > 3072 || (!m.matrix.empty() && bias.size() != 3))
        throw Failure("A recorded map from states to pixels is damaged.");
    std::copy_n(bias.begin(), std::min<std::size_t>(bias.size(), 3), m.bias.begin());
    v = m;
}
void read(const Json& j, const char* key, std::vector<Finding>& v) {
    if (!j[key].is_array() || j[key].size() > 256) throw Failure("The recorded findings about a model are damaged.");
    for (const Json& f : j[key])
        v.push_back({jsonText(f, "key", "", what), jsonText(f, "value", "", what), jsonText(f, "reason", "", what),
                     named<Finding::Source>(f, "source", sourceNames)});
}

// --- the facts: key in a file, member ---
struct Fact {
    const char* key;
    Json (*write)(const ModelInfo&);
    void (*read)(const Json&, const char*, ModelInfo&);
};
#define FACT(key, member)                                                                                              \
    Fact {                                                                                                             \
        key, [](const ModelInfo& m) { return jsonOf(m.member); },                                                      \
            [](const Json& j, const char* k, ModelInfo& m) { read(j, k, m.member); }                                   \
    }

const Fact facts[] = {
    FACT("id", id),
    FACT("name", name),
    FACT("summary", summary),
    FACT("family", family),
    FACT("parametrization", parametrization),
    FACT("process", process),
    FACT("sigma_data", sigmaData),
    FACT("distillation", distillation),
    FACT("state", state.kind),
    FACT("state_shape", state.shape),
    FACT("picture_shape", state.image),
    FACT("state_type", state.type),
    FACT("granule", state.granule),
    FACT("pixels", pixels),
    FACT("conditioning", conditioning),
    FACT("classes", classes),
    FACT("text_tokens", textTokens),
    FACT("attention", attention),
    FACT("blocks", blocks),
    FACT("takes_guidance", takesGuidance),
    FACT("parameters", parameters),
    FACT("weight_bytes", weightBytes),
    FACT("built_in_guidance", builtInGuidance),
    FACT("recommended", recommended),
    FACT("findings", findings),
    FACT("has_density", hasDensity),
    FACT("draws_data", drawsData),
};
#undef FACT

// Of files from before it was recorded: pixels folded into channels, on the scale of [−1, 1].
std::optional<PixelMap> pixelMapOfShapes(const StateSpec& s) {
    if (!s.isImage() || s.shape.rank() != 3 || s.image.rank() != 3 || s.shape[1] <= 0 || s.image[1] % s.shape[1] != 0)
        return {};
    const std::int64_t fold = s.image[1] / s.shape[1];
    if (fold < 1 || fold > 64 || s.shape[2] != 3 * fold * fold) return {};
    return PixelMap{.fold = int(fold), .scale = 0.5, .offset = 0.5, .matrix = {}, .bias = {}};
}

}  // namespace

Json modelToJson(const ModelInfo& m) {
    Json j = Json::object();
    for (const Fact& f : facts)
        if (Json value = f.write(m); !value.is_null()) j[f.key] = std::move(value);
    return j;
}

ModelInfo modelFromJson(const Json& j) {
    if (!j.is_object()) throw Failure("A recorded model is not described. The project file is damaged.");
    ModelInfo m;
    m.state.kind = StateKind::Points;
    for (const Fact& f : facts)
        if (j.contains(f.key) && !j[f.key].is_null()) f.read(j, f.key, m);
    if (!m.pixels) m.pixels = pixelMapOfShapes(m.state);
    return m;
}

}  // namespace meander
