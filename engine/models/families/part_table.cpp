// The tables of codecs, of text encoders, and of files that are no model by themselves.
#include <sstream>

#include "engine/models/families/family.h"

namespace meander {
namespace {

const CodecFormat codecFormats[] = {
    {"sd", "KL autoencoder of Stable Diffusion 1 and 2", "AutoencoderKL", 4, R"({"scaling_factor": 0.18215})"},
    {"sdxl", "KL autoencoder of Stable Diffusion XL", "AutoencoderKL", 4,
     R"({"scaling_factor": 0.13025, "force_upcast": true, "sample_size": 1024})"},
    {"playground", "KL autoencoder of Stable Diffusion XL, normalised for Playground 2.5", "AutoencoderKL", 4,
     R"({"scaling_factor": 0.5, "force_upcast": true, "sample_size": 1024,
         "latents_mean": [-1.6574, 1.886, -1.383, 2.5155], "latents_std": [8.4927, 5.9022, 6.5498, 5.2299]})"},
    {"sd3", "KL autoencoder of Stable Diffusion 3", "AutoencoderKL", 16,
     R"({"scaling_factor": 1.5305, "shift_factor": 0.0609, "sample_size": 1024, "force_upcast": true})"},
    {"flux", "KL autoencoder of FLUX.1", "AutoencoderKL", 16,
     R"({"scaling_factor": 0.3611, "shift_factor": 0.1159, "sample_size": 1024, "force_upcast": true})"},
    {"qwen_image", "KL autoencoder of Qwen-Image", "AutoencoderKLQwenImage", 16, "{}"},
    {"dc_ae", "DC-AE of SANA", "AutoencoderDC", 32,
     R"({"attention_head_dim": 32, "scaling_factor": 0.41407, "downsample_block_type": "conv",
         "upsample_block_type": "interpolate",
         "encoder_block_out_channels": [128, 256, 512, 512, 1024, 1024], "encoder_layers_per_block": [2, 2, 2, 3, 3, 3],
         "decoder_block_out_channels": [128, 256, 512, 512, 1024, 1024], "decoder_layers_per_block": [3, 3, 3, 3, 3, 3],
         "encoder_block_types": ["ResBlock", "ResBlock", "ResBlock",
                                 "EfficientViTBlock", "EfficientViTBlock", "EfficientViTBlock"],
         "decoder_block_types": ["ResBlock", "ResBlock", "ResBlock",
                                 "EfficientViTBlock", "EfficientViTBlock", "EfficientViTBlock"],
         "encoder_qkv_multiscales": [[], [], [], [5], [5], [5]],
         "decoder_qkv_multiscales": [[], [], [], [5], [5], [5]]})"},
    {"flux2", "KL autoencoder of FLUX.2", "AutoencoderKLFlux2", 32, R"({"sample_size": 1024, "batch_norm_eps": 1e-4})"},
};

const TextRole roles[] = {
    {"clip_l", "CLIP-L",
     "text_model.encoder.layers.0.mlp.fc1.weight text_model.embeddings.token_embedding.weight[1]=768",
     "cond_stage_model.transformer. conditioner.embedders.0.transformer. text_encoders.clip_l.transformer. "
     "text_encoders.clip_l.",
     "clip", clipConfig},
    {"clip_h", "OpenCLIP-H",
     "text_model.encoder.layers.0.mlp.fc1.weight text_model.embeddings.token_embedding.weight[1]=1024",
     "cond_stage_model.model. text_encoders.clip_h.transformer. text_encoders.clip_h.", "openclip", clipConfig},
    {"clip_g", "OpenCLIP-bigG",
     "text_model.encoder.layers.0.mlp.fc1.weight text_model.embeddings.token_embedding.weight[1]=1280",
     "conditioner.embedders.1.model. conditioner.embedders.0.model. text_encoders.clip_g.transformer. "
     "text_encoders.clip_g.",
     "openclip", clipConfig},
    {"t5xxl", "T5 XXL",
     "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight "
     "!encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight "
     "encoder.block.0.layer.0.SelfAttention.q.weight[1]=4096",
     "text_encoders.t5xxl.transformer. text_encoders.t5xxl.", "t5", t5Config},
    {"umt5xxl", "UMT5 XXL", "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight",
     "text_encoders.umt5xxl.transformer. text_encoders.umt5xxl.", "umt5", t5Config},
    {"gemma2_2b", "Gemma 2 2B", "model.layers.0.pre_feedforward_layernorm.weight model.embed_tokens.weight[1]=2304",
     "text_encoders.gemma2_2b.transformer. text_encoders.gemma2_2b.", "gemma", decoderTextConfig},
    {"qwen25_7b", "Qwen 2.5 VL 7B", "model.layers.0.self_attn.q_proj.bias model.embed_tokens.weight[1]=3584",
     "text_encoders.qwen25_7b.transformer. text_encoders.qwen25_7b.", "qwen", decoderTextConfig},
    {"qwen3_4b", "Qwen 3 4B", "model.layers.0.self_attn.q_norm.weight model.embed_tokens.weight[1]=2560",
     "text_encoders.qwen3_4b.transformer. text_encoders.qwen3_4b.", "qwen", decoderTextConfig},
    {"qwen3_8b", "Qwen 3 8B", "model.layers.0.self_attn.q_norm.weight model.embed_tokens.weight[1]=4096",
     "text_encoders.qwen3_8b.transformer. text_encoders.qwen3_8b.", "qwen", decoderTextConfig},
    {"mistral3_24b", "Mistral Small 3", "model.layers.0.self_attn.q_proj.weight model.embed_tokens.weight[1]=5120",
     "text_encoders.mistral3_24b.transformer. text_encoders.mistral3_24b.", "mistral", decoderTextConfig},
};

const char* const addedToModel = "Open the model that it was made for, and add it there.";
const OtherKind otherKinds[] = {
    {"a ControlNet", "control_model.input_hint_block.0.weight", addedToModel},
    {"a ControlNet", "input_hint_block.0.weight", addedToModel},
    {"a ControlNet", "controlnet_cond_embedding.conv_in.weight", addedToModel},
    {"an IP-Adapter", "image_proj.proj.weight", addedToModel},
    {"a textual inversion", "emb_params", addedToModel},
    {"a textual inversion", "string_to_param.*", addedToModel},
    {"a textual inversion", "clip_l clip_g", addedToModel},
    {"the codec of Qwen-Image or Wan", "decoder.middle.0.residual.2.weight decoder.conv1.weight",
     "It draws nothing by itself: put it beside a network that needs it, in a folder named vae."},
    {"a DC-AE, the codec of SANA", "decoder.conv_in.weight decoder.norm_out.weight decoder.up_blocks.0.0.conv1.weight",
     "It draws nothing by itself: put it beside a network that needs it, in a folder named vae."},
    {"a KL autoencoder", "decoder.conv_in.weight decoder.conv_norm_out.weight",
     "It draws nothing by itself: put it beside a network that needs it, in a folder named vae."},
    {"a KL autoencoder", "decoder.conv_in.weight decoder.norm_out.weight",
     "It draws nothing by itself: put it beside a network that needs it, in a folder named vae."},
    {"a tiny autoencoder", "1.conv.0.weight 3.conv.0.weight", "It draws nothing by itself."},
    {"a text encoder", "text_model.encoder.layers.0.mlp.fc1.weight",
     "It draws nothing by itself: put it beside a network that needs it, in a folder named text_encoders."},
    {"a text encoder", "encoder.block.0.layer.0.SelfAttention.q.weight",
     "It draws nothing by itself: put it beside a network that needs it, in a folder named text_encoders."},
    {"a language model", "model.layers.0.self_attn.q_proj.weight",
     "It draws nothing by itself: where a network needs it as its text encoder, put it beside that, in a folder named "
     "text_encoders."},
};

}  // namespace

const CodecFormat* findCodecFormat(const std::string& id) {
    for (const auto& f : codecFormats)
        if (id == f.id) return &f;
    return nullptr;
}

const std::vector<TextRole>& textRoles() {
    static const std::vector<TextRole> table(std::begin(roles), std::end(roles));
    return table;
}

const TextRole* findTextRole(const std::string& id) {
    for (const auto& r : textRoles())
        if (id == r.id) return &r;
    return nullptr;
}

const OtherKind* otherKindOf(const TensorList& all) {
    for (const auto& kind : otherKinds)
        if (all.fits(kind.test)) return &kind;
    return nullptr;
}

std::vector<std::string> wordsOf(const std::string& text) {
    std::vector<std::string> words;
    std::stringstream all(text);
    for (std::string word; all >> word;) words.push_back(word);
    return words;
}

}  // namespace meander
