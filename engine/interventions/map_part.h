// Parts of attention probabilities: with what places of the image look at words, or at each other, whether the network
// has attentions of its own for that or one joint attention.
#pragma once
#include <optional>

#include "engine/nn/hook.h"

namespace meander::intervention {

enum class LooksAt : std::uint8_t { Words, Places };

// Queries and keys of a part.
struct MapPart {
    std::int64_t query = 0, queries = 0, key = 0, keys = 0;
    // The part of one row (heads, n, m), sharing its memory; strided.
    Tensor of(const Tensor& row) const { return nn::tokens(row, query, queries).columns(key, keys); }
};
// Nothing where the site has no such part.
std::optional<MapPart> mapPart(const nn::SiteCall& call, const nn::Attention& a, LooksAt what);

// One row's probabilities (heads, n, m) of an attention, sharing its memory.
Tensor mapsOfRow(const nn::Attention& a, std::int64_t row);
// Every query's probabilities divided by their sum, in place; maps (heads, n, m).
void normaliseMaps(const Tensor& maps);
// (n, m) or (m) on the device, repeated over the leading dimensions by arithmetic.
Tensor uploaded(Backend& backend, kernels::Shape shape, const std::vector<float>& values);

}  // namespace meander::intervention
