#!/usr/bin/env python3
"""Writes small diffusion transformers with random weights and what diffusers computes with them, one safetensors file each:
weights (F16, computed with in F32) under the names of their authors, and under "golden.": input (rows, height, width,
channels), text states, sizes or classes, output of two rows at different times (its first channels: those of a learned
variance are not read). The metadata hold class, configuration and the times.

    make_diffusion_transformers.py FOLDER        (made with torch 2.15, diffusers 0.42)
"""
import json
import math
import sys

import diffusers
import torch
from diffusers.models import embeddings
from safetensors.torch import save_file

TIMES = [750.0, 15.625]
TEXT = 5


def waves(times, dim, *_, **__):
    """Sinusoids, cosines first, in F64, with the frequencies of the authors: those of diffusers differ in DiT."""
    f = torch.exp(-math.log(10000) * torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
    a = times.double()[:, None] * f
    return torch.cat([a.cos(), a.sin()], -1).float()


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


SANA = {"time_embed.emb.timestep_embedder.linear_1": "t_embedder.mlp.0", "patch_embed.proj": "x_embedder.proj",
        "time_embed.emb.timestep_embedder.linear_2": "t_embedder.mlp.2", "time_embed.linear": "t_block.1",
        "caption_norm": "attention_y_norm"}
PARTS = {"ff.conv_inverted": "mlp.inverted_conv.conv", "ff.conv_depth": "mlp.depth_conv.conv",
         "ff.conv_point": "mlp.point_conv.conv", "attn1.to_out.0": "attn.proj", "attn2.to_q": "cross_attn.q_linear", "attn2.to_out.0": "cross_attn.proj",
         "ff.net.0.proj": "mlp.fc1", "ff.net.2": "mlp.fc2", "norm1.linear": "adaLN_modulation.1"}


def under_names_of_authors(state):
    """Of PixArt, SANA and DiT: queries, keys and values are one matrix."""
    s, out = dict(state), {}
    emb = "adaln_single.emb."
    whole = {"pos_embed.proj": "x_embedder.proj", "caption_projection.linear_1": "y_embedder.y_proj.fc1",
             "caption_projection.linear_2": "y_embedder.y_proj.fc2", "adaln_single.linear": "t_block.1",
             "proj_out": "final_layer.linear", "proj_out_1": "final_layer.adaLN_modulation.1",
             "proj_out_2": "final_layer.linear", "transformer_blocks.0.norm1.emb.class_embedder.embedding_table":
             "y_embedder.embedding_table"} | SANA
    for ours, theirs in ((emb + "timestep_embedder", "t_embedder"), (emb + "resolution_embedder", "csize_embedder"),
                         (emb + "aspect_ratio_embedder", "ar_embedder"),
                         ("transformer_blocks.0.norm1.emb.timestep_embedder", "t_embedder")):
        whole |= {ours + ".linear_1": theirs + ".mlp.0", ours + ".linear_2": theirs + ".mlp.2"}
    if "scale_shift_table" in s:
        out["final_layer.scale_shift_table"] = s.pop("scale_shift_table")
    for name in list(s):
        module, end = name.rsplit(".", 1)
        if module in whole:
            out[whole[module] + "." + end] = s.pop(name)
    for i in range(100):
        block = f"transformer_blocks.{i}."
        if block + "attn1.to_q.weight" not in s:
            break
        if block + "scale_shift_table" in s:
            out[f"blocks.{i}.scale_shift_table"] = s.pop(block + "scale_shift_table")
        for end in ("weight", "bias"):
            def taken(names):
                return torch.cat([s.pop(f"{block}{n}.{end}") for n in names])
            if block + "attn1.to_q." + end in s:
                out[f"blocks.{i}.attn.qkv.{end}"] = taken(["attn1.to_q", "attn1.to_k", "attn1.to_v"])
            if block + "attn2.to_k." + end in s:
                out[f"blocks.{i}.cross_attn.kv_linear.{end}"] = taken(["attn2.to_k", "attn2.to_v"])
            for ours, theirs in PARTS.items():
                if f"{block}{ours}.{end}" in s:
                    out[f"blocks.{i}.{theirs}.{end}"] = s.pop(f"{block}{ours}.{end}")
    left = [n for n in s if ".norm1.emb." not in n]  # copies of the first block's embeddings
    assert not left, left
    return out


@torch.no_grad()
def write(name, kind, config, h, w, call):
    torch.manual_seed(3)
    m = halved(getattr(diffusers, kind)(**config))
    for block in m.transformer_blocks:
        if getattr(block.norm1, "emb", None) is not None:
            block.norm1.emb.load_state_dict(m.transformer_blocks[0].norm1.emb.state_dict())
    x = torch.randn(2, 4, h, w)
    golden = {"x": x.permute(0, 2, 3, 1)}
    golden["y"] = call(m, x, golden)[:, :4].permute(0, 2, 3, 1)
    tensors = {k: v.half().contiguous() for k, v in under_names_of_authors(m.state_dict()).items()}
    tensors |= {"golden." + k: v.float().contiguous() for k, v in golden.items()}
    meta = {"class": kind, "config": json.dumps(dict(m.config), default=str), "times": json.dumps(TIMES)}
    save_file(tensors, f"{sys.argv[1]}/{name}.safetensors", meta)
    print(name, sum(v.numel() * v.element_size() for v in tensors.values()))


def pixart(m, x, golden):
    golden["context"] = torch.randn(1, TEXT, 14)
    more = {"resolution": None, "aspect_ratio": None}
    if m.use_additional_conditions:
        golden["size"] = torch.tensor([[640.0, 960.0]])
        more = {"resolution": golden["size"].expand(2, -1), "aspect_ratio": torch.full((2, 1), 640 / 960)}
    return m(x, golden["context"].expand(2, -1, -1), torch.tensor(TIMES), more).sample


def sana(m, x, golden):
    golden["context"] = torch.randn(1, TEXT, 14)
    return m(x, golden["context"].expand(2, -1, -1), torch.tensor(TIMES)).sample


def dit(m, x, golden):
    golden["classes"] = torch.tensor([3.0, 10.0])  # of ten; the last: none
    return m(x, torch.tensor(TIMES), golden["classes"].long()).sample


base = dict(num_layers=2, num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=8, sample_size=8,
            patch_size=2, attention_bias=True)
pixarts = base | dict(cross_attention_dim=24, caption_channels=14)
write("pixart_alpha", "PixArtTransformer2DModel", pixarts | dict(use_additional_conditions=True), 4, 6, pixart)
write("pixart_sigma", "PixArtTransformer2DModel", pixarts | dict(use_additional_conditions=False), 4, 6, pixart)
write("sana", "SanaTransformer2DModel",
      dict(num_layers=2, num_attention_heads=2, attention_head_dim=12, num_cross_attention_heads=2,
           cross_attention_head_dim=12, cross_attention_dim=24, caption_channels=14, in_channels=4, out_channels=4,
           sample_size=8), 4, 6, sana)
write("dit", "DiTTransformer2DModel", base | dict(num_embeds_ada_norm=10), 8, 8, dit)
