// Makers of parameter specs, for tables that read as tables.
#pragma once
#include "engine/core/params.h"

namespace meander {

ParamSpec realParam(std::string key, std::string label, double value, double minimum, double maximum, std::string help,
                    double step = 0.05);
// A fraction of `whole` ("steps"), shown as per cent.
ParamSpec percentParam(std::string key, std::string label, double value, double minimum, double maximum,
                       std::string whole, std::string help, double step = 0.05);
ParamSpec integerParam(std::string key, std::string label, std::int64_t value, double minimum, double maximum,
                       std::string help);
ParamSpec toggleParam(std::string key, std::string label, bool value, std::string help);
ParamSpec choiceParam(std::string key, std::string label, std::string value, std::vector<ParamChoice> choices,
                      std::string help);
ParamSpec choiceParam(std::string key, std::string label, std::vector<ParamChoice> choices,
                      std::string help);  // the first is the default
ParamSpec listParam(std::string key, std::string label, double minimum, double maximum,
                    std::string help);                                       // empty by default
ParamSpec textParam(std::string key, std::string label, std::string help);   // empty by default
ParamSpec fileParam(std::string key, std::string label, std::string help);   // a path; empty by default
ParamSpec imageParam(std::string key, std::string label, std::string help);  // the path of a PNG; empty by default
ParamSpec runParam(std::string key, std::string label, std::string help);    // the id of a run; empty by default
ParamSpec withUnit(ParamSpec spec, std::string unit);
ParamSpec advanced(ParamSpec spec);       // folded away at first
ParamSpec optionalParam(ParamSpec spec);  // optional, and folded away

}  // namespace meander
