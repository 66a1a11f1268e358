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

constexpr const char* stateNames[] = {"points", "image"};
constexpr const char* conditioningNames[] = {"none", "class", "text"};

template <class E, std::size_t N> E fromNames(const Json& j, const char* key, const char* const (&names)[N]) {
    const std::string name = jsonText(j, key, names[0], what);
    const auto it = std::find(std::begin(names), std::end(names), name);
    return it == std::end(names) ? E(0) : E(it - std::begin(names));
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

Json modelToJson(const ModelInfo& m) {
    Json j = {{"id", m.id}, {"name", m.name}, {"summary", m.summary}, {"family", m.family}};
    j["parametrization"] = nameOf(m.parametrization);
    j["process"] = processToJson(m.process);
    j["sigma_data"] = m.sigmaData;
    j["distillation"] = checkpointRule(m.distillation).key;
    j["state"] = stateNames[std::size_t(m.state)];
    j["state_shape"] = shapeToJson(m.stateShape);
    j["picture_shape"] = shapeToJson(m.imageShape);
    j["state_type"] = kernels::nameOf(m.stateType);
    j["conditioning"] = conditioningNames[std::size_t(m.conditioning)];
    j["classes"] = m.classes;
    j["text_tokens"] = m.textTokens;
    j["attention"] = sitesToJson(m.attention);
    if (!m.blocks.empty()) j["blocks"] = sitesToJson(m.blocks);
    if (m.takesGuidance) j["takes_guidance"] = true;
    j["parameters"] = m.parameters;
    j["weight_bytes"] = m.weightBytes;
    if (m.builtInGuidance) j["built_in_guidance"] = *m.builtInGuidance;
    if (!m.recommended.is_null()) j["recommended"] = m.recommended;
    j["has_density"] = m.hasDensity;
    if (m.drawsData) j["draws_data"] = true;
    return j;
}

ModelInfo modelFromJson(const Json& j) {
    ModelInfo m;
    m.id = jsonText(j, "id", "", what);
    m.name = jsonText(j, "name", "", what);
    m.summary = jsonText(j, "summary", "", what);
    m.family = jsonText(j, "family", "", what);
    m.parametrization = byName(j, "parametrization", parametrizationCount, Parametrization::X0);
    if (j.contains("process")) m.process = processFromJson(j["process"]);
    m.sigmaData = jsonReal(j, "sigma_data", 0.5, what);
    m.distillation = distillationOf(jsonText(j, "distillation", "none", what)).value_or(Distillation::None);
    m.state = fromNames<StateKind>(j, "state", stateNames);
    m.stateShape = shapeFromJson(j, "state_shape");
    m.imageShape = shapeFromJson(j, "picture_shape");
    m.stateType = jsonText(j, "state_type", "f32", what) == "f64" ? DType::F64 : DType::F32;
    m.conditioning = fromNames<ConditioningKind>(j, "conditioning", conditioningNames);
    m.classes = jsonTexts(j, "classes", {}, what);
    m.textTokens = int(jsonInteger(j, "text_tokens", 0, what));
    if (j.contains("attention")) m.attention = sitesFromJson(j["attention"]);
    if (j.contains("blocks")) m.blocks = sitesFromJson(j["blocks"]);
    m.takesGuidance = jsonBool(j, "takes_guidance", false, what);
    m.parameters = jsonInteger(j, "parameters", 0, what);
    m.weightBytes = std::size_t(std::max<std::int64_t>(0, jsonInteger(j, "weight_bytes", 0, what)));
    if (j.contains("built_in_guidance")) m.builtInGuidance = jsonReal(j, "built_in_guidance", 1, what);
    if (j.contains("recommended")) m.recommended = j["recommended"];
    m.hasDensity = jsonBool(j, "has_density", false, what);
    m.drawsData = jsonBool(j, "draws_data", false, what);
    return m;
}

}  // namespace meander
