"""Every configuration file of the three sprite models, and their export."""
import json
import os
import shutil

import numpy as np
import torch

import safetensors_io as st

TRAIN_T = 1000
TEXT = {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "vocab_size": 0, "hidden_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256, "max_position_embeddings": 24,
        "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "projection_dim": 64, "attention_dropout": 0.0,
        "initializer_range": 0.02, "initializer_factor": 1.0, "torch_dtype": "float16",
        "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
UNET = {"_class_name": "UNet2DConditionModel", "sample_size": 16, "in_channels": 12, "out_channels": 12,
        "center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "block_out_channels": [32, 64], "layers_per_block": 1, "downsample_padding": 1, "mid_block_scale_factor": 1,
        "act_fn": "silu", "norm_num_groups": 8, "norm_eps": 1e-5, "cross_attention_dim": 64,
        "attention_head_dim": 4, "use_linear_projection": False, "only_cross_attention": False,
        "dual_cross_attention": False, "upcast_attention": False, "resnet_time_scale_shift": "default"}
DIT = {"_class_name": "PixArtTransformer2DModel", "num_attention_heads": 4, "attention_head_dim": 32,
       "in_channels": 12, "out_channels": 12, "num_layers": 5, "dropout": 0.0, "norm_num_groups": 32,
       "cross_attention_dim": 128, "attention_bias": True, "sample_size": 16, "patch_size": 2,
       "activation_fn": "gelu-approximate", "num_embeds_ada_norm": 1000, "upcast_attention": False,
       "norm_type": "ada_norm_single", "norm_elementwise_affine": False, "norm_eps": 1e-6, "interpolation_scale": 1,
       "use_additional_conditions": False, "caption_channels": 64, "attention_type": "default"}
CODEC = {"_class_name": "PixelShuffleCodec", "factor": 2, "scale": 1.0, "shift": 0.0}
DDIM = {"_class_name": "DDIMScheduler", "num_train_timesteps": TRAIN_T, "beta_start": 0.0001, "beta_end": 0.02,
        "beta_schedule": "linear", "prediction_type": "v_prediction", "clip_sample": False, "set_alpha_to_one": True,
        "steps_offset": 0, "timestep_spacing": "trailing", "trained_betas": None, "rescale_betas_zero_snr": False,
        "thresholding": False}
LCM = dict(DDIM, _class_name="LCMScheduler", original_inference_steps=50, timestep_scaling=10.0)
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": TRAIN_T, "shift": 1.0,
        "use_dynamic_shifting": False}


def alphas_cumprod():
    beta = np.linspace(DDIM["beta_start"], DDIM["beta_end"], TRAIN_T, dtype=np.float64)
    return np.cumprod(1 - beta)


def write_json(path, obj):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(obj, f, indent=2)
        f.write("\n")
    os.replace(path + ".new", path)


def text_config(tok):
    return dict(TEXT, vocab_size=len(tok.vocab), bos_token_id=tok.bos, eos_token_id=tok.eos, pad_token_id=tok.eos)


def half(state):
    return {k: v.detach().cpu().numpy().astype(np.float16) for k, v in state.items()}


def export(folder, kind, tok_folder, text_cfg, text_state, net_cfg, net_state, meander):
    """Writes a complete model folder; kind is 'unet', 'lcm' or 'dit'; `meander` goes into model_index.json."""
    net_dir = "transformer" if kind == "dit" else "unet"
    scheduler = {"unet": DDIM, "lcm": LCM, "dit": FLOW}[kind]
    pipeline = {"unet": "StableDiffusionPipeline", "lcm": "LatentConsistencyModelPipeline",
                "dit": "PixArtAlphaPipeline"}[kind]
    write_json(f"{folder}/model_index.json", {
        "_class_name": pipeline, net_dir: ["diffusers", net_cfg["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", scheduler["_class_name"]], "codec": ["meander", "PixelShuffleCodec"],
        "meander": meander})
    write_json(f"{folder}/text_encoder/config.json", text_cfg)
    st.save(f"{folder}/text_encoder/model.safetensors", half(text_state), {"format": "pt"})
    write_json(f"{folder}/{net_dir}/config.json", net_cfg)
    st.save(f"{folder}/{net_dir}/diffusion_pytorch_model.safetensors", half(net_state), {"format": "pt"})
    write_json(f"{folder}/scheduler/scheduler_config.json", scheduler)
    write_json(f"{folder}/codec/config.json", CODEC)
    os.makedirs(f"{folder}/tokenizer", exist_ok=True)
    for name in os.listdir(tok_folder):
        shutil.copyfile(f"{tok_folder}/{name}", f"{folder}/tokenizer/{name}")


def load_state(module, path):
    arrays, _ = st.load(path)
    module.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})
    return module
