#!/usr/bin/env python3
"""Writes small U-Nets with random weights and what diffusers computes with them, one safetensors file each: weights (F16,
computed with in F32) under the names of diffusers, and under "golden.": input, text states, pooled text, sizes, output
of two rows at different times. The metadata hold the configuration and the times.

    make_unets.py FOLDER        (made with torch 2.15, diffusers 0.42)
"""
import json
import sys

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

torch.manual_seed(3)
CROSS, DOWN, UP = 24, ["CrossAttnDownBlock2D", "DownBlock2D"], ["CrossAttnUpBlock2D", "UpBlock2D"]


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


@torch.no_grad()
def write(name, height=8, width=8, sizes=0, **config):
    base = dict(sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=[8, 16],
                norm_num_groups=4, cross_attention_dim=CROSS)
    base |= config
    m = halved(UNet2DConditionModel(**base))
    x = torch.randn(2, base["in_channels"], height, width)
    text = torch.randn(1, 5, CROSS)
    times = [737.0, 12.5]
    golden = {"x": x.permute(0, 2, 3, 1), "context": text}
    added = None
    if sizes:
        pooled, numbers = torch.randn(1, 20), torch.tensor([[1024.0, 768.0, 16.0, 0.0, 512.0, 640.0][:sizes]])
        golden |= {"pooled": pooled, "size": numbers}
        added = {"text_embeds": pooled.expand(2, -1), "time_ids": numbers.expand(2, -1)}
    y = m(x, torch.tensor(times), text.expand(2, -1, -1), added_cond_kwargs=added).sample
    golden["y"] = y.permute(0, 2, 3, 1)
    tensors = {k: v.half().contiguous() for k, v in m.state_dict().items()}
    tensors |= {"golden." + k: v.float().contiguous() for k, v in golden.items()}
    save_file(tensors, f"{sys.argv[1]}/{name}.safetensors",
              {"config": json.dumps(dict(m.config), default=str), "times": json.dumps(times)})
    print(name, sum(v.numel() * v.element_size() for v in tensors.values()))


# As Stable Diffusion 1: 1 x 1 filters as projections, one number of heads.
write("sd1", down_block_types=DOWN, up_block_types=UP[::-1], attention_head_dim=4)
# As Stable Diffusion 2: matrices as projections, heads per level; not square.
write("sd2", 8, 12, down_block_types=DOWN, up_block_types=UP[::-1], attention_head_dim=[2, 4],
      use_linear_projection=True)
xl = dict(down_block_types=DOWN[::-1], up_block_types=UP, attention_head_dim=[2, 4], use_linear_projection=True,
          addition_embed_type="text_time", addition_time_embed_dim=8)
write("sdxl", sizes=6, transformer_layers_per_block=[1, 2], projection_class_embeddings_input_dim=20 + 6 * 8, **xl)
write("sdxl_refiner", sizes=5, transformer_layers_per_block=[1, 1], projection_class_embeddings_input_dim=20 + 5 * 8,
      **xl)
# As SSD-1B: one residual block in the middle, depths that differ within a block and between the two ways.
write("ssd1b", sizes=6, mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[[0], [2]],
      reverse_transformer_layers_per_block=[[2, 1], [0, 0]], projection_class_embeddings_input_dim=20 + 6 * 8, **xl)
