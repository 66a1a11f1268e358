// Codecs and text encoders: their configurations from the shapes of their tensors.
#include "engine/models/families/family.h"

namespace meander {
namespace {

// Of a codec: names of LDM and of diffusers.
struct CodecNames {
    const char *levels, *first, *blocks, *attention;
};
constexpr CodecNames ldm{"encoder.down.", ".block.0.conv1.weight", ".block.", "encoder.mid.attn_1.q.weight"};
constexpr CodecNames diffusers{"encoder.down_blocks.", ".resnets.0.conv1.weight", ".resnets.",
                               "encoder.mid_block.attentions.0.to_q.weight"};

// The root of transformers' names: "text_model." is left out in some files.
std::string clipRoot(const TensorList& t) { return t.hasAny("text_model.") ? "text_model." : ""; }

constexpr const char* openclip = "transformer.resblocks.";

}  // namespace

static bool hasLdmCodecNames(const TensorList& c) { return c.has("encoder.down.0.block.0.conv1.weight"); }

const char* codecNames(const TensorList& c) {
    if (c.has("decoder.middle.0.residual.2.weight")) return "wan_vae";
    if (c.rank("decoder.conv_in.weight") == 5 || c.has("decoder.up_blocks.0.0.conv1.weight")) return "";
    return hasLdmCodecNames(c) ? "ldm_vae" : "diffusers_vae";
}

// The filters are of videos.
static std::optional<Json> videoCodecConfig(const TensorList& c, const CodecFormat& format) {
    const bool isWan = std::string(codecNames(c)) == "wan_vae";
    const std::string first = isWan ? "encoder.conv1.weight" : "encoder.conv_in.weight",
                      latents = isWan ? "decoder.conv1.weight" : "decoder.conv_in.weight";
    if (c.rank(first) != 5 || c.rank(latents) != 5) return {};
    Json config = {{"_class_name", format.className},
                   {"base_dim", c.extent(first, 0)},
                   {"z_dim", c.extent(latents, 1)},
                   {"latent_channels", c.extent(latents, 1)},
                   {"input_channels", c.extent(first, 1)}};
    config.update(Json::parse(format.settings));
    return config;
}

std::optional<Json> autoencoderConfig(const TensorList& c, const CodecFormat& format) {
    if (std::string(format.className) == "AutoencoderKLQwenImage") return videoCodecConfig(c, format);
    if (std::string(format.className) == "AutoencoderDC") {
        // One size was published for each number of channels.
        if (!c.has("decoder.up_blocks.0.0.conv1.weight")) return {};
        Json config = {{"_class_name", format.className}, {"latent_channels", c.extent("decoder.conv_in.weight", 1)}};
        config.update(Json::parse(format.settings));
        return config;
    }
    const CodecNames names = hasLdmCodecNames(c) ? ldm : diffusers;
    Json channels = Json::array(), down = Json::array(), up = Json::array();
    for (int i = 0; i < c.blocks(names.levels); ++i) {
        channels.push_back(c.extent(names.levels + std::to_string(i) + names.first, 0));
        down.push_back("DownEncoderBlock2D");
        up.push_back("UpDecoderBlock2D");
    }
    const std::int64_t latents = c.extent("decoder.conv_in.weight", 1);
    if (channels.empty() || latents == 0 || c.rank("decoder.conv_in.weight") != 4) return {};
    Json config = {{"_class_name", format.className},
                   {"in_channels", c.extent("encoder.conv_in.weight", 1)},
                   {"out_channels", c.extent("decoder.conv_out.weight", 0)},
                   {"down_block_types", down},
                   {"up_block_types", up},
                   {"block_out_channels", channels},
                   {"layers_per_block", c.blocks(names.levels + std::string("0") + names.blocks)},
                   {"act_fn", "silu"},
                   {"latent_channels", latents},
                   {"norm_num_groups", 32},
                   {"sample_size", 512},
                   {"mid_block_add_attention", c.has(names.attention)},
                   {"use_quant_conv", c.has("quant_conv.weight")},
                   {"use_post_quant_conv", c.has("post_quant_conv.weight")}};
    config.update(Json::parse(format.settings));
    return config;
}

const char* textNames(const TensorList& t) { return t.hasAny(openclip) ? "openclip" : ""; }

Json clipConfig(const TensorList& t, const TextRole& role) {
    const bool isOpen = t.hasAny(openclip), isL = std::string(role.id) == "clip_l",
               isH = std::string(role.id) == "clip_h";
    const std::string root = clipRoot(t);
    const std::string tokens = isOpen ? "token_embedding.weight" : root + "embeddings.token_embedding.weight",
                      places = isOpen ? "positional_embedding" : root + "embeddings.position_embedding.weight",
                      inner = isOpen ? openclip + std::string("0.mlp.c_fc.weight")
                                     : root + "encoder.layers.0.mlp.fc1.weight";
    const std::int64_t width = t.extent(tokens, 1), words = t.extent(tokens, 0);
    int layers = t.blocks(isOpen ? openclip : root + "encoder.layers.");
    // Stable Diffusion 2 takes the state before the last layer through the final norm; diffusers has no such layer.
    if (isH && isOpen && layers > 1) --layers;
    const std::int64_t projection = isOpen ? t.extent("text_projection", 1) : t.extent("text_projection.weight", 0);
    const bool isProjected = !isH && projection > 0;
    return {{"architectures", {isProjected ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
            {"model_type", "clip_text_model"},
            {"vocab_size", words},
            {"hidden_size", width},
            {"num_hidden_layers", layers},
            {"num_attention_heads", std::max<std::int64_t>(1, width / 64)},
            {"intermediate_size", t.extent(inner, 0)},
            {"max_position_embeddings", t.extent(places, 0)},
            {"hidden_act", isL ? "quick_gelu" : "gelu"},
            {"layer_norm_eps", 1e-5},
            {"projection_dim", isProjected ? projection : width},
            {"bos_token_id", words - 2},
            {"eos_token_id", words - 1}};
}

Json t5Config(const TensorList& t, const TextRole& role) {
    const bool isMultilingual = std::string(role.id) == "umt5xxl";
    const std::string tokens = t.has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight",
                      bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                      query = "encoder.block.0.layer.0.SelfAttention.q.weight";
    const std::int64_t heads = t.extent(bias, 1), rows = t.extent(query, 0);
    const bool isGated = t.has("encoder.block.0.layer.1.DenseReluDense.wi_0.weight");
    const std::string up = isGated ? "wi_0" : "wi";
    return {{"architectures", {isMultilingual ? "UMT5EncoderModel" : "T5EncoderModel"}},
            {"model_type", isMultilingual ? "umt5" : "t5"},
            {"vocab_size", t.extent(tokens, 0)},
            {"d_model", t.extent(tokens, 1)},
            {"d_kv", heads > 0 ? rows / heads : 64},
            {"d_ff", t.extent("encoder.block.0.layer.1.DenseReluDense." + up + ".weight", 0)},
            {"num_layers", t.blocks("encoder.block.")},
            {"num_heads", heads},
            {"relative_attention_num_buckets", t.extent(bias, 0)},
            {"relative_attention_max_distance", 128},
            {"feed_forward_proj", isGated ? "gated-gelu" : "relu"},
            {"layer_norm_epsilon", 1e-6}};
}

Json decoderTextConfig(const TensorList& t, const TextRole& role) {
    const std::string id = role.id;
    std::string root;
    for (const char* candidate : {"model.language_model.", "language_model.model.", "model.", "language_model."})
        if (root.empty() && t.has(candidate + std::string("embed_tokens.weight"))) root = candidate;
    const std::string layer = root + "layers.0.";
    const bool isGemma = id.starts_with("gemma"), isMistral = id.starts_with("mistral"),
               isQwen25 = id.starts_with("qwen25"), isVision = id.starts_with("qwen3vl");
    const std::int64_t normed = t.extent(layer + "self_attn.q_norm.weight", 0), head = normed > 0 ? normed
                                                                                       : isGemma  ? 256
                                                                                                  : 128;
    Json c = {{"architectures",
               {isGemma     ? "Gemma2Model"
                : isMistral ? "MistralModel"
                : isQwen25  ? "Qwen2_5_VLForConditionalGeneration"
                : isVision  ? "Qwen3VLForConditionalGeneration"
                            : "Qwen3Model"}},
              {"vocab_size", t.extent(root + "embed_tokens.weight", 0)},
              {"hidden_size", t.extent(root + "embed_tokens.weight", 1)},
              {"num_hidden_layers", t.blocks(root + "layers.")},
              {"num_attention_heads", t.extent(layer + "self_attn.q_proj.weight", 0) / head},
              {"num_key_value_heads", t.extent(layer + "self_attn.k_proj.weight", 0) / head},
              {"head_dim", head},
              {"intermediate_size", t.extent(layer + "mlp.gate_proj.weight", 0)},
              {"hidden_act", "silu"},
              {"rms_norm_eps", isMistral ? 1e-5 : 1e-6},
              {"rope_theta", isGemma     ? 1e4
                             : isMistral ? 1e9
                             : isVision  ? 5e6
                                         : 1e6},
              {"max_position_embeddings", isGemma ? 8192 : 40960}};
    if (isGemma) {
        c["hidden_activation"] = c["hidden_act"] = "gelu_pytorch_tanh";
        c["query_pre_attn_scalar"] = 256;
        c["attn_logit_softcapping"] = 50.0;
        c["final_logit_softcapping"] = 30.0;
        c["sliding_window"] = 4096;
    }
    return c;
}

}  // namespace meander
