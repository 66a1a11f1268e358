// Flow transformers: their configurations from the shapes of their tensors, under the names of their authors.
#include <cmath>

#include "engine/models/families/family.h"

namespace meander {

Json fluxConfig(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("img_in.weight", 0),
                       head = n.extent("double_blocks.0.img_attn.norm.key_norm.scale", 0);
    const std::int64_t in = n.extent("img_in.weight", 1), out = n.extent("final_layer.linear.weight", 0);
    return {{"_class_name", family.className},
            {"patch_size", 1},
            {"in_channels", in},
            {"out_channels", out},
            {"num_layers", n.blocks("double_blocks.")},
            {"num_single_layers", n.blocks("single_blocks.")},
            {"attention_head_dim", head},
            {"num_attention_heads", head > 0 ? width / head : 0},
            {"joint_attention_dim", n.extent("txt_in.weight", 1)},
            {"pooled_projection_dim", n.extent("vector_in.in_layer.weight", 1)},
            {"guidance_embeds", n.has("guidance_in.in_layer.weight")},
            {"axes_dims_rope", {head / 8, head * 7 / 16, head * 7 / 16}}};
}

Json chromaConfig(const TensorList& n, const Family& family) {
    Json c = fluxConfig(n, family);
    c["approximator_num_channels"] = n.extent("distilled_guidance_layer.in_proj.weight", 1);
    c["approximator_hidden_dim"] = n.extent("distilled_guidance_layer.in_proj.weight", 0);
    c["approximator_layers"] = n.blocks("distilled_guidance_layer.layers.");
    return c;
}

Json qwenImageConfig(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("img_in.weight", 0),
                       head = n.extent("transformer_blocks.0.attn.norm_q.weight", 0);
    return {{"_class_name", family.className},
            {"patch_size", 2},
            {"in_channels", n.extent("img_in.weight", 1)},
            {"out_channels", n.extent("proj_out.weight", 0) / 4},
            {"num_layers", n.blocks("transformer_blocks.")},
            {"attention_head_dim", head},
            {"num_attention_heads", head > 0 ? width / head : 0},
            {"joint_attention_dim", n.extent("txt_in.weight", 1)},
            {"axes_dims_rope", {head / 8, head * 7 / 16, head * 7 / 16}}};
}

Json flux2Config(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("img_in.weight", 0),
                       head = n.extent("double_blocks.0.img_attn.norm.key_norm.scale", 0);
    return {{"_class_name", family.className},
            {"patch_size", 1},
            {"in_channels", n.extent("img_in.weight", 1)},
            {"num_layers", n.blocks("double_blocks.")},
            {"num_single_layers", n.blocks("single_blocks.")},
            {"attention_head_dim", head},
            {"num_attention_heads", head > 0 ? width / head : 0},
            {"joint_attention_dim", n.extent("txt_in.weight", 1)},
            {"timestep_guidance_channels", n.extent("time_in.in_layer.weight", 1)},
            {"mlp_ratio", width > 0 ? double(n.extent("double_blocks.0.img_mlp.2.weight", 1)) / double(width) : 3.0},
            {"axes_dims_rope", {head / 4, head / 4, head / 4, head / 4}},
            {"rope_theta", 2000},
            {"eps", 1e-6},
            {"guidance_embeds", n.has("guidance_in.in_layer.weight")}};
}

Json sd3Config(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("x_embedder.proj.weight", 0), places = n.extent("pos_embed", 1);
    constexpr std::int64_t head = 64;
    Json dual = Json::array();
    for (int i = 0; i < n.blocks("joint_blocks."); ++i)
        if (n.has("joint_blocks." + std::to_string(i) + ".x_block.attn2.qkv.weight")) dual.push_back(i);
    const std::int64_t patch = n.extent("x_embedder.proj.weight", 2), channels = n.extent("x_embedder.proj.weight", 1);
    Json c = {{"_class_name", family.className},
              {"sample_size", family.size / 8},
              {"patch_size", patch},
              {"in_channels", channels},
              {"out_channels", patch > 0 ? n.extent("final_layer.linear.weight", 0) / (patch * patch) : 0},
              {"num_layers", n.blocks("joint_blocks.")},
              {"attention_head_dim", head},
              {"num_attention_heads", width / head},
              {"joint_attention_dim", n.extent("context_embedder.weight", 1)},
              {"caption_projection_dim", n.extent("context_embedder.weight", 0)},
              {"pooled_projection_dim", n.extent("y_embedder.mlp.0.weight", 1)},
              {"pos_embed_max_size", std::int64_t(std::lround(std::sqrt(double(places))))},
              {"dual_attention_layers", dual},
              {"qk_norm", nullptr}};
    if (n.has("joint_blocks.0.x_block.attn.ln_q.weight")) c["qk_norm"] = "rms_norm";
    return c;
}

Json zImageConfig(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("x_embedder.weight", 0), head = n.extent("layers.0.attention.q_norm.weight", 0);
    const std::int64_t heads = head > 0 ? width / head : 0, rows = n.extent("layers.0.attention.qkv.weight", 0);
    return {{"_class_name", family.className},
            {"all_patch_size", {2}},
            {"all_f_patch_size", {1}},
            {"in_channels", n.extent("x_embedder.weight", 1) / 4},
            {"dim", width},
            {"n_layers", n.blocks("layers.")},
            {"n_refiner_layers", n.blocks("noise_refiner.")},
            {"n_heads", heads},
            {"n_kv_heads", head > 0 ? (rows / head - heads) / 2 : 0},
            {"norm_eps", 1e-5},
            {"qk_norm", true},
            {"cap_feat_dim", n.extent("cap_embedder.1.weight", 1)},
            {"rope_theta", 256.0},
            {"t_scale", 1000.0},
            {"axes_dims", {head / 4, head * 3 / 8, head * 3 / 8}},
            {"axes_lens", {1536, 512, 512}}};
}

Json lumina2Config(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("x_embedder.weight", 0), head = n.extent("layers.0.attention.q_norm.weight", 0);
    const std::int64_t heads = head > 0 ? width / head : 0, rows = n.extent("layers.0.attention.qkv.weight", 0);
    return {{"_class_name", family.className},
            {"sample_size", family.size / 8},
            {"patch_size", 2},
            {"in_channels", n.extent("x_embedder.weight", 1) / 4},
            {"hidden_size", width},
            {"num_layers", n.blocks("layers.")},
            {"num_refiner_layers", n.blocks("noise_refiner.")},
            {"num_attention_heads", heads},
            {"num_kv_heads", head > 0 ? (rows / head - heads) / 2 : 0},
            {"multiple_of", 256},
            {"ffn_dim_multiplier", nullptr},
            {"norm_eps", 1e-5},
            {"scaling_factor", 1.0},
            {"axes_dim_rope", {head / 3, head / 3, head / 3}},
            {"axes_lens", {300, 512, 512}},
            {"cap_feat_dim", n.extent("cap_embedder.1.weight", 1)}};
}

// The side of a square state, from a table of its positions (1, cells, width) in patches.
static std::int64_t sideOf(const TensorList& n, std::int64_t patch, std::int64_t usual) {
    const std::int64_t cells = n.extent("pos_embed", 1);
    return cells > 0 ? patch * std::int64_t(std::lround(std::sqrt(double(cells)))) : usual;
}

Json pixArtConfig(const TensorList& n, const Family& family) {
    constexpr std::int64_t head = 72;
    const std::int64_t width = n.extent("x_embedder.proj.weight", 0), patch = n.extent("x_embedder.proj.weight", 2);
    return {{"_class_name", family.className},
            {"norm_type", "ada_norm_single"},
            {"num_attention_heads", width / head},
            {"attention_head_dim", head},
            {"num_layers", n.blocks("blocks.")},
            {"patch_size", patch},
            {"in_channels", n.extent("x_embedder.proj.weight", 1)},
            {"out_channels", patch > 0 ? n.extent("final_layer.linear.weight", 0) / (patch * patch) : 0},
            {"sample_size", sideOf(n, patch, family.size / 8)},
            {"caption_channels", n.extent("y_embedder.y_proj.fc1.weight", 1)},
            {"use_additional_conditions", n.has("csize_embedder.mlp.0.weight")}};
}

// 0.6B and 1.6B: heads of 32 channels, 16 or 20 in the cross-attention.
Json sanaConfig(const TensorList& n, const Family& family) {
    constexpr std::int64_t head = 32;
    const std::int64_t width = n.extent("x_embedder.proj.weight", 0), patch = n.extent("x_embedder.proj.weight", 2),
                       inner = n.extent("blocks.0.mlp.point_conv.conv.weight", 1),
                       cross = width % 112 == 0 ? width / 112 : width / 72;
    return {{"_class_name", family.className},
            {"num_attention_heads", width / head},
            {"attention_head_dim", head},
            {"num_cross_attention_heads", cross},
            {"cross_attention_head_dim", cross > 0 ? width / cross : 0},
            {"cross_attention_dim", width},
            {"num_layers", n.blocks("blocks.")},
            {"patch_size", patch},
            {"in_channels", n.extent("x_embedder.proj.weight", 1)},
            {"out_channels", patch > 0 ? n.extent("final_layer.linear.weight", 0) / (patch * patch) : 0},
            {"sample_size", family.size / 32},
            {"caption_channels", n.extent("y_embedder.y_proj.fc1.weight", 1)},
            {"mlp_ratio", width > 0 ? double(inner) / double(width) : 2.5},
            {"attention_bias", n.has("blocks.0.attn.qkv.bias")}};
}

Json ditConfig(const TensorList& n, const Family& family) {
    const std::int64_t width = n.extent("x_embedder.proj.weight", 0), patch = n.extent("x_embedder.proj.weight", 2);
    const std::int64_t heads = width == 1152 ? 16 : width / 64;  // XL; S, B and L have heads of 64 channels
    return {{"_class_name", family.className},
            {"norm_type", "ada_norm_zero"},
            {"num_attention_heads", heads},
            {"attention_head_dim", heads > 0 ? width / heads : 0},
            {"num_layers", n.blocks("blocks.")},
            {"patch_size", patch},
            {"in_channels", n.extent("x_embedder.proj.weight", 1)},
            {"out_channels", patch > 0 ? n.extent("final_layer.linear.weight", 0) / (patch * patch) : 0},
            {"sample_size", sideOf(n, patch, family.size / 8)},
            {"num_embeds_ada_norm", n.extent("y_embedder.embedding_table.weight", 0) - 1},
            {"norm_eps", 1e-6}};
}

}  // namespace meander
