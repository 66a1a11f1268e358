// U-Nets of pixels, with a class or without a condition: UNet2DModel of diffusers (DDPM, Ho et al. 2020; ADM, Dhariwal
// & Nichol 2021; consistency models, Song et al. 2023).
#pragma once
#include "engine/core/json.h"
#include "engine/models/architectures/pixel_unet_blocks.h"
#include "engine/models/denoiser.h"
#include "engine/models/layers/trunks.h"

namespace meander {

struct PixelUNetConfig {
    struct Level {
        int channels;
        bool hasAttention;  // on the way down and up alike, unless said otherwise
        bool hasAttentionUp;
        bool downIsBlock, upIsBlock;  // its resampler is a residual block, not a filter
    };
    std::vector<Level> levels;  // finest first
    int inChannels = 3, outChannels = 3, height = 64, width = 64, layers = 2, groups = 32;
    int heads = 0, headWidth = 8;  // see PixelLayout
    int downsamplePadding = 1;
    int classes = 0;  // 0: no condition
    float eps = 1e-5f, midScale = 1;
    bool hasMidAttention = true, cosFirst = true, scales = false, interleavesHeads = false;
    double frequencyShift = 0;
    int timeWidth() const { return 4 * levels.front().channels; }
};
// In diffusers' words. Throws Failure.
PixelUNetConfig pixelUNetConfig(const Json& json, const std::string& what);

class PixelUNet final : public Denoiser {
public:
    PixelUNet(const PixelUNetConfig& config, NetworkBuilder& builder);

    // Raw: class (1), for networks with classes. Prepared: class, its embedding (1, time width) F32.
    Conditions prepare(const Conditions& raw) override;
    Tensor forward(const DenoiserInput& in) override;
    std::size_t bytesPerRow(int height, int width) const override;

private:
    void buildDown(PixelLayout& layout, std::vector<int>& skips);
    void buildUp(PixelLayout& layout, std::vector<int>& skips);
    nn::Grid grid(int level) const { return {m_config.height >> level, m_config.width >> level}; }
    Tensor timeProjections(const DenoiserInput& in) const;
    // What one skip connection spans: the layer before it on the way down, and the one that it joins on the way up.
    struct Level {
        const PixelStage *down = nullptr, *up = nullptr;
        std::size_t downLayer = 0, upLayer = 0;  // behind the last: the resampler
    };
    void listLevels();
    Tensor runDown(const nn::Pass& pass, const Level& level, const Tensor& x) const;
    Tensor runMiddle(const nn::Pass& pass, const Tensor& x) const;
    Tensor runUp(const nn::Pass& pass, const Level& level, Tensor x, Tensor skip) const;
    Tensor halved(const Tensor& x, const PixelStage& stage, const nn::Pass& pass) const;

    PixelUNetConfig m_config;
    Backend& m_backend;
    DType m_type;
    Conv m_convIn, m_convOut;
    Linear m_time1, m_time2, m_timeAll;
    Tensor m_classes;
    Norm m_normOut;
    std::vector<const PixelStage*> m_down, m_up;
    const PixelStage* m_middle = nullptr;
    std::vector<Level> m_levels;  // outermost first
    TrunkLevels m_trunk;
};

}  // namespace meander
