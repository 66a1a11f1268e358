#include "engine/core/param_specs.h"

#include <utility>

namespace meander {

ParamSpec realParam(std::string key, std::string label, double value, double minimum, double maximum, double step, std::string help) {
    ParamSpec s;
    s.key = std::move(key);
    s.label = std::move(label);
    s.defaultValue = value;
    s.minimum = minimum;
    s.maximum = maximum;
    s.step = step;
    s.help = std::move(help);
    return s;
}

ParamSpec integerParam(std::string key, std::string label, std::int64_t value, double minimum, double maximum, std::string help) {
    ParamSpec s = realParam(std::move(key), std::move(label), 0, minimum, maximum, 1, std::move(help));
    s.kind = ParamKind::Integer;
    s.defaultValue = value;
    return s;
}

ParamSpec toggleParam(std::string key, std::string label, bool value, std::string help) {
    ParamSpec s = realParam(std::move(key), std::move(label), 0, 0, 1, 1, std::move(help));
    s.kind = ParamKind::Toggle;
    s.defaultValue = value;
    return s;
}

ParamSpec choiceParam(std::string key, std::string label, std::vector<ParamChoice> choices, std::string help) {
    ParamSpec s = realParam(std::move(key), std::move(label), 0, 0, 1, 1, std::move(help));
    s.kind = ParamKind::Choice;
    s.defaultValue = choices.front().id;
    s.choices = std::move(choices);
    return s;
}

ParamSpec listParam(std::string key, std::string label, double minimum, double maximum, std::string help) {
    ParamSpec s = realParam(std::move(key), std::move(label), 0, minimum, maximum, 0.01, std::move(help));
    s.kind = ParamKind::List;
    s.defaultValue = std::vector<double>{};
    return s;
}

ParamSpec withUnit(ParamSpec spec, std::string unit) {
    spec.unit = std::move(unit);
    return spec;
}

ParamSpec advancedParam(ParamSpec spec) {
    spec.advanced = true;
    return spec;
}

ParamSpec optionalParam(ParamSpec spec) {
    spec.optional = spec.advanced = true;
    return spec;
}

}  // namespace meander
