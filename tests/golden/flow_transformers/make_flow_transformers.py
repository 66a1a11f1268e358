#!/usr/bin/env python3
"""Writes small flow transformers with random weights and what diffusers computes with them, one safetensors file each:
weights (F16, computed with in F32) under the names of diffusers, and under "golden.": input (rows, height, width,
channels), text states, pooled text, guidance scales, output of two rows at different times. The metadata hold class,
configuration and the times as Meander's networks take them (1000 sigma).

    make_flow_transformers.py FOLDER        (made with torch 2.15, diffusers 0.42)
"""
import json
import sys

import diffusers
import torch
from safetensors.torch import save_file

TIMES = [750.0, 15.625]  # exact in F32 as thousandths too
TEXT = 5


def halved(model):
    """Weights that F16 holds exactly; norms away from 1, biases away from 0."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() < 2:
                p.copy_((1.0 if "norm" in name and name.endswith("weight") else 0.0) + 0.2 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) / p[0].numel() ** 0.5)
            p.copy_(p.half().float())
        for b in model.buffers():
            b.copy_(b.half().float())
    return model.eval()


def packed(x, p=2):
    """(n, c, h, w) to tokens of p x p cells, channel slowest, and back."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5).reshape(n, h * w // p**2, c * p * p)


def unpacked(t, h, w, p=2):
    n, c = t.shape[0], t.shape[2] // (p * p)
    return t.reshape(n, h // p, w // p, c, p, p).permute(0, 3, 1, 4, 2, 5).reshape(n, c, h, w)


def ids(h, w, axes, at=0):
    grid = torch.zeros(h, w, axes)
    grid[..., at + 1] = torch.arange(h)[:, None]
    grid[..., at + 2] = torch.arange(w)[None]
    return grid.reshape(h * w, axes)


@torch.no_grad()
def write(name, kind, config, channels, text_width, call, h=4, w=6, pooled=0, guidance=False):
    torch.manual_seed(3)
    m = halved(getattr(diffusers, kind)(**config))
    x, text = torch.randn(2, channels, h, w), torch.randn(1, TEXT, text_width)
    golden = {"x": x.permute(0, 2, 3, 1), "context": text}
    both = dict(text=text.expand(2, -1, -1), sigma=torch.tensor(TIMES) / 1000, pooled=None, guidance=None)
    if pooled:
        golden["pooled"] = torch.randn(1, pooled)
        both["pooled"] = golden["pooled"].expand(2, -1)
    if guidance:
        golden["guidance"] = torch.tensor([3.5, 1.25])
        both["guidance"] = golden["guidance"]
    y = call(m, x, h, w, **both)
    golden["y"] = y.permute(0, 2, 3, 1)
    tensors = {k: v.half().contiguous() for k, v in m.state_dict().items()}
    tensors |= {"golden." + k: v.float().contiguous() for k, v in golden.items()}
    meta = {"class": kind, "config": json.dumps(dict(m.config), default=str), "times": json.dumps(TIMES)}
    save_file(tensors, f"{sys.argv[1]}/{name}.safetensors", meta)
    print(name, sum(v.numel() * v.element_size() for v in tensors.values()))


def flux(m, x, h, w, text, sigma, pooled, guidance):
    t = m(packed(x), text, pooled, sigma, ids(h // 2, w // 2, 3), torch.zeros(TEXT, 3), guidance).sample
    return unpacked(t, h, w)


def sd3(m, x, h, w, text, sigma, pooled, guidance):
    return m(x, text, pooled, 1000 * sigma).sample


base = dict(num_layers=2, num_attention_heads=2, attention_head_dim=12, joint_attention_dim=14,
            pooled_projection_dim=10)
fluxes = base | dict(num_single_layers=2, in_channels=16, axes_dims_rope=[4, 4, 4])
write("flux_dev", "FluxTransformer2DModel", fluxes | dict(guidance_embeds=True), 4, 14, flux, pooled=10, guidance=True)
write("flux_schnell", "FluxTransformer2DModel", fluxes, 4, 14, flux, pooled=10)
sd = base | dict(sample_size=8, in_channels=4, out_channels=4, caption_projection_dim=24, pos_embed_max_size=6)
write("sd3", "SD3Transformer2DModel", sd, 4, 14, sd3, pooled=10)
write("sd35_medium", "SD3Transformer2DModel",
      sd | dict(num_layers=3, qk_norm="rms_norm", dual_attention_layers=[0, 1]), 4, 14, sd3, pooled=10)
