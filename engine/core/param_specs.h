// Makers of parameter specs, for tables that read as tables.
#pragma once
#include "engine/core/params.h"

namespace meander {

// Absent arguments keep the defaults of ParamSpec.
ParamSpec realParam(std::string key, std::string label, double value, double minimum, double maximum, double step, std::string help);
ParamSpec integerParam(std::string key, std::string label, std::int64_t value, double minimum, double maximum, std::string help);
ParamSpec toggleParam(std::string key, std::string label, bool value, std::string help);
// The first choice is the default.
ParamSpec choiceParam(std::string key, std::string label, std::vector<ParamChoice> choices, std::string help);
ParamSpec listParam(std::string key, std::string label, double minimum, double maximum, std::string help);
ParamSpec withUnit(ParamSpec spec, std::string unit);
ParamSpec advancedParam(ParamSpec spec);
ParamSpec optionalParam(ParamSpec spec);  // may be absent; folded away at first

}  // namespace meander
