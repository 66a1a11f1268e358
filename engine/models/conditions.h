// What a network is conditioned on: named tensors, the first dimension of each being the rows.
//
// Text encoders and other sources make the raw ones; Denoiser::prepare turns them, once per prompt, into what every
// call of the network takes.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

// Names. Raw tensors have one row; a network documents which it takes.
namespace condition {
inline constexpr const char* context = "context";  // (1, tokens, width): states of text encoders
inline constexpr const char* pooled = "pooled";    // (1, width): one vector for the whole text
inline constexpr const char* size = "size";        // (1, numbers): sizes and crops in pixels, scores
inline constexpr const char* image = "image";      // (1, h, w, c): further channels of the input
inline constexpr const char* label = "class";      // (1): index of a class, I32
}  // namespace condition

struct Conditions {
    std::map<std::string, Tensor> tensors;

    bool has(const std::string& name) const { return tensors.contains(name); }
    // Throws std::invalid_argument for a name that is not there.
    const Tensor& at(const std::string& name) const;
    // The same names and, without the rows, the same shapes: only such rows can share a call.
    bool fits(const Conditions& other) const;
};
// The rows of all below each other. Throws std::invalid_argument where they do not fit.
Conditions stacked(const std::vector<const Conditions*>& rows);

struct Token {
    int id = 0;
    std::string text;        // as shown: "circle"
    bool special = false;    // start, end, padding
    int word = -1;           // index of the word (chip) it belongs to; −1 for special tokens
    int begin = 0, end = 0;  // byte range in the prompt as it was normalised
};

// Prepared conditioning of one row; exact models derive their own.
struct Conditioning {
    virtual ~Conditioning() = default;
    std::vector<Token> tokens;  // of a text
    Conditions conditions;      // as the network takes them
};
using ConditioningPtr = std::shared_ptr<const Conditioning>;

}  // namespace meander
