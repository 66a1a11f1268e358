#!/usr/bin/env python3
"""Writes the golden data of the codecs beside this file: what diffusers computes in double precision.

    python make_codecs.py      # needs torch, diffusers, safetensors, numpy

A file holds an image and a state with what comes out of them, and in its metadata the configuration and the names and
shapes of all weights. The weights themselves follow from their names (`weight` here, FormulaWeights in tst_codecs.cpp).
"""
import json
import pathlib
import types

import numpy
import torch
from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderKLFlux2, AutoencoderKLQwenImage, AutoencoderTiny
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent


def weight(name, shape):
    seed = numpy.uint32(2166136261)
    with numpy.errstate(over="ignore"):
        for byte in name.encode():
            seed = (seed ^ numpy.uint32(byte)) * numpy.uint32(16777619)
        u = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint32) * numpy.uint32(2654435761) + seed
        u ^= u >> numpy.uint32(16)
        u *= numpy.uint32(0x7FEB352D)
        u ^= u >> numpy.uint32(15)
        u *= numpy.uint32(0x846CA68B)
        u ^= u >> numpy.uint32(16)
    v = u.astype(numpy.float64) / 2**31 - 1
    if len(shape) > 1:
        v *= numpy.sqrt(3 / numpy.prod(shape[1:]))
    elif name.endswith("running_var"):
        v += 2
    elif name.endswith("weight"):
        v = 1 + 0.2 * v
    else:
        v *= 0.2
    return v.astype(numpy.float32).reshape(shape)


def last(t):
    return numpy.ascontiguousarray(t.permute(0, 2, 3, 1).to(torch.float32).numpy())


def write(name, model, height, width, to_state, to_latent, state_shape, **config):
    weights = {n: tuple(t.shape) for n, t in model.state_dict().items() if n != "bn.num_batches_tracked"}
    model.load_state_dict({n: torch.from_numpy(weight(n, s)) for n, s in weights.items()}, strict=False)
    model = model.double().eval()
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((1, 3, height, width), generator=generator).double()
    state = torch.randn((1, *state_shape), generator=generator).double()
    with torch.no_grad():
        encoded = model.encode(2 * image - 1)
        latent = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        tensors = {
            "image": last(image),
            "encoded": last(to_state(model, latent)),
            "state": last(state),
            "decoded": last(model.decode(to_latent(model, state)).sample / 2 + 0.5),
        }
    about = {k: v for k, v in model.config.items() if not k.startswith("_")}
    about.update(config, _class_name=config.pop("class_name", type(model).__name__))
    save_file(tensors, HERE / f"{name}.safetensors",
              {"config": json.dumps(about), "weights": json.dumps(weights)})


def kl(name, channels, latent, height, width, **options):
    n = len(channels)
    model = AutoencoderKL(block_out_channels=channels, latent_channels=latent, norm_num_groups=8,
                          down_block_types=("DownEncoderBlock2D",) * n, up_block_types=("UpDecoderBlock2D",) * n,
                          **options)
    c = model.config
    mean = torch.tensor(c.latents_mean or [c.shift_factor or 0.0] * latent).double().view(1, -1, 1, 1)
    std = torch.tensor(c.latents_std or [1.0] * latent).double().view(1, -1, 1, 1)
    f = 2 ** (n - 1)
    write(name, model, height, width, lambda _, z: (z - mean) * c.scaling_factor / std,
          lambda _, s: s * std / c.scaling_factor + mean, (latent, height // f, width // f))


def patchify(z):
    b, c, h, w = z.shape
    return z.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, 4 * c, h // 2, w // 2)


def unpatchify(s):
    b, c, h, w = s.shape
    return s.view(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // 4, 2 * h, 2 * w)


def statistics(model):
    return (model.bn.running_mean.view(1, -1, 1, 1),
            torch.sqrt(model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps))


def flux2_state(model, z):
    mean, std = statistics(model)
    return (patchify(z) - mean) / std


def flux2_latent(model, s):
    mean, std = statistics(model)
    return unpatchify(s * std + mean)


kl("kl4", (32, 64), 4, 32, 32, layers_per_block=1)
kl("kl16", (32, 32, 64), 16, 32, 40, layers_per_block=2, scaling_factor=0.3611, shift_factor=0.1159,
   use_quant_conv=False, use_post_quant_conv=False)
kl("kl_statistics", (32, 32), 4, 16, 16, layers_per_block=1, scaling_factor=0.5, mid_block_add_attention=False,
   latents_mean=[-1.6574, 1.886, -1.383, 2.5155], latents_std=[8.4927, 5.9022, 6.5498, 5.2299])
write("kl_flux2", AutoencoderKLFlux2(block_out_channels=(32, 64), decoder_block_out_channels=(48, 64),
                                     down_block_types=("DownEncoderBlock2D",) * 2,
                                     up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1, norm_num_groups=8,
                                     latent_channels=32), 32, 32, flux2_state, flux2_latent, (128, 8, 8))


class OneFrame(AutoencoderKLQwenImage):
    """Of images: videos of one frame."""

    def encode(self, x):
        out = super().encode(x[:, :, None])
        out.latents = out.latent_dist.mode()[:, :, 0]
        return out

    def decode(self, z):
        # Without the cut to -1 ... 1.
        return types.SimpleNamespace(sample=self.decoder(self.post_quant_conv(z[:, :, None]))[:, :, 0])


qwen_mean, qwen_std = [0.3, -0.7, 0.1, 0.5], [2.5, 1.5, 0.8, 1.25]
columns = [torch.tensor(v).double().view(1, -1, 1, 1) for v in (qwen_mean, qwen_std)]
write("kl_qwen_image", OneFrame(base_dim=16, z_dim=4, dim_mult=[1, 2, 2], num_res_blocks=1,
                                temperal_downsample=[False, True], latents_mean=qwen_mean, latents_std=qwen_std),
      32, 24, lambda _, z: (z - columns[0]) / columns[1], lambda _, s: s * columns[1] + columns[0], (4, 8, 6),
      latent_channels=4, class_name="AutoencoderKLQwenImage")

class Deep(AutoencoderDC):
    def encode(self, x):
        return types.SimpleNamespace(latents=super().encode(x).latent)


sides = {f"{s}_{k}": v for s in ("encoder", "decoder") for k, v in dict(
    block_types=("ResBlock", "EfficientViTBlock", "EfficientViTBlock"), block_out_channels=(16, 32, 32),
    layers_per_block=(1, 1, 1), qkv_multiscales=((), (5,), (5,))).items()}
for name, down, up in (("dc", "conv", "interpolate"), ("dc_folded", "pixel_unshuffle", "pixel_shuffle")):
    write(name, Deep(latent_channels=8, attention_head_dim=8, downsample_block_type=down, upsample_block_type=up,
                     scaling_factor=0.41407, **sides), 32, 24, lambda _, z: z * 0.41407, lambda _, s: s / 0.41407,
          (8, 8, 6), class_name="AutoencoderDC")
write("tiny", AutoencoderTiny(latent_channels=4, encoder_block_out_channels=(32,) * 4,
                              decoder_block_out_channels=(32,) * 4), 64, 32,
      lambda _, z: z, lambda _, s: s, (4, 8, 4))
