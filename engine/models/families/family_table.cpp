// The table of families. Their tests never misfire in this order: first the transformers, each by a tensor that no
// other has, then the U-Nets.
#include "engine/models/families/family.h"

namespace meander {
namespace {

// A row of a family that is recognised and not run yet.
Family recognised(const char* id, const char* name, const char* test, const char* className) {
    return {.id = id, .name = name, .test = test, .className = className};
}

std::vector<Family> fluxFamilies() {
    constexpr const char *flux2 = "Flux2Transformer2DModel", *flux1 = "FluxTransformer2DModel";
    constexpr const char *dynamic = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flow_dynamic"}, "steps": 28,
                                       "guidance": 1})",
                         *few2 =
                             R"({"sampler": {"id": "euler"}, "schedule": {"id": "flux2"}, "steps": 4, "guidance": 1})";
    return {
        {.id = "flux2-dev",
         .name = "FLUX.2 dev",
         .test = "single_stream_modulation.lin.weight single_blocks.47.linear1.weight",
         .className = flux2,
         .config = flux2Config,
         .names = "flux2",
         .codec = "flux2",
         .texts = "mistral3_24b",
         .conditioner = "flux2",
         .shift = 1,
         .recommended = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flux2"}, "steps": 28, "guidance": 1})"},
        {.id = "flux2-klein-9b",
         .name = "FLUX.2 klein 9B",
         .test = "single_stream_modulation.lin.weight img_in.weight[0]=4096",
         .className = flux2,
         .config = flux2Config,
         .names = "flux2",
         .codec = "flux2",
         .texts = "qwen3_8b",
         .conditioner = "flux2",
         .shift = 1,
         .recommended = few2},
        {.id = "flux2-klein-4b",
         .name = "FLUX.2 klein 4B",
         .test = "single_stream_modulation.lin.weight",
         .className = flux2,
         .config = flux2Config,
         .names = "flux2",
         .codec = "flux2",
         .texts = "qwen3_4b",
         .conditioner = "flux2",
         .shift = 1,
         .recommended = few2},
        recognised("flux3", "FLUX.3 image", "early_stream_modulations.image.lin.weight", "Flux3Transformer2DModel"),
        recognised("chroma-radiance", "Chroma Radiance",
                   "distilled_guidance_layer.in_proj.weight nerf_final_layer_conv.conv.weight",
                   "ChromaRadianceTransformer2DModel"),
        {.id = "chroma",
         .name = "Chroma",
         .test = "distilled_guidance_layer.in_proj.weight",
         .className = "ChromaTransformer2DModel",
         .config = chromaConfig,
         .names = "flux",
         .codec = "flux",
         .texts = "t5xxl",
         .conditioner = "chroma",
         .shift = 1,
         .recommended = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flow_dynamic"}, "steps": 28,
                            "guidance": 4})"},
        recognised("longcat", "LongCat-Image", "double_blocks.0.img_attn.norm.key_norm.scale txt_in.weight[1]=3584",
                   "LongCatImageTransformer2DModel"),
        recognised("flux-fill", "FLUX.1 Fill", "double_blocks.0.img_attn.norm.key_norm.scale img_in.weight[1]=384",
                   flux1),
        recognised("flux-control", "FLUX.1 Depth or Canny",
                   "double_blocks.0.img_attn.norm.key_norm.scale img_in.weight[1]=128", flux1),
        recognised("flex2", "Flex.2", "double_blocks.0.img_attn.norm.key_norm.scale img_in.weight[1]=196", flux1),
        {.id = "flux-dev",
         .name = "FLUX.1 dev",
         .test = "double_blocks.0.img_attn.norm.key_norm.scale guidance_in.in_layer.weight",
         .className = flux1,
         .config = fluxConfig,
         .names = "flux",
         .codec = "flux",
         .texts = "clip_l t5xxl",
         .conditioner = "flux",
         .shift = 1,
         .recommended = dynamic},
        {.id = "flux-schnell",
         .name = "FLUX.1 schnell",
         .test = "double_blocks.0.img_attn.norm.key_norm.scale",
         .className = flux1,
         .config = fluxConfig,
         .names = "flux",
         .codec = "flux",
         .texts = "clip_l t5xxl",
         .conditioner = "flux_schnell",
         .shift = 1,
         .recommended = R"({"sampler": {"id": "euler"}, "schedule": {"id": "uniform_t"}, "steps": 4, "guidance": 1})"},
    };
}

Family pixArt(const char* id, const char* name, const char* test, const char* codec, const char* conditioner) {
    return {.id = id,
            .name = name,
            .test = test,
            .className = "PixArtTransformer2DModel",
            .config = pixArtConfig,
            .names = "pixart",
            .codec = codec,
            .texts = "t5xxl",
            .conditioner = conditioner,
            .refine = refineDdpm,
            .recommended = R"({"steps": 20, "guidance": 4.5})"};
}

std::vector<Family> otherTransformers() {
    constexpr const char* sd3 = "SD3Transformer2DModel";
    constexpr const char* sd3Settings = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flow_shift"}, "steps": 28,
                                            "guidance": 4.5})";
    return {
        recognised("qwen-image-2.1", "Qwen-Image 2.1", "txt_in.text_norm.weight", "QwenImage21Transformer2DModel"),
        recognised("qwen-image-layered", "Qwen-Image Layered",
                   "transformer_blocks.0.img_mod.1.weight time_text_embed.addition_t_embedding.weight",
                   "QwenImageTransformer2DModel"),
        recognised("mageflow", "MageFlow", "transformer_blocks.0.img_mod.1.weight img_in.weight[1]=128",
                   "QwenImageTransformer2DModel"),
        {.id = "qwen-image",
         .name = "Qwen-Image",
         .test = "transformer_blocks.0.img_mod.1.weight",
         .className = "QwenImageTransformer2DModel",
         .config = qwenImageConfig,
         .codec = "qwen_image",
         .texts = "qwen25_7b",
         .conditioner = "qwen_image",
         .shift = 1,
         .recommended = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flow_dynamic", "params": {"max_shift": 0.9,
                            "max_tokens": 8192, "terminal": 0.02}}, "steps": 30, "guidance": 4})"},
        recognised("krea2", "Krea 2", "txtfusion.projector.weight", "Krea2Transformer2DModel"),
        recognised("krea2", "Krea 2", "text_fusion.projector.weight", "Krea2Transformer2DModel"),
        {.id = "z-image",
         .name = "Z-Image",
         .test = "cap_embedder.0.weight layers.0.adaLN_modulation.0.weight",
         .className = "ZImageTransformer2DModel",
         .config = zImageConfig,
         .names = "zimage",
         .codec = "flux",
         .texts = "qwen3_4b",
         .conditioner = "z_image",
         .shift = 3,
         .recommended = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flow_shift"}, "steps": 9, "guidance": 1})"},
        {.id = "lumina2",
         .name = "Lumina Image 2",
         .test = "cap_embedder.0.weight layers.0.adaLN_modulation.1.weight",
         .className = "Lumina2Transformer2DModel",
         .config = lumina2Config,
         .names = "lumina2",
         .codec = "flux",
         .texts = "gemma2_2b",
         .conditioner = "lumina2",
         .shift = 6,
         .recommended = R"({"sampler": {"id": "euler"}, "schedule": {"id": "flow_shift", "params": {"shift": 6.0}},
                            "steps": 30, "guidance": 4})"},
        {.id = "sd3.5-large",
         .name = "Stable Diffusion 3.5 Large",
         .test = "joint_blocks.37.x_block.attn.qkv.weight",
         .className = sd3,
         .config = sd3Config,
         .names = "sd3",
         .codec = "sd3",
         .texts = "clip_l clip_g t5xxl",
         .conditioner = "sd3",
         .shift = 3,
         .recommended = sd3Settings},
        {.id = "sd3.5-medium",
         .name = "Stable Diffusion 3.5 Medium",
         .test = "joint_blocks.0.context_block.adaLN_modulation.1.bias joint_blocks.0.x_block.attn2.qkv.weight",
         .className = sd3,
         .config = sd3Config,
         .names = "sd3",
         .codec = "sd3",
         .texts = "clip_l clip_g t5xxl",
         .conditioner = "sd3",
         .shift = 3,
         .recommended = sd3Settings},
        {.id = "sd3-medium",
         .name = "Stable Diffusion 3 Medium",
         .test = "joint_blocks.0.context_block.adaLN_modulation.1.bias",
         .className = sd3,
         .config = sd3Config,
         .names = "sd3",
         .codec = "sd3",
         .texts = "clip_l clip_g t5xxl",
         .conditioner = "sd3",
         .shift = 3,
         .recommended = sd3Settings},
        recognised("auraflow", "AuraFlow", "double_layers.0.attn.w1q.weight", "AuraFlowTransformer2DModel"),
        recognised("sana", "SANA", "blocks.0.cross_attn.kv_linear.weight blocks.0.mlp.inverted_conv.conv.weight",
                   "SanaTransformer2DModel"),
        pixArt("pixart-alpha-1024", "PixArt-α", "y_embedder.y_proj.fc1.weight csize_embedder.mlp.0.weight", "sd",
               "pixart_alpha"),
        pixArt("pixart-sigma", "PixArt-Σ", "y_embedder.y_proj.fc1.weight y_embedder.y_embedding[0]=300", "sdxl", "t5"),
        pixArt("pixart-alpha", "PixArt-α", "y_embedder.y_proj.fc1.weight", "sd", "pixart_alpha"),
        recognised("wan-5b", "Wan 2.2 5B", "head.modulation patch_embedding.weight[0]=3072", "WanTransformer3DModel"),
        recognised("wan-i2v", "Wan 2 14B, image to video", "head.modulation patch_embedding.weight[1]=36",
                   "WanTransformer3DModel"),
        recognised("wan-1.3b", "Wan 2.1 1.3B", "head.modulation patch_embedding.weight[0]=1536",
                   "WanTransformer3DModel"),
        recognised("wan-14b", "Wan 2 14B", "head.modulation", "WanTransformer3DModel"),
        {.id = "dit",
         .name = "DiT",
         .test = "y_embedder.embedding_table.weight",
         .className = "DiTTransformer2DModel",
         .config = ditConfig,
         .codec = "sd",
         .size = 256,
         .refine = refineDit,
         .recommended = R"({"steps": 50, "guidance": 4})"},
    };
}

std::vector<Family> unetFamilies() {
    constexpr const char* unet = "UNet2DConditionModel";
    constexpr const char* sdxlSettings = R"({"steps": 25, "guidance": 6})";
    const auto sdxl = [&](const char* id, const char* name, const char* test) {
        return Family{.id = id,
                      .name = name,
                      .test = test,
                      .className = unet,
                      .config = ldmUnetConfig,
                      .names = "ldm_unet",
                      .codec = "sdxl",
                      .texts = "clip_l clip_g",
                      .conditioner = "sdxl",
                      .refine = refineSdxl,
                      .recommended = sdxlSettings};
    };
    return {
        {.id = "sd1",
         .name = "Stable Diffusion 1",
         .test = "input_blocks.0.0.weight out.2.weight input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight[1]=768",
         .className = unet,
         .config = ldmUnetConfig,
         .names = "ldm_unet",
         .codec = "sd",
         .texts = "clip_l",
         .conditioner = "clip",
         .size = 512,
         .refine = refineSd1},
        {.id = "sd2",
         .name = "Stable Diffusion 2",
         .test = "input_blocks.0.0.weight out.2.weight input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight[1]=1024",
         .className = unet,
         .config = ldmUnetConfig,
         .names = "ldm_unet",
         .codec = "sd",
         .texts = "clip_h",
         .conditioner = "clip",
         .size = 512,
         .refine = refineSd2},
        {.id = "sdxl-refiner",
         .name = "Stable Diffusion XL refiner",
         .test = "input_blocks.0.0.weight out.2.weight label_emb.0.0.weight "
                 "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight[1]=1280",
         .className = unet,
         .config = ldmUnetConfig,
         .names = "ldm_unet",
         .codec = "sdxl",
         .texts = "clip_g",
         .conditioner = "sdxl",
         .refine = refineSdxl,
         .recommended = sdxlSettings},
        sdxl("sdxl", "Stable Diffusion XL",
             "input_blocks.0.0.weight out.2.weight middle_block.1.norm.weight "
             "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight[1]=2048"),
        sdxl("ssd-1b", "SSD-1B",
             "input_blocks.0.0.weight out.2.weight output_blocks.3.1.transformer_blocks.1.norm1.weight "
             "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight[1]=2048"),
        sdxl("vega", "Segmind Vega",
             "input_blocks.0.0.weight out.2.weight input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight[1]=2048"),
        recognised("edm", "EDM (DDPM++, NCSN++ or ADM of NVlabs)", "model.map_layer0.weight model.map_layer1.weight",
                   "EDMPrecond"),
        recognised("ldm-unet", "a U-Net of LDM with another text or none",
                   "input_blocks.0.0.weight out.2.weight input_blocks.*.1.transformer_blocks.0.attn2.to_k.weight "
                   "!input_hint_block.0.weight",
                   "UNet2DConditionModel"),
        {.id = "adm",
         .name = "U-Net of pixels",
         .test = "input_blocks.0.0.weight out.2.weight !input_hint_block.0.weight",
         .className = "UNet2DModel",
         .config = pixelUnetConfig,
         .ownNames = pixelUnetNames,
         .refine = refinePixelUnet},
    };
}

}  // namespace

const std::vector<Family>& families() {
    static const std::vector<Family> table = [] {
        std::vector<Family> all = fluxFamilies();
        for (auto list : {otherTransformers(), unetFamilies()}) all.insert(all.end(), list.begin(), list.end());
        return all;
    }();
    return table;
}

const Family* familyOf(const TensorList& network) {
    for (const Family& f : families())
        if (network.fits(f.test)) return &f;
    return nullptr;
}

}  // namespace meander
