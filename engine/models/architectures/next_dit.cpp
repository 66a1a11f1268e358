#include "engine/models/architectures/next_dit.h"

#include <algorithm>
#include <stdexcept>

#include "engine/models/layers/trunks.h"

namespace meander {

using nn::Activation;

namespace {

constexpr int timeWaves = 256;
constexpr std::size_t positionsKept = 4;

// At the largest, in a block: the tokens, their norm, q, k and v, the attention's result, its product and that one's
// norm; or the tokens, their norm, and the inner values of the feed-forward before and after the activation and their
// factor.
std::size_t bytesPerRow(const NextDitConfig& c, int height, int width, std::size_t element) {
    const SandwichBlockStyle& s = c.style;
    const std::int64_t tokens = std::int64_t(height / s.patch) * (width / s.patch);
    return std::size_t(tokens * std::max(8 * s.width, 2 * s.width + 3 * s.inner)) * element;
}

std::string refinerPath(int i) { return "noise_refiner." + std::to_string(i); }
std::string layerPath(int i) { return "layers." + std::to_string(i); }

// Images (rows, h, w, c) ↔ patches (rows, h/p, w/p, p·p·c), in the order (dy, dx, channel).
Tensor patchesOf(const Tensor& x, int p) {
    const Shape s = x.shape();
    return x.reshaped({s[0], s[1] / p, p, s[2] / p, p, s[3]})
        .transposed(2, 3)
        .clone()
        .reshaped({s[0], s[1] / p, s[2] / p, p * p * s[3]});
}
Tensor imageOf(const Tensor& patches, int p) {
    const Shape s = patches.shape();
    const std::int64_t c = s[3] / (p * p);
    return patches.reshaped({s[0], s[1], s[2], p, p, c})
        .transposed(2, 3)
        .clone()
        .reshaped({s[0], s[1] * p, s[2] * p, c});
}

}  // namespace

NextDit::NextDit(const NextDitConfig& c, NetworkBuilder& b) : m_config(c), m_backend(b.backend), m_type(b.compute) {
    const std::int64_t w = c.style.width, patch = std::int64_t(c.style.patch) * c.style.patch * c.channels;
    const auto& n = c.names;
    m_patches = b.linear(n.patches, patch, w);
    m_textNorm = b.table(n.textNorm + ".weight", {c.textWidth});
    m_text = b.linear(n.text, c.textWidth, w);
    const auto stored = b.source.shapeOf(n.time1 + ".weight");
    const std::int64_t hidden = stored && stored->rank() == 2 ? (*stored)[0] : c.timeHidden;
    m_time1 = b.linearF32(n.time1, timeWaves, hidden);
    m_time2 = b.linearF32(n.time2, hidden, c.style.vector);
    if (c.sequence > 1) {
        m_imagePadding = b.table("x_pad_token", {1, w}).converted(m_type);
        m_textPadding = b.table("cap_pad_token", {1, w}).converted(m_type);
    }
    SandwichBlockStyle textStyle = c.style;
    textStyle.names.attentionNorm = c.textAttentionNorm;
    for (int i = 0; i < c.refiners; ++i) {
        m_textRefiners.push_back(std::make_unique<SandwichBlock>("context_refiner." + std::to_string(i), b, textStyle,
                                                                 nn::SiteKind::SelfAttention, false));
        m_imageRefiners.push_back(&add<SandwichBlock>(refinerPath(i), b, c.style, nn::SiteKind::SelfAttention, true));
    }
    for (int i = 0; i < c.layers; ++i) {
        m_layers.push_back(&add<SandwichBlock>(layerPath(i), b, c.style, nn::SiteKind::JointAttention, true));
        m_trunks.push_back(&add(trunkSite(i, c.style.patch)));
    }
    numberBlocks();
    m_modulationOut = b.linear(n.modulationOut, c.style.vector, w);
    m_output = b.linear(n.output, w, patch);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

std::int64_t NextDit::padded(std::int64_t tokens) const {
    return (tokens + m_config.sequence - 1) / m_config.sequence * m_config.sequence;
}

// (rows, n, width) → (rows, padded n, width)
Tensor NextDit::withPadding(const Tensor& tokens, const Tensor& token) const {
    const Shape s = tokens.shape();
    const std::int64_t n = padded(s[1]);
    if (n == s[1]) return tokens;
    const Tensor all(m_backend, {s[0], n, s[2]}, m_type), padding = nn::tokens(all, s[1], n - s[1]);
    m_backend.copy(tokens, nn::tokens(all, 0, s[1]));
    for (std::int64_t r = 0; r < s[0]; ++r)
        for (std::int64_t i = 0; i < padding.shape()[1]; ++i)
            m_backend.copy(token.reshaped({1, 1, s[2]}), nn::tokens(padding.slice(r, 1), i, 1));
    return all;
}

std::vector<double> NextDit::textPositions(std::int64_t text) const {
    std::vector<double> all;
    for (std::int64_t i = 0; i < text; ++i) all.insert(all.end(), {double(m_config.firstPosition + i), 0.0, 0.0});
    return all;
}

// The image stands behind the text on the first axis; its padding lies at the origin.
const NextDit::Positions& NextDit::positions(std::int64_t text, nn::Grid grid) {
    const auto known = std::find_if(m_positions.begin(), m_positions.end(),
                                    [&](const Positions& p) { return p.text == text && p.grid == grid; });
    if (known != m_positions.end()) {
        m_positions.splice(m_positions.begin(), m_positions, known);
        return m_positions.front();
    }
    std::vector<double> image;
    for (int y = 0; y < grid.height; ++y)
        for (int x = 0; x < grid.width; ++x)
            image.insert(image.end(), {double(m_config.firstPosition + text), double(y), double(x)});
    image.resize(std::size_t(3 * padded(std::int64_t(grid.height) * grid.width)), 0.0);
    std::vector<double> all = textPositions(text);
    all.insert(all.end(), image.begin(), image.end());
    m_positions.push_front({text, grid, rotaryOf(image), rotaryOf(all)});
    if (m_positions.size() > positionsKept) m_positions.pop_back();
    return m_positions.front();
}

Conditions NextDit::prepare(const Conditions& raw) {
    if (!raw.has(condition::context) || raw.at(condition::context).shape()[-1] != m_config.textWidth)
        throw Failure("The text encoder gives "
                      + (raw.has(condition::context)
                             ? std::to_string(raw.at(condition::context).shape()[-1]) + " numbers"
                             : "nothing")
                      + " per token, but the transformer expects " + std::to_string(m_config.textWidth)
                      + ". The parts of this model do not belong together.");
    const Tensor states = nn::rmsNorm(raw.at(condition::context).converted(m_type), m_textNorm, m_config.style.eps);
    Tensor text = withPadding(nn::linear(states, m_text), m_textPadding);
    const Rotary rotary = rotaryOf(textPositions(text.shape()[1]));
    const nn::Hooks none;
    const nn::Pass pass({}, {text}, Tensor(), none);
    for (const auto& block : m_textRefiners) text = (*block)(pass, text, rotary);
    return {{{condition::context, text}}};
}

Tensor NextDit::forward(const DenoiserInput& in) {
    const Shape s = in.x.shape();
    const int p = m_config.style.patch;
    const Tensor& text = in.conditions.at(condition::context);
    if (s.rank() != 4 || s[3] != m_config.channels || std::int64_t(in.times.size()) != s[0] || text.rows() != s[0])
        throw std::invalid_argument("NextDiT: the batch " + s.text() + " does not fit");
    if (s[1] % p != 0 || s[2] % p != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be cut into patches of " + std::to_string(p) + ".");
    std::vector<double> times;
    for (const double t : in.times) times.push_back(m_config.timeScale * (1 - t / 1000));
    const Tensor waves = nn::timestepEmbedding(m_backend, times, timeWaves, true, 0),
                 time = nn::linear(nn::linear(waves, m_time1, {.activation = Activation::Silu}), m_time2),
                 activated = nn::silu(time).converted(m_type);
    const nn::Grid state{int(s[1]), int(s[2])}, grid{state.height / p, state.width / p};
    const std::int64_t tokens = text.shape()[1], count = std::int64_t(grid.height) * grid.width;
    const Positions& at = positions(tokens, grid);
    const nn::Pass pass(state, {m_config.isTimeActivated ? activated : time.converted(m_type)}, Tensor(), in.hooks);
    const Tensor patches = nn::linear(patchesOf(in.x.converted(m_type), p), m_patches);
    Tensor image = withPadding(patches.reshaped({s[0], count, m_config.style.width}), m_imagePadding);
    for (const auto* block : m_imageRefiners) image = (*block)(pass, image, at.image);
    Tensor x(m_backend, {s[0], tokens + image.shape()[1], m_config.style.width}, m_type);
    m_backend.copy(text, nn::tokens(x, 0, tokens));
    m_backend.copy(image, nn::tokens(x, tokens, image.shape()[1]));
    image = Tensor();  // gives its memory to the blocks
    const TrunkBlocks blocks{
        m_trunks, [&](std::size_t i, const nn::Pass& p, const Tensor& rows) { return (*m_layers[i])(p, rows, at.all); },
        [&](std::size_t i, const nn::Pass& p, const Tensor& rows) {
            return m_layers[i]->start(p, nn::tokens(rows, tokens, count).clone());
        }};
    x = runTrunk(pass.behindText(tokens), blocks, x);
    const Tensor last =
        nn::modulatedNorm(nn::tokens(x, tokens, count), {}, nn::linear(activated, m_modulationOut), 1e-6f);
    const Tensor output = nn::linear(last, m_output).reshaped({s[0], grid.height, grid.width, m_output->out});
    return combine({{-1, imageOf(output, p).converted(DType::F32)}});
}

std::size_t NextDit::bytesPerRow(int height, int width) const {
    return meander::bytesPerRow(m_config, height, width, sizeOf(m_type));
}

void describeNextDit(const NextDitConfig& c, ModelInfo& info) {
    info.state.shape = {c.sampleSize, c.sampleSize, c.channels};
    info.state.granule = c.style.patch;
    const int side = c.sampleSize / c.style.patch;
    const auto block = [&](const std::string& path) {
        info.blocks.push_back({path, c.style.heads, side, side, side * side});
    };
    for (int i = 0; i < c.refiners; ++i) block(refinerPath(i));
    for (int i = 0; i < c.layers; ++i) block(layerPath(i));
    info.bytesPerRow = bytesPerRow(c, c.sampleSize, c.sampleSize, sizeof(float));
    info.trunks = c.layers;
    info.contextWidth = c.style.width;
}

}  // namespace meander
