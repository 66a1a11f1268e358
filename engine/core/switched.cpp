#include "engine/core/switched.h"

#include "engine/core/param_specs.h"

namespace meander {

ParamSpec enabledParam() {
    return optionalParam(toggleParam(enabledKey, "Enabled", true,
                                     "Off: it stays in its place with its settings and does nothing; absent: on."));
}

bool isSwitchedOff(const Choice& choice) {
    const auto it = choice.params.find(enabledKey);
    const bool* isOn = it == choice.params.end() ? nullptr : std::get_if<bool>(&it->second);
    return isOn && !*isOn;
}

}  // namespace meander
