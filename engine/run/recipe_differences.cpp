#include "engine/run/recipe_differences.h"

#include <algorithm>

#include "engine/recipe/recipe_fields.h"
#include "engine/run/recipe_tables.h"

namespace meander {
namespace {

class Comparison {
public:
    Comparison(const Recipe& a, const Recipe& b) : m_a(a), m_b(b) {}

    std::vector<Difference> make() {
        for (const auto& field : recipeFields()) compare(field);
        return std::move(m_list);
    }

private:
    void add(const std::string& key, const std::string& label, const std::string& left, const std::string& right) {
        if (left != right) m_list.push_back({key, label, left, right});
    }

    void compare(const RecipeField& field) {
        if (const auto* one = std::get_if<Choice Recipe::*>(&field.member)) {
            choices(field, *choiceTable(field.key), field.key, field.label, &(m_a.**one), &(m_b.**one));
        } else if (const auto* several = std::get_if<std::vector<Choice> Recipe::*>(&field.member)) {
            const auto &left = m_a.**several, &right = m_b.**several;
            for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
                const std::string place = std::to_string(i);
                choices(field, *choiceTable(field.key), field.key + "." + place,
                        field.label + " " + std::to_string(i + 1), i < left.size() ? &left[i] : nullptr,
                        i < right.size() ? &right[i] : nullptr);
            }
        } else {
            add(field.key, field.label, display(field, m_a), display(field, m_b));
        }
    }

    // Two rows of a table (null: none at this place) and their parameters.
    void choices(const RecipeField& field, const ChoiceTable& table, const std::string& key, const std::string& label,
                 const Choice* left, const Choice* right) {
        const auto labelOf = [&](const Choice* c) {
            const ChoiceRow* row = c ? table.find(c->id) : nullptr;
            return !c ? std::string("none") : row ? row->label : c->id;
        };
        add(key, label, labelOf(left), labelOf(right));
        // Labels from the left row, or from the right one where the left has no parameters.
        const ChoiceRow* row = left ? table.find(left->id) : nullptr;
        if (right && (!row || row->params->empty())) row = table.find(right->id);
        params(key, field.label, row, paramsOf(table, left, right), paramsOf(table, right, left));
    }

    // Written out or not, a default is no difference: recipes of earlier versions lack parameters that came later.
    static Params paramsOf(const ChoiceTable& table, const Choice* c, const Choice* other) {
        if (!c) return {};
        const ChoiceRow* row = other && c->id == other->id ? table.find(c->id) : nullptr;
        const auto all = row ? resolveParams(*row->params, c->params, row->label) : Result<Params>(c->params);
        return all ? *all : c->params;
    }

    void params(const std::string& key, const std::string& label, const ChoiceRow* row, const Params& l,
                const Params& r) {
        Params all = l;
        all.insert(r.begin(), r.end());
        for (const auto& [name, ignored] : all) {
            std::string shown = name;
            if (row)
                for (const auto& s : *row->params)
                    if (s.key == name) shown = s.label;
            const auto value = [&name = name](const Params& p) {
                return p.contains(name) ? display(p.at(name)) : std::string("–");
            };
            add(key + "." + name, label + " " + shown, value(l), value(r));
        }
    }

    const Recipe &m_a, &m_b;
    std::vector<Difference> m_list;
};

}  // namespace

std::vector<Difference> differences(const Recipe& a, const Recipe& b) { return Comparison(a, b).make(); }

}  // namespace meander
