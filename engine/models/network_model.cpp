#include "engine/models/network_model.h"

#include <algorithm>
#include <stdexcept>

#include "engine/models/architectures/architecture.h"
#include "engine/models/network_fault.h"
#include "engine/nn/ops.h"
#include "engine/weights/quantised.h"

namespace meander {
namespace {

constexpr std::size_t promptsKept = 32, stacksKept = 4;
constexpr std::int64_t largeModel = 100'000'000;  // weights from which "auto" prefers bf16

// The row of a table that a part names by its class.
template <class Row> const Row& rowOf(const std::vector<const Row*>& table, const PartFiles& part, const char* kind) {
    const std::string name = jsonText(part.config, "_class_name", "", part.what);
    std::string known;
    for (const Row* row : table) {
        if (name == row->className) return *row;
        known.append(known.empty() ? "" : ", ").append(row->className);
    }
    throw Failure("The " + std::string(kind) + " described in " + part.what + " is a '" + name
                  + "', which Meander cannot compute yet. It knows: " + known + ".");
}

const Architecture& architectureOf(const ModelFiles& f) { return rowOf(architectures(), f.network, "network"); }
const CodecKind& codecOf(const PartFiles& part) { return rowOf(codecKinds(), part, "codec"); }

const TextEncoderKind& encoderOf(const PartFiles& part) {
    const auto classes = jsonTexts(part.config, "architectures", {"CLIPTextModel"}, part.what);
    PartFiles named = part;
    named.config["_class_name"] = classes.empty() ? "CLIPTextModel" : classes.front();
    return rowOf(textEncoderKinds(), named, "text encoder");
}

// Half precision where it is fast and the model is large, unless stated otherwise.
DType computeType(const Backend& backend, const std::string& precision, std::int64_t parameters) {
    if (precision == "f32") return DType::F32;
    if (precision == "bf16") return DType::BF16;
    if (precision == "auto") {
        if (parameters < largeModel) return DType::F32;  // before the question: the answer may have to be measured
        const auto fast = backend.fastTypes();
        return std::find(fast.begin(), fast.end(), DType::BF16) != fast.end() ? DType::BF16 : DType::F32;
    }
    throw Failure("The precision '" + precision + "' does not exist. Choose auto, f32 or bf16.");
}

std::shared_ptr<WeightSource> networkWeights(const ModelFiles& files, const LoadOptions& options) {
    auto source = files.network.open();
    if (options.weights == "file") return source;
    std::string known;
    for (int i = 0; i < kernels::weightFormatCount; ++i) {
        const auto format = WeightFormat(i);
        if (!canQuantise(format)) continue;
        if (options.weights == kernels::infoOf(format).name) return std::make_shared<Quantised>(source, format);
        known.append(", ").append(kernels::infoOf(format).name);
    }
    throw Failure("Weights cannot be kept as '" + options.weights + "'. Choose file" + known + ".");
}

void describeText(const ModelFiles& files, ModelInfo& info) {
    if (files.text.empty()) return;
    info.conditioning = ConditioningKind::Text;
    info.tokenizer = files.text.back().tokenizer;
    info.textTokens =
        encoderOf(files.text.back().encoder).describe(files.text.back().encoder.config, files.text.back().encoder.what);
    for (TapSite& site : info.attention) site.tokens = info.textTokens;
}

void describeCodec(const ModelFiles& files, ModelInfo& info) {
    if (!files.codec) return;
    const CodecFacts facts = codecOf(*files.codec).describe(files.codec->config, files.codec->what);
    if (facts.channels != info.state.channels())
        throw Failure("The codec described in " + files.codec->what + " has states with "
                      + std::to_string(facts.channels) + " channels, the network has "
                      + std::to_string(info.state.channels()) + ". The parts of this model do not belong together.");
    const std::int64_t f = facts.factor;
    info.state.image = {info.state.height() * f, info.state.width() * f, 3};
    info.state.granule *= int(f);
    info.pixels = facts.pixels;
}

}  // namespace

ModelInfo inspectNetwork(const ModelFiles& files) {
    const Architecture& architecture = architectureOf(files);
    ModelInfo info;
    info.id = files.path;
    info.name = files.name;
    info.architecture = architecture.className;
    info.family = files.family.empty() ? architecture.family : files.family;
    info.process = files.process;
    info.parametrization = files.parametrization;
    info.sigmaData = files.sigmaData;
    info.distillation = files.distillation;
    info.builtInGuidance = files.builtInGuidance;
    info.findings = files.findings;
    info.missing = files.missing;
    architecture.describe(files.network.config, files.network.what, info);
    if (*architecture.conditioner && files.text.empty() && files.missing.empty())
        info.missing.push_back("The model in '" + files.path
                               + "' has no text encoder, and its network cannot be used without one.");
    describeText(files, info);
    describeCodec(files, info);
    info.parameters = files.network.parameters;
    info.weightBytes = files.network.bytes;
    for (const TextFiles& t : files.text) {
        info.parameters += t.encoder.parameters;
        info.weightBytes += t.encoder.bytes;
    }
    if (files.codec) {
        info.parameters += files.codec->parameters;
        info.weightBytes += files.codec->bytes;
    }
    return info;
}

NetworkModel::NetworkModel(ModelInfo info, const ModelFiles& files, Backend& backend, const LoadOptions& options)
    : m_backend(backend) {
    if (!info.missing.empty()) {
        std::string all;
        for (const std::string& m : info.missing) all += (all.empty() ? "" : " ") + m;
        throw Failure(all);
    }
    m_info = std::move(info);
    m_info.parameters = 0;
    m_info.weightBytes = 0;
    loadText(files);
    const auto weights = networkWeights(files, options);
    WeightsRead read(*weights);
    m_compute = computeType(backend, options.precision, files.network.parameters);
    NetworkBuilder builder(backend, read, m_compute);
    m_network = architectureOf(files).build(files.network.config, files.network.what, builder);
    m_read.push_back({"the network", files.network.open, std::move(read.names)});
    m_info.parameters += m_network->parameters;
    m_info.weightBytes += m_network->weightBytes;
    const int height = m_info.state.height(), width = m_info.state.width();
    m_info.attention = m_network->crossAttentions(height, width, m_info.textTokens);
    m_info.bytesPerRow = m_network->bytesPerRow(height, width);
    if (files.codec) loadCodec(*files.codec);
}

void NetworkModel::loadText(const ModelFiles& files) {
    if (files.text.empty()) return;
    m_conditioner = findConditioner(files.conditioner);
    if (!m_conditioner)
        throw Failure("Meander does not know how '" + files.path + "' puts its text encoders together.");
    const auto embeddings = std::make_shared<EmbeddingFolder>(files.path);
    for (const TextFiles& t : files.text) {
        auto tokenizer = openTokenizer(t.tokenizer);
        if (!tokenizer) throw Failure(tokenizer.error().text);
        const auto weights = t.encoder.open();
        WeightsRead read(*weights);
        NetworkBuilder builder(m_backend, read, DType::F32);
        TextStage stage{std::move(*tokenizer), encoderOf(t.encoder).build(t.encoder.config, t.encoder.what, builder),
                        embeddings};
        m_read.push_back({"the text encoder", t.encoder.open, std::move(read.names)});
        if (stage.tokenizer->length() > stage.encoder->longest())
            throw Failure("The tokenizer in '" + t.tokenizer
                          + "' makes more tokens than the text encoder reads. They do not belong together.");
        if (stage.tokenizer->length() > 0) m_info.textTokens = stage.tokenizer->length();
        m_info.parameters += stage.encoder->parameters;
        m_info.weightBytes += stage.encoder->weightBytes;
        m_text.push_back(std::move(stage));
    }
}

void NetworkModel::loadCodec(const PartFiles& part) {
    const CodecKind& kind = codecOf(part);
    const auto weights = part.open();
    WeightsRead read(*weights);
    NetworkBuilder builder(m_backend, read, DType::F32);
    m_codec = kind.build(part.config, part.what, builder);
    m_codecRead = {"the codec", part.open, std::move(read.names)};
    if (m_info.imageCondition == ImageCondition::Editing)
        m_codecScale = jsonReal(part.config, "scaling_factor", 0.18215, part.what);
    m_info.parameters += m_codec->parameters;
    m_info.weightBytes += m_codec->weightBytes;
    if (!m_info.pixels) m_info.pixels = measuredPixelMap(*m_codec, m_backend, kind.describe(part.config, part.what));
}

// Without an image, editing is led by zeros (Brooks et al. 2023), and inpainting draws everything anew.
Tensor NetworkModel::imageCondition(const Prompt& prompt) const {
    const std::int64_t factor = m_info.state.factor(),
                       height = prompt.height > 0 ? prompt.height / factor : m_info.state.height(),
                       width = prompt.width > 0 ? prompt.width / factor : m_info.state.width(), row = width * factor;
    const std::size_t pixels = std::size_t(height * factor * row);
    const auto states = [&](const std::vector<float>& rgb) {
        const Tensor image = upload(m_backend, HostTensor::fromFloats({1, height * factor, row, 3}, rgb));
        return m_codec ? m_codec->encode(image) : image;
    };
    if (m_info.imageCondition == ImageCondition::Editing) {
        if (prompt.source) return combine({{1 / m_codecScale, states(prompt.source->image.toFloats())}});
        const Shape none{1, height, width, m_info.state.channels()};
        return upload(m_backend, HostTensor::fromFloats(none, std::vector<float>(std::size_t(none.count()))));
    }
    std::vector<float> rgb = prompt.source ? prompt.source->image.toFloats() : std::vector<float>(3 * pixels);
    const std::vector<float> mask = prompt.source ? prompt.source->mask.toFloats() : std::vector<float>(pixels, 1.0f);
    for (std::size_t i = 0; i < rgb.size(); ++i)
        if (mask[i / 3] > 0) rgb[i] = 0.5f;  // zero to the network
    std::vector<float> cells;                // of each the mask's first pixel
    for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < width; ++x) cells.push_back(mask[std::size_t((y * row + x) * factor)]);
    return nn::concat(upload(m_backend, HostTensor::fromFloats({1, height, width, 1}, cells)), states(rgb));
}

ConditioningPtr NetworkModel::condition(const Prompt& prompt) {
    Prompt asked = prompt;
    if (prompt.unconditional) {
        asked.text.clear();
        asked.classIndex.reset();
    }
    asked.unconditional = false;
    const auto known =
        std::find_if(m_prompts.begin(), m_prompts.end(), [&](const Known& k) { return k.prompt == asked; });
    if (known != m_prompts.end()) {
        m_prompts.splice(m_prompts.begin(), m_prompts, known);
    } else {
        Known made{.prompt = asked, .tokens = {}, .raw = {}, .conditioning = {}};
        if (m_conditioner) made.raw = m_conditioner->encode(m_text, asked, made.tokens);
        if (m_info.conditioning == ConditioningKind::Class && asked.classIndex)
            made.raw.tensors[condition::label] =
                upload(m_backend, HostTensor::fromFloats({1}, std::vector<float>{float(*asked.classIndex)}));
        if (m_info.imageCondition != ImageCondition::None) made.raw.tensors[condition::image] = imageCondition(asked);
        m_prompts.push_front(std::move(made));
        if (m_prompts.size() > promptsKept) m_prompts.pop_back();
    }
    Known& k = m_prompts.front();
    if (const ConditioningPtr held = k.conditioning.lock()) return held;
    auto c = std::make_shared<Conditioning>();
    c->tokens = k.tokens;
    c->conditions = m_network->prepare(k.raw);
    k.conditioning = c;
    return c;
}

bool NetworkModel::Stack::isOf(const std::vector<ConditioningPtr>& others) const {
    return std::equal(rows.begin(), rows.end(), others.begin(), others.end(),
                      [](const auto& own, const auto& other) { return own ? other && own->lock() == other : !other; });
}

bool NetworkModel::Stack::isNeeded() const {
    return std::none_of(rows.begin(), rows.end(), [](const auto& row) { return row && row->expired(); });
}

void NetworkModel::release() {
    m_stacks.remove_if([](const Stack& s) { return !s.isNeeded(); });
}

const Conditions& NetworkModel::conditionsOf(const std::vector<ConditioningPtr>& rows) {
    const auto known = std::find_if(m_stacks.begin(), m_stacks.end(), [&](const Stack& s) { return s.isOf(rows); });
    if (known != m_stacks.end()) {
        m_stacks.splice(m_stacks.begin(), m_stacks, known);
        return known->conditions;
    }
    release();
    std::vector<ConditioningPtr> all;
    std::vector<const Conditions*> parts;
    Stack made;
    for (const auto& row : rows) {
        all.push_back(row ? row : condition({.unconditional = true}));
        parts.push_back(&all.back()->conditions);
        made.rows.push_back(row ? std::optional(std::weak_ptr(row)) : std::nullopt);
    }
    made.conditions = stacked(parts);
    m_stacks.push_front(std::move(made));
    if (m_stacks.size() > stacksKept) m_stacks.pop_back();
    return m_stacks.front().conditions;
}

Tensor NetworkModel::predict(const NetworkBatch& batch) {
    const Shape s = batch.x.shape();
    if (s.rank() != 4 || std::int64_t(batch.times.size()) != s[0] || std::int64_t(batch.conditioning.size()) != s[0])
        throw std::invalid_argument("the batch " + s.text() + " does not fit its times and conditionings");
    return m_network
        ->forward(
            {batch.x.converted(DType::F32), batch.times, conditionsOf(batch.conditioning), batch.hooks, batch.guidance})
        .converted(batch.x.type());
}

std::string NetworkModel::faultOf(const NetworkBatch& batch) {
    for (const Read& r : m_read)
        if (const std::string fault = brokenWeight(*r.open(), r.names, r.owner); !fault.empty()) return fault;
    const auto observer = std::make_shared<FirstNotFinite>();
    NetworkBatch again = batch;
    again.hooks.add(observer, 0, batch.x.rows());
    predict(again);
    const std::string type = m_compute == DType::F32 ? "f32" : "bf16";
    const std::string where = observer->where.empty() ? "" : " from the layer '" + observer->where + "' on";
    return "All weights are finite, but what the network computes lies" + where + " beyond what " + type + " holds: "
           + (m_compute == DType::F32 ? "use more steps, milder settings of sampler and guidance, or a lower first "
                                        "level, which keep the state near what the model knows."
                                      : "choose precision f32.");
}

// One image at a time: the memory of a decoder grows with the pixels.
HostTensor NetworkModel::decode(const HostTensor& states) const {
    if (!m_codec) return Model::decode(states);
    std::vector<Tensor> images;
    for (std::int64_t i = 0; i < states.shape()[0]; ++i) {
        const Tensor state = upload(m_backend, states.rows(i, 1)).converted(DType::F32);
        images.push_back(m_codec->decode(state));
        if (isFinite(images.back()) || !isFinite(state)) continue;
        const std::string fault = brokenWeight(*m_codecRead.open(), m_codecRead.names, m_codecRead.owner);
        throw Failure("The codec made an image that is not a number (NaN) or infinite. "
                      + (fault.empty()
                             ? "Its numbers lie beyond what f32 holds: use more steps or a lower guidance scale."
                             : fault));
    }
    return download(stackRows(images));
}

HostTensor NetworkModel::encode(const HostTensor& images) const {
    if (!m_codec) return Model::encode(images);
    return download(m_codec->encode(upload(m_backend, images).converted(DType::F32)));
}

}  // namespace meander
