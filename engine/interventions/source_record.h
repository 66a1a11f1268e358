// What the network computed in the rows of a source: another prompt at the same states, or the states of a recorded
// run. They are evaluated before the rows that read from them (prompt-to-prompt, mutual self-attention, patching).
#pragma once
#include <map>
#include <string>
#include <utility>

#include "engine/interventions/common.h"

namespace meander {

// Of one source and one intervention; of one row each.
struct SourceRecord {
    struct Part {
        Tensor k, v;           // (1, m, c), as attention took them
        Tensor probabilities;  // (heads, n, m) F32
        Tensor residual;       // (1, n, c)
        nn::Grid grid;
    };
    // Null where the source had no such site on this grid.
    const Part* find(const nn::SiteCall& call, std::int64_t row) const;
    std::map<std::pair<std::string, std::int64_t>, Part> parts;  // by site and SiteCall::offset
    std::vector<Token> tokens;                                   // of its text
};

namespace intervention {

enum class Kept : std::uint8_t { KeysAndValues, Probabilities, Residuals };

// The hook in the rows of a source. `mostPlaces`: larger grids keep no probabilities.
nn::SiteHookPtr sourceHook(const Params& p, const InterventionSetup& setup, const std::string& owner,
                           std::vector<nn::SiteKind> kinds, Kept kept, std::int64_t mostPlaces = 0);

// The parameter `most`: the largest grid whose maps are kept, in places.
ParamSpec mostPlacesParam();

}  // namespace intervention
}  // namespace meander
