// What is changed inside a network for one row of a call: guidance compares a network with a worse copy of itself (PAG,
// SEG, SLG, autoguidance) or steers it from within (NAG, FreeU, distilled guidance). Rows of one call may differ, so
// changed and plain rows share it.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace meander {

class Conditioning;

struct Intervention {
    enum class Attention : std::uint8_t { Identity, BlurredQueries };
    // The self-attention of a transformer block (index into ModelInfo::blocks): softmax(QKᵀ) becomes the identity (Ahn
    // et al. 2024, PAG), or Q is blurred on its grid by a Gaussian of σ tokens (Hong 2024, SEG); σ = ∞: every query is
    // the mean of all.
    struct AttentionEdit {
        int block = 0;
        Attention kind = Attention::Identity;
        double blur = std::numeric_limits<double>::infinity();
        bool operator==(const AttentionEdit&) const = default;
    };
    // Residuals that are left out: the whole block, its self- and cross-attention, or its feed-forward.
    enum class Part : std::uint8_t { Block, Attention, FeedForward };
    struct Skip {
        int block = 0;
        Part part = Part::Block;
        bool operator==(const Skip&) const = default;
    };
    // Normalised attention guidance (Chen et al. 2025): every cross-attention's output z becomes the guided z̃ = scale·z
    // − (scale − 1)·z₋, whose L1 norm per token may be at most tau times that of z, blended as alpha·z̃ + (1 − alpha)·z.
    // z₋: the same queries attend to another prompt.
    struct Nag {
        std::shared_ptr<const Conditioning> prompt;
        double scale = 5, tau = 2.5, alpha = 0.25;
        bool operator==(const Nag&) const = default;
    };
    // FreeU (Si et al. 2023) at two places on the way up of a U-Net: the first half of the backbone's channels is
    // scaled by `backbone`, the skip connection's lowest frequencies by `skip`. Places are the first two up blocks, or
    // wherever the backbone is four and two times as wide as the first level. `structure`: the backbone's factor
    // follows its own mean over channels, from 1 at the least to `backbone` at the greatest (version 2).
    struct FreeU {
        std::array<double, 2> backbone{1, 1}, skip{1, 1};
        bool byWidth = false, structure = false;
        bool operator==(const FreeU&) const = default;
    };
    std::vector<AttentionEdit> attention;
    std::vector<Skip> skipped;
    std::optional<Nag> nag;
    std::optional<FreeU> freeU;
    // The guidance scale that a guidance-distilled network is told (ModelInfo::takesGuidance).
    std::optional<double> guidance;
    bool operator==(const Intervention&) const = default;
};
using InterventionPtr = std::shared_ptr<const Intervention>;

}  // namespace meander
