#include "engine/models/architectures/joint_transformer.h"

#include <algorithm>
#include <stdexcept>

#include "engine/models/layers/trunks.h"

namespace meander {

using nn::Activation;

namespace {

constexpr int timeWaves = 256;
constexpr float eps = 1e-6f;
constexpr float approximatorEps = 1.1920929e-7f;  // of an RMS norm of PyTorch that names none
constexpr std::size_t rotariesKept = 4;

// At the largest, in a block: the tokens, their norm, q, k and v of a stream and of both together; or the tokens, their
// norm, and the inner values of the feed-forward before and after the activation, with the factor where it is gated.
std::size_t bytesPerRow(const JointTransformerConfig& c, int height, int width, std::size_t element) {
    const std::int64_t tokens = std::int64_t(height / c.style.patch) * (width / c.style.patch), w = c.style.width();
    const std::int64_t attention = (c.secondAttention.empty() ? 8 : 9) * w,
                       feedForward = 2 * w + (c.style.isGated ? 3 : 2) * c.style.inner;
    return std::size_t(tokens * std::max(attention, feedForward)) * element;
}

constexpr std::size_t ownVectors = 1;  // of the pass, where those of each block are approximated

// Of (rows, vectors, width), dense and side by side.
Tensor vectorsOf(const Tensor& all, std::int64_t first, std::int64_t count) {
    return nn::tokens(all, first, count).clone().reshaped({all.shape()[0], count * all.shape()[2]});
}

std::string jointPath(int i) { return "transformer_blocks." + std::to_string(i); }
std::string parallelPath(int i) { return "single_transformer_blocks." + std::to_string(i); }

}  // namespace

JointTransformer::JointTransformer(const JointTransformerConfig& c, NetworkBuilder& b)
    : m_config(c), m_backend(b.backend), m_type(b.compute) {
    const std::int64_t w = c.style.width(), p = c.style.patch, patch = p * p * c.channels;
    const bool bias = c.style.hasBias;
    const auto& n = c.names;
    m_patches = c.isConvolution ? b.patchEmbedding(n.patches, c.channels, c.style.patch, w)
                                : b.linear(n.patches, patch, w, bias);
    if (c.hasTextNorm) m_textNorm = b.table(n.textNorm + ".weight", {c.textWidth});
    m_text = b.linear(n.text, c.textWidth, w, bias);
    if (c.approximator.layers == 0) {
        m_time1 = b.linearF32(n.time + ".linear_1", timeWaves, w, bias);
        m_time2 = b.linearF32(n.time + ".linear_2", w, w, bias);
    } else {
        const std::string layer = "distilled_guidance_layer.";
        const std::int64_t inner = c.approximator.width;
        m_approximator.in = b.linearF32(layer + "in_proj", c.approximator.waves, inner);
        for (int i = 0; i < c.approximator.layers; ++i) {
            const std::string number = std::to_string(i);
            m_approximator.norms.push_back(b.table(layer + "norms." + number + ".weight", {inner}));
            m_approximator.up.push_back(b.linear(layer + "layers." + number + ".linear_1", inner, inner));
            m_approximator.down.push_back(b.linear(layer + "layers." + number + ".linear_2", inner, inner));
        }
        m_approximator.out = b.linearF32(layer + "out_proj", inner, w);
    }
    if (c.usualGuidance) {
        m_guidance1 = b.linearF32(n.guidance + ".linear_1", timeWaves, w, bias);
        m_guidance2 = b.linearF32(n.guidance + ".linear_2", w, w, bias);
    }
    if (c.pooledWidth > 0) {
        m_pooled1 = b.linearF32(n.pooled + ".linear_1", c.pooledWidth, w, bias);
        m_pooled2 = b.linearF32(n.pooled + ".linear_2", w, w, bias);
    }
    if (c.style.sharesModulation && c.approximator.layers == 0) {
        m_shared.push_back(b.linear(n.imageModulation, w, 6 * w, bias));
        m_shared.push_back(b.linear(n.textModulation, w, 6 * w, bias));
        m_shared.push_back(b.linear(n.parallelModulation, w, 3 * w, bias));
    }
    if (c.tableSide > 0) m_table = b.table("pos_embed.pos_embed", {std::int64_t(c.tableSide) * c.tableSide, w});
    for (int i = 0; i < c.jointBlocks; ++i) {
        const auto& second = c.secondAttention;
        const JointBlock::Kind kind{n.image, n.ofText, std::find(second.begin(), second.end(), i) != second.end(),
                                    c.endsText && i + 1 == c.jointBlocks};
        m_joint.push_back(&add<JointBlock>(jointPath(i), b, c.style, kind));
    }
    for (int i = 0; i < c.parallelBlocks; ++i)
        m_parallel.push_back(&add<ParallelBlock>(parallelPath(i), b, c.style, n.parallel));
    for (int i = 0; i < c.jointBlocks + c.parallelBlocks; ++i) m_trunks.push_back(&add(trunkSite(i, c.style.patch)));
    numberBlocks();
    if (c.approximator.layers == 0) m_modulationOut = b.linear("norm_out.linear", w, 2 * w, bias);
    m_output = c.hasPlaceFirst ? b.patchProjection("proj_out", w, c.style.patch, c.channels, c.channels)
                               : b.linear("proj_out", w, patch, bias);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Conditions JointTransformer::prepare(const Conditions& raw) {
    const auto require = [&](const char* name, int width, const char* of) {
        if (!raw.has(name) || raw.at(name).shape()[-1] != width)
            throw Failure("The text encoders give "
                          + (raw.has(name) ? std::to_string(raw.at(name).shape()[-1]) + " numbers" : "nothing")
                          + " per " + of + ", but the transformer expects " + std::to_string(width)
                          + ". The parts of this model do not belong together.");
    };
    require(condition::context, m_config.textWidth, "token");
    Tensor text = raw.at(condition::context).converted(m_type);
    if (m_textNorm) text = nn::rmsNorm(text, m_textNorm, eps);
    Conditions prepared{{{condition::context, nn::linear(text, m_text)}}};
    if (m_config.pooledWidth > 0) {
        require(condition::pooled, m_config.pooledWidth, "text");
        const Tensor hidden =
            nn::linear(raw.at(condition::pooled).converted(DType::F32), m_pooled1, {.activation = Activation::Silu});
        prepared.tensors[condition::pooled] = nn::linear(hidden, m_pooled2);
    }
    return prepared;
}

void JointTransformer::check(const DenoiserInput& in) const {
    const Shape s = in.x.shape();
    const int p = m_config.style.patch;
    if (s.rank() != 4 || s[3] != m_config.channels || std::int64_t(in.times.size()) != s[0]
        || in.conditions.at(condition::context).rows() != s[0]
        || (!in.guidance.empty() && std::int64_t(in.guidance.size()) != s[0]))
        throw std::invalid_argument("joint transformer: the batch " + s.text() + " does not fit");
    if (s[1] % p != 0 || s[2] % p != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be cut into patches of " + std::to_string(p) + ".");
    if (m_table && std::max(s[1], s[2]) > std::int64_t(m_config.tableSide) * p)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " is larger than the positions of this model, which end at "
                      + std::to_string(m_config.tableSide * p) + ". Choose a smaller image.");
}

// (rows, width) F32. Times and guidance scales count in thousandths.
Tensor JointTransformer::embedding(const DenoiserInput& in) const {
    const auto embedded = [&](std::span<const double> values, const Linear& first, const Linear& second) {
        const Tensor waves = nn::timestepEmbedding(m_backend, values, timeWaves, true, 0);
        return nn::linear(nn::linear(waves, first, {.activation = Activation::Silu}), second);
    };
    Tensor sum = embedded(in.times, m_time1, m_time2);
    if (m_config.usualGuidance) {
        std::vector<double> scales(in.times.size(), 1000 * *m_config.usualGuidance);
        for (std::size_t r = 0; r < in.guidance.size(); ++r)
            if (in.guidance[r]) scales[r] = 1000 * *in.guidance[r];
        sum = nn::add(sum, embedded(scales, m_guidance1, m_guidance2));
    }
    return m_config.pooledWidth > 0 ? nn::add(sum, in.conditions.at(condition::pooled)) : sum;
}

// The modulations of all blocks (rows, vectors, width), of each vector from the time and its number; the guidance scale
// that they were distilled with is 0. First those of the parallel blocks, of the image, of the text, then shift and
// scale of the end.
Tensor JointTransformer::approximated(std::span<const double> times) const {
    const int quarter = m_config.approximator.waves / 4;
    const std::int64_t rows = std::int64_t(times.size()),
                       count = 3 * m_config.parallelBlocks + 12 * m_config.jointBlocks + 2;
    std::vector<double> time, zero(std::size_t(rows * count)), number;
    for (const double t : times)
        for (std::int64_t i = 0; i < count; ++i) time.push_back(t), number.push_back(1000.0 * double(i));
    const Tensor waves = nn::concat(nn::concat(nn::timestepEmbedding(m_backend, time, quarter, true, 0),
                                               nn::timestepEmbedding(m_backend, zero, quarter, true, 0)),
                                    nn::timestepEmbedding(m_backend, number, 2 * quarter, true, 0));
    Tensor x = nn::linear(waves, m_approximator.in);  // F32: all blocks depend on it
    for (std::size_t i = 0; i < m_approximator.up.size(); ++i) {
        const Tensor h = nn::rmsNorm(x, m_approximator.norms[i], approximatorEps).converted(m_type),
                     inner = nn::linear(h, m_approximator.up[i], {.activation = Activation::Silu});
        x = nn::add(x, nn::linear(inner, m_approximator.down[i]).converted(DType::F32));
    }
    return nn::linear(x, m_approximator.out).reshaped({rows, count, m_config.style.width()}).converted(m_type);
}

JointTransformer::Modulations JointTransformer::modulations(const DenoiserInput& in) const {
    Modulations m;
    if (m_config.approximator.layers > 0) {
        m.own = approximated(in.times);
        const std::int64_t count = m.own.shape()[1];
        m.end = nn::concat(vectorsOf(m.own, count - 1, 1), vectorsOf(m.own, count - 2, 1));
        m.shared = {m.end, m.own};
        return m;
    }
    const Tensor vector = nn::silu(embedding(in)).converted(m_type);
    m.shared.push_back(vector);
    for (const Linear& shared : m_shared) m.shared.push_back(nn::linear(vector, shared));
    m.end = nn::linear(vector, m_modulationOut);
    return m;
}

// The text and behind it the patches of the image: (rows, tokens, width).
Tensor JointTransformer::tokensOf(const DenoiserInput& in, nn::Grid grid) const {
    const Tensor &context = in.conditions.at(condition::context), x = in.x.converted(m_type);
    const int p = m_config.style.patch;
    const std::int64_t rows = x.rows(), w = m_config.style.width(), text = context.shape()[1],
                       image = std::int64_t(grid.height) * grid.width;
    Tensor patches = nn::linear(p > 1 ? nn::pixelUnshuffle(x, p) : x, m_patches).reshaped({rows, image, w});
    if (m_table) {
        const std::int64_t side = m_config.tableSide;
        const Tensor table = m_table.reshaped({side, side, w}).slice((side - grid.height) / 2, grid.height);
        const Tensor middle = nn::tokens(table, (side - grid.width) / 2, grid.width).clone();
        patches = nn::add(patches, middle.reshaped({image, w}).converted(m_type));
    }
    const Tensor all(m_backend, {rows, text + image, w}, m_type);
    m_backend.copy(context, nn::tokens(all, 0, text));
    m_backend.copy(patches, nn::tokens(all, text, image));
    return all;
}

const Rotary* JointTransformer::rotary(std::int64_t text, nn::Grid grid) {
    if (!m_config.positions) return nullptr;
    const auto known = std::find_if(m_rotaries.begin(), m_rotaries.end(),
                                    [&](const Known& k) { return k.text == text && k.grid == grid; });
    if (known != m_rotaries.end()) {
        m_rotaries.splice(m_rotaries.begin(), m_rotaries, known);
    } else {
        m_rotaries.push_front({text, grid, Rotary(m_backend, m_config.axes, m_config.positions(text, grid))});
        if (m_rotaries.size() > rotariesKept) m_rotaries.pop_back();
    }
    return &m_rotaries.front().rotary;
}

// All blocks, joint ones first.
Tensor JointTransformer::runBlocks(const nn::Pass& pass, const JointTokens& tokens, const Tensor& x) const {
    const std::size_t joint = m_joint.size();
    const std::int64_t j = std::int64_t(joint), parallel = std::int64_t(m_parallel.size());
    // With the vectors of block i, for the rows of the pass.
    const auto passOf = [&](const nn::Pass& p, std::int64_t i) {
        if (m_config.approximator.layers == 0) return p;
        const std::int64_t count = i < j ? 6 : 3, image = i < j ? 3 * parallel + 6 * i : 3 * (i - j),
                           text = i < j ? 3 * parallel + 6 * (j + i) : image;
        const Tensor a = vectorsOf(p.vectors(ownVectors), image, count),
                     b = vectorsOf(p.vectors(ownVectors), text, count);
        return p.with({a, a, b, a});
    };
    const auto block = [&](std::size_t i, const auto& use) {
        return i < joint ? use(*m_joint[i]) : use(*m_parallel[i - joint]);
    };
    const TrunkBlocks blocks{m_trunks,
                             [&](std::size_t i, const nn::Pass& p, const Tensor& rows) {
                                 const nn::Pass own = passOf(p, std::int64_t(i));
                                 return block(i, [&](const auto& b) { return b(own, rows, tokens); });
                             },
                             [&](std::size_t i, const nn::Pass& p, const Tensor& rows) {
                                 const nn::Pass own = passOf(p, std::int64_t(i));
                                 return block(i, [&](const auto& b) { return b.start(own, rows, tokens); });
                             }};
    return runTrunk(pass, blocks, x);
}

Tensor JointTransformer::forward(const DenoiserInput& in) {
    check(in);
    const Shape s = in.x.shape();
    const int p = m_config.style.patch;
    const std::int64_t w = m_config.style.width(), text = in.conditions.at(condition::context).shape()[1];
    const nn::Grid state{int(s[1]), int(s[2])}, grid{state.height / p, state.width / p};
    const JointTokens tokens{text, rotary(text, grid)};
    const Modulations m = modulations(in);
    const nn::Pass pass = nn::Pass(state, m.shared, Tensor(), in.hooks).behindText(text);
    Tensor x = tokensOf(in, grid);
    x = runBlocks(pass, tokens, x);
    const Tensor scale = nn::columns(m.end, 0, w), shift = nn::columns(m.end, w, w);
    const Tensor image = nn::tokens(x, text, x.shape()[1] - text);
    const Tensor patches = nn::linear(nn::modulatedNorm(image, shift, scale, eps), m_output)
                               .reshaped({s[0], grid.height, grid.width, m_output->out});
    return (p > 1 ? nn::pixelShuffle(patches, p) : patches).converted(DType::F32);
}

std::size_t JointTransformer::bytesPerRow(int height, int width) const {
    return meander::bytesPerRow(m_config, height, width, sizeOf(m_type));
}

StreamNames jointImageNames() {
    return {"norm1.linear", "attn.to_q",     "attn.to_k",     "attn.to_v", "attn.norm_q",
            "attn.norm_k",  "attn.to_out.0", "ff.net.0.proj", "ff.net.2"};
}

StreamNames jointTextNames() {
    return {"norm1_context.linear", "attn.add_q_proj", "attn.add_k_proj",       "attn.add_v_proj", "attn.norm_added_q",
            "attn.norm_added_k",    "attn.to_add_out", "ff_context.net.0.proj", "ff_context.net.2"};
}

void describeJointTransformer(const JointTransformerConfig& c, ModelInfo& info) {
    info.state.shape = {c.sampleSize, c.sampleSize, c.channels};
    info.state.granule = c.style.patch;
    const int side = c.sampleSize / c.style.patch;
    const auto block = [&](const std::string& path) {
        info.blocks.push_back({path, c.style.heads, side, side, side * side});
    };
    for (int i = 0; i < c.jointBlocks; ++i) block(jointPath(i));
    for (int i = 0; i < c.parallelBlocks; ++i) block(parallelPath(i));
    info.trunks = c.jointBlocks + c.parallelBlocks;
    info.contextWidth = c.style.width();
    info.takesGuidance = c.usualGuidance.has_value();
    info.bytesPerRow = bytesPerRow(c, c.sampleSize, c.sampleSize, sizeof(float));
}

}  // namespace meander
