// Lumina Image 2 (Qin et al. 2025) and Z-Image (2025): text and image are refined apart, the text without the time, and
// go through all further blocks in one sequence. The families differ in sizes and names (lumina2.cpp, z_image.cpp).
//
// Time runs the other way than σ, from noise at 0 to data at 1, and the output is data − noise; both are turned round
// here.
#pragma once
#include <list>

#include "engine/models/architectures/architecture.h"
#include "engine/models/layers/sandwich_block.h"

namespace meander {

struct NextDitConfig {
    SandwichBlockStyle style;
    std::string textAttentionNorm;  // name of the first norm in blocks of the text
    int channels = 0, sampleSize = 0;
    int refiners = 0, layers = 0;
    int textWidth = 0;
    double timeScale = 1;          // of 1 − σ
    std::int64_t timeHidden = 0;   // usual width of the time's network: waves → hidden → style.vector
    bool isTimeActivated = false;  // SiLU between the time's vector and the modulations of the blocks
    int sequence = 1;              // text and image are padded to multiples of it, with learned tokens
    int firstPosition = 0;         // of the text
    RotaryAxes axes;               // (index in the text, row, column)
    struct Names {
        std::string time1, time2, textNorm, text, patches, modulationOut, output;
    } names;
};

class NextDit final : public Denoiser {
public:
    NextDit(const NextDitConfig& config, NetworkBuilder& builder);

    // Raw: context (1, tokens, textWidth). Prepared: context, refined and padded (1, tokens', width).
    Conditions prepare(const Conditions& raw) override;
    Tensor forward(const DenoiserInput& in) override;
    std::size_t bytesPerRow(int height, int width) const override;

private:
    struct Positions {
        std::int64_t text;
        nn::Grid grid;
        Rotary image, all;
    };
    Rotary rotaryOf(std::span<const double> positions) const { return Rotary(m_backend, m_config.axes, positions); }
    std::vector<double> textPositions(std::int64_t text) const;
    const Positions& positions(std::int64_t text, nn::Grid grid);
    std::int64_t padded(std::int64_t tokens) const;
    Tensor withPadding(const Tensor& tokens, const Tensor& token) const;

    NextDitConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_text, m_time1, m_time2, m_modulationOut, m_output;
    Tensor m_textNorm, m_imagePadding, m_textPadding;
    std::vector<std::unique_ptr<SandwichBlock>> m_textRefiners;  // run by prepare: no hook acts there
    std::vector<const SandwichBlock*> m_imageRefiners, m_layers;
    std::vector<const nn::Site*> m_trunks;  // one per layer
    std::list<Positions> m_positions;       // the latest first
};

// What follows from a configuration without weights; Architecture::describe.
void describeNextDit(const NextDitConfig& config, ModelInfo& info);

}  // namespace meander
