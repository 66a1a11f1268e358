#!/usr/bin/env python3
"""Writes small U-Nets of pixels with random weights and what diffusers computes with them (UNet2DModel), one safetensors
file each: weights (F16, computed with in F32), and under "golden.": input (rows, height, width, channels), classes, output
of two rows at different times. "ddpm" has the names of diffusers, "adm" those of guided diffusion, whose q, k and v lie
head by head in one matrix. The metadata hold configuration and times.

    make_pixel_unets.py FOLDER        (made with torch 2.15, diffusers 0.42)
"""
import json
import math
import sys

import torch
from diffusers import UNet2DModel
from diffusers.models import embeddings
from safetensors.torch import save_file

TIMES = [750.0, 15.625]


def waves(times, dim, flip_sin_to_cos=False, downscale_freq_shift=1, **_):
    """Sinusoids in F64."""
    half = dim // 2
    f = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float64) / (half - downscale_freq_shift))
    a = times.double()[:, None] * f
    return torch.cat([a.cos(), a.sin()] if flip_sin_to_cos else [a.sin(), a.cos()], -1).float()


embeddings.get_timestep_embedding = waves


def halved(model):
    """Weights that F16 holds exactly; norms away from 1, biases away from 0."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() < 2:
                p.copy_((1.0 if "norm" in name and name.endswith("weight") else 0.0) + 0.2 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) / p[0].numel() ** 0.5)
            p.copy_(p.half().float())
    return model.eval()


def guided_diffusion_names(m):
    """Walks the network in the order in which guided diffusion numbers its blocks."""
    state, out = m.state_dict(), {}

    def take(ours, theirs):
        for end in ("weight", "bias"):
            if f"{ours}.{end}" in state:
                out[f"{theirs}.{end}"] = state.pop(f"{ours}.{end}")

    def block(ours, theirs):
        for a, b in (("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
                     ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")):
            take(f"{ours}.{a}", f"{theirs}.{b}")

    def attention(module, ours, theirs):
        take(f"{ours}.group_norm", f"{theirs}.norm")
        for end in ("weight", "bias"):
            parts = [state.pop(f"{ours}.to_{p}.{end}") for p in "qkv"]
            heads = torch.stack([p.reshape(module.heads, -1, *p.shape[1:]) for p in parts], 1)
            fused = heads.reshape(3 * parts[0].shape[0], *parts[0].shape[1:])
            out[f"{theirs}.qkv.{end}"] = fused[..., None] if end == "weight" else fused
        take(f"{ours}.to_out.0", f"{theirs}.proj_out")
        out[f"{theirs}.proj_out.weight"] = out[f"{theirs}.proj_out.weight"][..., None]

    for ours, theirs in (("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
                         ("class_embedding", "label_emb"), ("conv_in", "input_blocks.0.0"),
                         ("conv_norm_out", "out.0"), ("conv_out", "out.2")):
        take(ours, theirs)
    n = 1
    for i, stage in enumerate(m.down_blocks):
        for j in range(len(stage.resnets)):
            block(f"down_blocks.{i}.resnets.{j}", f"input_blocks.{n}.0")
            if hasattr(stage, "attentions"):
                attention(stage.attentions[j], f"down_blocks.{i}.attentions.{j}", f"input_blocks.{n}.1")
            n += 1
        if stage.downsamplers:
            block(f"down_blocks.{i}.downsamplers.0", f"input_blocks.{n}.0")
            n += 1
    block("mid_block.resnets.0", "middle_block.0")
    attention(m.mid_block.attentions[0], "mid_block.attentions.0", "middle_block.1")
    block("mid_block.resnets.1", "middle_block.2")
    n = 0
    for i, stage in enumerate(m.up_blocks):
        for j in range(len(stage.resnets)):
            block(f"up_blocks.{i}.resnets.{j}", f"output_blocks.{n}.0")
            if hasattr(stage, "attentions"):
                attention(stage.attentions[j], f"up_blocks.{i}.attentions.{j}", f"output_blocks.{n}.1")
            if stage.upsamplers and j + 1 == len(stage.resnets):
                block(f"up_blocks.{i}.upsamplers.0",
                      f"output_blocks.{n}.{2 if hasattr(stage, 'attentions') else 1}")
            n += 1
    assert not state, list(state)
    return out


@torch.no_grad()
def write(name, names, classes=None, **config):
    torch.manual_seed(3)
    m = halved(UNet2DModel(sample_size=8, norm_num_groups=4, block_out_channels=(8, 16), layers_per_block=1, **config))
    x = torch.randn(2, 3, 8, 12)
    y = m(x, torch.tensor(TIMES), classes.long() if classes is not None else None).sample[:, :3]
    golden = {"x": x.permute(0, 2, 3, 1), "y": y.permute(0, 2, 3, 1)}
    if classes is not None:
        golden["classes"] = classes
    tensors = {k: v.half().contiguous() for k, v in names(m).items()}
    tensors |= {"golden." + k: v.float().contiguous() for k, v in golden.items()}
    meta = {"config": json.dumps(dict(m.config), default=str), "times": json.dumps(TIMES)}
    save_file(tensors, f"{sys.argv[1]}/{name}.safetensors", meta)
    print(name, sum(v.numel() * v.element_size() for v in tensors.values()))


write("ddpm", lambda m: m.state_dict(), down_block_types=("DownBlock2D", "AttnDownBlock2D"),
      up_block_types=("AttnUpBlock2D", "UpBlock2D"), attention_head_dim=None, freq_shift=1, flip_sin_to_cos=False,
      downsample_padding=0, norm_eps=1e-6)
write("adm", guided_diffusion_names, torch.tensor([4.0, 1.0]), out_channels=6, num_class_embeds=5,
      down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
      up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"), attention_head_dim=8, downsample_type="resnet",
      upsample_type="resnet", resnet_time_scale_shift="scale_shift", attn_norm_num_groups=4)
