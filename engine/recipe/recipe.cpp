#include "engine/recipe/recipe.h"

#include <algorithm>

namespace meander {

const char* nameOf(AttentionLevel l) {
    switch (l) {
    case AttentionLevel::Off: return "off";
    case AttentionLevel::Summary: return "summary";
    case AttentionLevel::Layers: return "layers";
    case AttentionLevel::Full: return "full";
    }
    return "";
}

namespace {

Json toJson(const Choice& c) {
    Json j = {{"id", c.id}};
    if (!c.params.empty()) j["params"] = meander::toJson(c.params);
    return j;
}

// Reads one object key by key and remembers what it did not understand.
class Reader {
public:
    Reader(const Json& j, std::string where) : m_json(j), m_where(std::move(where)) {
        if (!j.is_object()) throw Failure(m_where + " must be a JSON object.");
    }
    template <class T> void value(const char* key, T& into, const char* kind) {
        const Json* j = take(key);
        if (!j || j->is_null()) return;
        try {
            if constexpr (std::is_same_v<T, bool>) {
                if (!j->is_boolean()) throw Failure("");
            } else if constexpr (std::is_integral_v<T>) {
                if (!j->is_number_integer()) throw Failure("");
                if (std::is_signed_v<T> && j->is_number_unsigned()
                    && j->get<std::uint64_t>() > std::uint64_t(std::numeric_limits<T>::max()))
                    throw Failure("");
                if (std::is_unsigned_v<T> && !j->is_number_unsigned()) throw Failure("");
            }
            into = j->template get<T>();
        } catch (const std::exception&) {
            throw Failure(m_where + ": \"" + key + "\" must be " + kind + ".");
        }
    }
    const Json* take(const char* key) {
        m_known.push_back(key);
        const auto it = m_json.find(key);
        return it == m_json.end() ? nullptr : &*it;
    }
    void finish() const {
        for (const auto& [key, v] : m_json.items())
            if (std::find(m_known.begin(), m_known.end(), key) == m_known.end())
                throw Failure(m_where + " has an unknown key \"" + key + "\". Remove it or correct its spelling.");
    }

private:
    const Json& m_json;
    std::string m_where;
    std::vector<std::string> m_known;
};

Choice choiceFromJson(const Json& j, const std::string& where) {
    Choice c;
    if (j.is_string()) {
        c.id = j.get<std::string>();
        return c;
    }
    Reader r(j, where);
    r.value("id", c.id, "a text");
    if (const Json* p = r.take("params"); p && !p->is_null()) {
        auto params = paramsFromJson(*p);
        if (!params) throw Failure(where + ": " + params.error().text);
        c.params = *params;
    }
    r.finish();
    return c;
}

AttentionLevel attentionFromText(const std::string& s) {
    for (auto l : {AttentionLevel::Off, AttentionLevel::Summary, AttentionLevel::Layers, AttentionLevel::Full})
        if (s == nameOf(l)) return l;
    throw Failure("The recipe's \"attention\" must be off, summary, layers or full.");
}

}  // namespace

Json toJson(const Recipe& r) {
    Json j;
    j["model"] = r.model;
    j["prompt"] = r.prompt;
    if (!r.negativePrompt.empty()) j["negative_prompt"] = r.negativePrompt;
    if (r.classIndex) j["class"] = *r.classIndex;
    j["seed"] = r.seed;
    j["images"] = r.images;
    j["steps"] = r.steps;
    if (r.start.id != "noise") j["start"] = toJson(r.start);
    j["sampler"] = toJson(r.sampler);
    j["schedule"] = toJson(r.schedule);
    if (!r.scheduleOperators.empty())
        for (const auto& o : r.scheduleOperators) j["schedule_operators"].push_back(toJson(o));
    j["noise"] = toJson(r.noise);
    j["guidance"] = Json::array();
    for (const auto& g : r.guidance) j["guidance"].push_back(toJson(g));
    j["precision"] = r.precision;
    j["device"] = r.device;
    j["attention"] = nameOf(r.attention);
    j["record_states"] = r.recordStates;
    if (r.branch) j["branch"] = {{"run", r.branch->run}, {"step", r.branch->step}};
    return j;
}

Result<Recipe> recipeFromJson(const Json& j) {
    try {
        Recipe recipe;
        Reader r(j, "The recipe");
        r.value("model", recipe.model, "a text");
        r.value("prompt", recipe.prompt, "a text");
        r.value("negative_prompt", recipe.negativePrompt, "a text");
        if (const Json* c = r.take("class"); c && !c->is_null()) {
            if (!c->is_number_integer()) throw Failure("The recipe: \"class\" must be a whole number.");
            recipe.classIndex = c->get<int>();
        }
        r.value("seed", recipe.seed, "a whole number of at least 0");
        r.value("images", recipe.images, "a whole number");
        r.value("steps", recipe.steps, "a whole number");
        if (const Json* c = r.take("start")) recipe.start = choiceFromJson(*c, "The recipe's start");
        if (const Json* c = r.take("sampler")) recipe.sampler = choiceFromJson(*c, "The recipe's sampler");
        if (const Json* c = r.take("schedule")) recipe.schedule = choiceFromJson(*c, "The recipe's schedule");
        if (const Json* o = r.take("schedule_operators"); o && !o->is_null()) {
            if (!o->is_array() || o->size() > 32)
                throw Failure("The recipe: \"schedule_operators\" must be a list of at most 32 operators.");
            for (const auto& rule : *o)
                recipe.scheduleOperators.push_back(choiceFromJson(rule, "An operator on the recipe's schedule"));
        }
        if (const Json* c = r.take("noise")) recipe.noise = choiceFromJson(*c, "The recipe's noise");
        if (const Json* g = r.take("guidance")) {
            if (!g->is_array() || g->size() > 32)
                throw Failure("The recipe: \"guidance\" must be a list of at most 32 rules.");
            for (const auto& rule : *g)
                recipe.guidance.push_back(choiceFromJson(rule, "A guidance rule of the recipe"));
        }
        r.value("precision", recipe.precision, "a text");
        r.value("device", recipe.device, "a text");
        std::string attention = nameOf(recipe.attention);
        r.value("attention", attention, "a text");
        recipe.attention = attentionFromText(attention);
        r.value("record_states", recipe.recordStates, "true or false");
        if (const Json* b = r.take("branch"); b && !b->is_null()) {
            BranchPoint point;
            Reader br(*b, "The recipe's branch point");
            br.value("run", point.run, "a text");
            br.value("step", point.step, "a whole number");
            br.finish();
            recipe.branch = point;
        }
        r.finish();
        return recipe;
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

Recipe recommendedRecipe(const ModelInfo& info) {
    Recipe base;
    base.model = info.id;
    Json merged = toJson(base);
    if (info.recommended.is_object())
        for (const auto& [key, value] : info.recommended.items()) merged[key] = value;
    merged["model"] = info.id;
    auto recipe = recipeFromJson(merged);
    return recipe ? *recipe : base;
}

}  // namespace meander
