#!/usr/bin/env python3
"""Writes small flow transformers with random weights and what diffusers computes with them, one safetensors file each:
weights (F16, computed with in F32) under the names of diffusers, and under "golden.": input (rows, height, width,
channels), text states, pooled text, guidance scales, output of two rows at different times. The metadata hold class,
configuration and the times as Meander's networks take them (1000 sigma).

    make_flow_transformers.py FOLDER        (made with torch 2.15, diffusers 0.42)
"""
import json
import math
import sys

import diffusers
import torch
from diffusers.models import embeddings
from diffusers.models.transformers import transformer_chroma, transformer_qwenimage, transformer_z_image
from safetensors.torch import save_file

TIMES = [750.0, 15.625]  # exact in F32 as thousandths too
TEXT = 5


def waves(times, dim, *_, **__):
    """Sinusoids, cosines first, in F64: in F32, frequencies times 3500 are off by up to 2e-4."""
    f = torch.exp(-math.log(10000) * torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
    a = times.double()[:, None] * f
    return torch.cat([a.cos(), a.sin()], -1).float()


def scaled_waves(times, dim, scale=1, **_):
    return waves(scale * times.double(), dim)


embeddings.get_timestep_embedding = scaled_waves
transformer_z_image.TimestepEmbedder.timestep_embedding = staticmethod(waves)
transformer_qwenimage.get_timestep_embedding = transformer_chroma.get_timestep_embedding = scaled_waves


def halved(model):
    """Weights that F16 holds exactly; norms away from 1, biases away from 0."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() < 2:
                p.copy_((1.0 if "norm" in name and name.endswith("weight") else 0.0) + 0.2 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) / p[0].numel() ** 0.5)
            p.copy_(p.half().float())
        for name, b in model.named_buffers():
            if not name.endswith("mod_proj"):  # sinusoids, not weights
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
    m = getattr(diffusers, kind)(**config)
    if hasattr(m, "t_embedder"):  # 1024 wide whatever the configuration says: too large for a golden file
        m.t_embedder.mlp[0], m.t_embedder.mlp[2] = torch.nn.Linear(256, 16), torch.nn.Linear(16, config["dim"])
    m = halved(m)
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


def chroma(m, x, h, w, text, sigma, pooled, guidance):
    t = m(packed(x), text, sigma, ids(h // 2, w // 2, 3), torch.zeros(TEXT, 3)).sample
    return unpacked(t, h, w)


def sd3(m, x, h, w, text, sigma, pooled, guidance):
    return m(x, text, pooled, 1000 * sigma).sample


def flux2(m, x, h, w, text, sigma, pooled, guidance):
    places, words = ids(h, w, 4), torch.zeros(TEXT, 4)
    words[:, 3] = torch.arange(TEXT)
    t = m(packed(x, 1), text, sigma, places[None].expand(2, -1, -1), words[None].expand(2, -1, -1), guidance).sample
    return unpacked(t, h, w, 1)


def qwen(m, x, h, w, text, sigma, pooled, guidance):
    return unpacked(m(packed(x), text, None, sigma, [[(1, h // 2, w // 2)]] * 2).sample, h, w)


def z_image(m, x, h, w, text, sigma, pooled, guidance):
    return -torch.stack(m(list(x[:, :, None]), 1 - sigma, list(text)).sample)[:, :, 0]


def lumina2(m, x, h, w, text, sigma, pooled, guidance):
    return -m(x, 1 - sigma, text, torch.ones(2, TEXT, dtype=torch.long)).sample


base = dict(num_layers=2, num_attention_heads=2, attention_head_dim=12, joint_attention_dim=14,
            pooled_projection_dim=10)
fluxes = base | dict(num_single_layers=2, in_channels=16, axes_dims_rope=[4, 4, 4])
write("flux_dev", "FluxTransformer2DModel", fluxes | dict(guidance_embeds=True), 4, 14, flux, pooled=10, guidance=True)
write("flux_schnell", "FluxTransformer2DModel", fluxes, 4, 14, flux, pooled=10)
write("chroma", "ChromaTransformer2DModel",
      {k: v for k, v in fluxes.items() if "pooled" not in k}
      | dict(approximator_num_channels=16, approximator_hidden_dim=20, approximator_layers=2), 4, 14, chroma)
sd = base | dict(sample_size=8, in_channels=4, out_channels=4, caption_projection_dim=24, pos_embed_max_size=16)
write("sd3", "SD3Transformer2DModel", sd, 4, 14, sd3, pooled=10)
write("sd35_medium", "SD3Transformer2DModel",
      sd | dict(num_layers=3, qk_norm="rms_norm", dual_attention_layers=[0, 1]), 4, 14, sd3, pooled=10)
qwens = {k: v for k, v in base.items() if "pooled" not in k}
write("flux2_dev", "Flux2Transformer2DModel",
      qwens | dict(num_layers=1, num_single_layers=2, in_channels=8, axes_dims_rope=[4, 2, 4, 2]), 8, 14, flux2,
      guidance=True)
write("qwen_image", "QwenImageTransformer2DModel",
      qwens | dict(in_channels=16, out_channels=4, axes_dims_rope=[4, 4, 4]), 4, 14, qwen)
write("z_image", "ZImageTransformer2DModel",
      dict(in_channels=4, dim=24, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=14,
           axes_dims=[4, 4, 4], axes_lens=[64, 16, 16]), 4, 14, z_image)
write("lumina2", "Lumina2Transformer2DModel",
      dict(sample_size=8, in_channels=4, hidden_size=32, num_layers=2, num_refiner_layers=1, num_attention_heads=4,
           num_kv_heads=2, multiple_of=8, axes_dim_rope=[4, 2, 2], axes_lens=[64, 16, 16], cap_feat_dim=14), 4, 14,
      lumina2)
