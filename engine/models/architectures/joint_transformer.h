// Transformers of a text and an image in one sequence: Flux.1, Chroma, Flux.2, Stable Diffusion 3, Qwen-Image. The
// families differ in sizes, names and switches only (flux.cpp, sd3.cpp …).
//
//   v = mlp(time) + mlp(guidance) + mlp(pooled text);  tokens = [text, patches of the image]
//   tokens = blocks(tokens, silu v);  output = patches of m(image tokens)
#pragma once
#include <list>

#include "engine/models/architectures/architecture.h"
#include "engine/models/layers/joint_block.h"

namespace meander {

struct JointTransformerConfig {
    JointBlockStyle style;
    int channels = 0;    // of the state
    int sampleSize = 0;  // cells along each side of the state that it was trained for
    int jointBlocks = 0, parallelBlocks = 0;
    int textWidth = 0;    // of the states of the text encoder
    int pooledWidth = 0;  // of its vector; 0: takes none
    // Conditioned on a guidance scale; for rows that have none, the one that the family's authors use.
    std::optional<double> usualGuidance;
    // A network that makes the modulations of all blocks from time and block (Chroma): its sizes; 0 layers: none.
    struct {
        int layers = 0, width = 0, waves = 0;
    } approximator;
    bool hasTextNorm = false;    // RMS norm of the text encoder's states
    bool hasPlaceFirst = false;  // rows of the output's matrix in the order (dy, dx, channel), not (channel, dy, dx)
    bool isConvolution = false;  // the patches' matrix is stored as a filter
    std::vector<int> secondAttention;  // joint blocks that have one
    bool endsText = false;             // in the last joint block
    // Rotary positions (RotaryAxes), token by token; null: a learned table of `tableSide`² places, of which an image
    // takes the middle.
    std::vector<double> (*positions)(std::int64_t text, nn::Grid image) = nullptr;
    RotaryAxes axes;
    int tableSide = 0;

    struct Names {
        std::string time, guidance, pooled, textNorm, text, patches;
        std::string imageModulation, textModulation, parallelModulation;  // shared ones
        StreamNames image, ofText;
        ParallelBlock::Names parallel;
    } names;
};

class JointTransformer final : public Denoiser {
public:
    JointTransformer(const JointTransformerConfig& config, NetworkBuilder& builder);

    // Raw: context (1, tokens, textWidth) and, where it is taken, pooled (1, pooledWidth). Prepared: both, (…, width).
    Conditions prepare(const Conditions& raw) override;
    Tensor forward(const DenoiserInput& in) override;
    std::size_t bytesPerRow(int height, int width) const override;

private:
    void check(const DenoiserInput& in) const;
    Tensor embedding(const DenoiserInput& in) const;
    Tensor approximated(std::span<const double> times) const;
    struct Modulations {
        std::vector<Tensor> shared;  // vectors of the pass, of all blocks
        Tensor own;                  // (rows, vectors, width): those of each block, where they are approximated
        Tensor end;                  // (rows, 2 · width): scale, shift
    };
    Modulations modulations(const DenoiserInput& in) const;
    Tensor tokensOf(const DenoiserInput& in, nn::Grid grid) const;
    const Rotary* rotary(std::int64_t text, nn::Grid grid);
    Tensor runBlocks(const nn::Pass& pass, const JointTokens& tokens, const Tensor& x) const;

    JointTransformerConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_text, m_time1, m_time2, m_guidance1, m_guidance2, m_pooled1, m_pooled2, m_modulationOut,
        m_output;
    struct {
        Linear in, out;
        std::vector<Linear> up, down;
        std::vector<Tensor> norms;
    } m_approximator;
    std::vector<Linear> m_shared;  // modulations: of the image, of the text, of the parallel blocks
    Tensor m_textNorm, m_table;
    std::vector<const JointBlock*> m_joint;
    std::vector<const ParallelBlock*> m_parallel;
    std::vector<const nn::Site*> m_trunks;  // one per block
    struct Known {
        std::int64_t text;
        nn::Grid grid;
        Rotary rotary;
    };
    std::list<Known> m_rotaries;  // the latest first
};

// As diffusers names the streams of a joint block.
StreamNames jointImageNames();
StreamNames jointTextNames();
// What follows from a configuration without weights; Architecture::describe.
void describeJointTransformer(const JointTransformerConfig& config, ModelInfo& info);

}  // namespace meander
