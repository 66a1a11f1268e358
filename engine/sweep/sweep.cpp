#include "engine/sweep/sweep.h"

#include <algorithm>
#include <set>

#include "engine/core/json.h"
#include "engine/recipe/recipe_fields.h"
#include "engine/run/recipe_settings.h"

namespace meander {

std::string SweepAxis::label() const {
    std::string text;
    for (std::size_t i = 0; i < keys.size(); ++i)
        text += (i == 0 ? "" : i + 1 < keys.size() ? ", " : " and ") + settingLabel(keys[i]);
    return text;
}

std::string SweepAxis::label(int place) const {
    std::string text;
    for (const auto& v : values[std::size_t(place)]) text += (text.empty() ? "" : ", ") + v;
    return text.empty() ? "–" : text;
}

std::size_t Sweep::size() const {
    std::size_t n = axes.empty() ? 0 : 1;
    for (const auto& a : axes) n *= a.values.size();
    return n;
}

std::vector<int> Sweep::place(std::size_t cell) const {
    std::vector<int> at(axes.size());
    for (std::size_t i = axes.size(); i-- > 0;) {
        at[i] = int(cell % axes[i].values.size());
        cell /= axes[i].values.size();
    }
    return at;
}

std::size_t Sweep::cellAt(const std::vector<int>& place) const {
    std::size_t cell = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) cell = cell * axes[i].values.size() + std::size_t(place[i]);
    return cell;
}

// Whole settings before parameters of what they choose, the model first.
Recipe Sweep::recipe(std::size_t cell) const {
    const std::vector<int> at = place(cell);
    Recipe r = base;
    for (const int pass : {0, 1, 2})
        for (std::size_t i = 0; i < axes.size(); ++i)
            for (std::size_t k = 0; k < axes[i].keys.size(); ++k) {
                const std::string& key = axes[i].keys[k];
                const int own = key == "model" ? 0 : key.find('.') == std::string::npos ? 1 : 2;
                if (own == pass) changeSetting(r, key, axes[i].values[std::size_t(at[i])][k]);
            }
    return r;
}

std::string Sweep::label(std::size_t cell) const {
    const std::vector<int> at = place(cell);
    std::string text;
    for (std::size_t i = 0; i < axes.size(); ++i) text += (i == 0 ? "" : " · ") + axes[i].label(at[i]);
    return text;
}

void checkAxes(const std::vector<SweepAxis>& axes) {
    if (axes.empty()) throw Failure("A sweep needs at least one axis.");
    if (axes.size() > mostSweepAxes)
        throw Failure("A sweep has at most four axes. Let settings change together on one.");
    std::set<std::string> known;
    std::size_t cells = 1;
    for (const auto& a : axes) {
        if (a.keys.empty()) throw Failure("An axis names no setting.");
        if (a.values.empty()) throw Failure("The axis " + a.label() + " has no values.");
        for (const auto& key : a.keys) {
            const std::string field = key.substr(0, key.find('.'));
            Recipe probe;
            if (!findRecipeField(field)) changeSetting(probe, key, "");  // its sentence names the nearest
            if (field == "branch") throw Failure("Branches are no axis: sweep the settings of one branch instead.");
            if (!known.insert(key).second) throw Failure(settingLabel(key) + " is on two axes.");
        }
        for (const auto& v : a.values)
            if (v.size() != a.keys.size())
                throw Failure("The settings of the axis " + a.label() + " have different numbers of values.");
        cells *= a.values.size();
        if (cells > mostSweepCells)
            throw Failure("A sweep has at most " + std::to_string(mostSweepCells) + " cells. Give fewer values.");
    }
}

Json toJson(const Sweep& s) {
    Json j;
    j["id"] = s.id;
    if (!s.name.empty()) j["name"] = s.name;
    j["created"] = s.created;
    j["base"] = toJson(s.base);
    j["axes"] = Json::array();
    for (const auto& a : s.axes) j["axes"].push_back({{"keys", a.keys}, {"values", a.values}});
    j["cells"] = Json::array();
    for (const auto& c : s.cells) {
        Json cell = {{"run", c.run}};
        if (!c.problem.empty()) cell["problem"] = c.problem;
        j["cells"].push_back(std::move(cell));
    }
    return j;
}

Result<Sweep> sweepFromJson(const Json& j) try {
    const std::string what = "A sweep";
    if (!j.is_object()) throw Failure("A sweep must be a JSON object.");
    Sweep s;
    s.id = jsonText(j, "id", "", what);
    s.name = jsonText(j, "name", "", what);
    s.created = jsonText(j, "created", "", what);
    auto base = recipeFromJson(j.value("base", Json::object()));
    if (!base) return base.error();
    s.base = std::move(*base);
    for (const auto& a : j.value("axes", Json::array())) {
        SweepAxis axis{jsonTexts(a, "keys", {}, "An axis"), {}};
        for (const auto& v : a.value("values", Json::array())) axis.values.push_back(v.get<std::vector<std::string>>());
        s.axes.push_back(std::move(axis));
    }
    checkAxes(s.axes);
    for (const auto& c : j.value("cells", Json::array()))
        s.cells.push_back({jsonText(c, "run", "", "A cell"), jsonText(c, "problem", "", "A cell")});
    if (s.cells.size() != s.size()) throw Failure("A sweep has another number of cells than its axes.");
    return s;
} catch (const std::exception& e) {
    return Error{"The description of a sweep is damaged. " + std::string(e.what())};
}

}  // namespace meander
