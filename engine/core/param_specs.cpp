#include "engine/core/param_specs.h"

#include <utility>

namespace meander {

namespace {

ParamSpec spec(ParamKind kind, std::string key, std::string label, ParamValue value, std::string help) {
    ParamSpec s;
    s.kind = kind;
    s.key = std::move(key);
    s.label = std::move(label);
    s.defaultValue = std::move(value);
    s.help = std::move(help);
    return s;
}

ParamSpec within(ParamSpec s, double minimum, double maximum, double step) {
    s.minimum = minimum;
    s.maximum = maximum;
    s.step = step;
    return s;
}

}  // namespace

ParamSpec realParam(std::string key, std::string label, double value, double minimum, double maximum, std::string help,
                    double step) {
    return within(spec(ParamKind::Real, std::move(key), std::move(label), value, std::move(help)), minimum, maximum,
                  step);
}

ParamSpec percentParam(std::string key, std::string label, double value, double minimum, double maximum,
                       std::string whole, std::string help, double step) {
    ParamSpec s = realParam(std::move(key), std::move(label), value, minimum, maximum, std::move(help), step);
    s.kind = ParamKind::Percent;
    s.unit = std::move(whole);
    return s;
}

ParamSpec integerParam(std::string key, std::string label, std::int64_t value, double minimum, double maximum,
                       std::string help) {
    return within(spec(ParamKind::Integer, std::move(key), std::move(label), value, std::move(help)), minimum, maximum,
                  1);
}

ParamSpec toggleParam(std::string key, std::string label, bool value, std::string help) {
    return within(spec(ParamKind::Toggle, std::move(key), std::move(label), value, std::move(help)), 0, 1, 1);
}

ParamSpec choiceParam(std::string key, std::string label, std::string value, std::vector<ParamChoice> choices,
                      std::string help) {
    ParamSpec s =
        within(spec(ParamKind::Choice, std::move(key), std::move(label), std::move(value), std::move(help)), 0, 1, 1);
    s.choices = std::move(choices);
    return s;
}

ParamSpec choiceParam(std::string key, std::string label, std::vector<ParamChoice> choices, std::string help) {
    std::string first = choices.front().id;
    return choiceParam(std::move(key), std::move(label), std::move(first), std::move(choices), std::move(help));
}

ParamSpec listParam(std::string key, std::string label, double minimum, double maximum, std::string help) {
    return within(spec(ParamKind::List, std::move(key), std::move(label), std::vector<double>{}, std::move(help)),
                  minimum, maximum, 0.01);
}

ParamSpec textParam(std::string key, std::string label, std::string help) {
    return spec(ParamKind::Text, std::move(key), std::move(label), std::string(), std::move(help));
}

ParamSpec fileParam(std::string key, std::string label, std::string help) {
    return spec(ParamKind::File, std::move(key), std::move(label), std::string(), std::move(help));
}

ParamSpec imageParam(std::string key, std::string label, std::string help) {
    return spec(ParamKind::Image, std::move(key), std::move(label), std::string(), std::move(help));
}

ParamSpec runParam(std::string key, std::string label, std::string help) {
    return spec(ParamKind::Run, std::move(key), std::move(label), std::string(), std::move(help));
}

ParamSpec withUnit(ParamSpec spec, std::string unit) {
    spec.unit = std::move(unit);
    return spec;
}

ParamSpec advanced(ParamSpec spec) {
    spec.advanced = true;
    return spec;
}

ParamSpec optionalParam(ParamSpec spec) {
    spec.optional = spec.advanced = true;
    return spec;
}

}  // namespace meander
