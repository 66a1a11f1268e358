#!/usr/bin/env python3
"""Writes a small latent diffusion model of the kind of Stable Diffusion 1 with random weights (F16, computed with in F32)
and what the pipeline of diffusers draws with it: prompt, negative prompt, guidance 5, 8 Euler steps on Karras levels from
the noise of PyTorch's CPU generator; the same with the first filters of an inpainting model and of an editing model
("inpaint.", "edit."), which change the image "source" (where "mask" is white); "edit_two" is led by the image too, with
scale 1.5. One safetensors file: the weights of the
parts under "text.", "unet." and "vae.", under "golden." the last latent and the images (h, w, 3) in [0, 1]; the metadata
hold configurations and settings. Encoded images are the means, not draws.

    make_end_to_end.py FOLDER-OF-THE-TOKENIZER FILE        (made with torch 2.15, diffusers 0.42, transformers 5.24)
"""
import json
import sys

import torch
import transformers as hf
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint as inpainting
import numpy as np
from diffusers import (AutoencoderKL, EulerDiscreteScheduler, StableDiffusionInpaintPipeline,
                       StableDiffusionInstructPix2PixPipeline, StableDiffusionPipeline, UNet2DConditionModel)
from PIL import Image
from safetensors.torch import save_file

torch.manual_seed(23)
PROMPT, NEGATIVE, SEED, STEPS = "a red circle above a blue square", "green", 7, 8
GUIDANCE, IMAGE_GUIDANCE = 5.0, 1.5


def halved(model, scale=1.0):
    """Weights that F16 holds exactly; norms away from 1, biases away from 0."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() < 2:
                p.copy_((1.0 if "norm" in name and name.endswith("weight") else 0.0) + 0.1 * torch.randn_like(p))
            else:
                p.copy_(scale * torch.randn_like(p) / p[0].numel() ** 0.5)
            p.copy_(p.half().float())
    return model.eval().float()


tokenizer = hf.CLIPTokenizer.from_pretrained(sys.argv[1])
text = halved(hf.CLIPTextModel(hf.CLIPTextConfig(
    vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
    max_position_embeddings=tokenizer.model_max_length, hidden_act="quick_gelu", bos_token_id=tokenizer.bos_token_id,
    eos_token_id=tokenizer.eos_token_id)))


def make_unet(channels):
    return UNet2DConditionModel(
        sample_size=16, in_channels=channels, out_channels=4, layers_per_block=1, block_out_channels=[8, 16],
        norm_num_groups=4, cross_attention_dim=16, attention_head_dim=2,
        down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"])


unet = halved(make_unet(4))
vae = halved(AutoencoderKL(
    in_channels=3, out_channels=3, latent_channels=4, block_out_channels=[8, 8], layers_per_block=1,
    norm_num_groups=4, down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
    sample_size=32, scaling_factor=0.18215), 0.5)
scheduler = EulerDiscreteScheduler(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012,
                                   beta_schedule="scaled_linear", use_karras_sigmas=True)
parts = dict(vae=vae, text_encoder=text, tokenizer=tokenizer, scheduler=scheduler, safety_checker=None,
             feature_extractor=None, requires_safety_checker=False)
settings = dict(prompt=PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=GUIDANCE)


def draw(kind, net, output="pt", **more):
    pipe = kind(unet=net, **parts)
    pipe.set_progress_bar_config(disable=True)
    out = pipe(**settings, generator=torch.Generator("cpu").manual_seed(SEED), output_type=output, **more).images
    return out[0].permute(1, 2, 0).contiguous().float()


golden, filters = {}, {}
size = dict(height=32, width=32)
golden["latent"] = draw(StableDiffusionPipeline, unet, "latent", **size)
golden["image"] = draw(StableDiffusionPipeline, unet, **size)

y, x = np.mgrid[0:32, 0:32]
source = np.stack([8 * x, 8 * y, 255 - 4 * (x + y)], -1).astype(np.uint8)
mask = ((x >= 7) & (x < 22) & (y >= 5) & (y < 19)).astype(np.uint8) * 255
golden["source"], golden["mask"] = torch.tensor(source / 255).float(), torch.tensor(mask / 255).float()
inpainting.retrieve_latents = lambda encoded, *_, **__: encoded.latent_dist.mode()
for name, channels, kind, more in (
        ("inpaint", 9, StableDiffusionInpaintPipeline, dict(mask_image=Image.fromarray(mask), strength=1.0, **size)),
        ("edit", 8, StableDiffusionInstructPix2PixPipeline, dict(image_guidance_scale=1.0))):
    net = halved(make_unet(channels))
    first = net.conv_in.weight.detach().clone()
    state = unet.state_dict()
    state["conv_in.weight"] = first
    net.load_state_dict(state)
    filters[name + ".conv_in.weight"] = first
    golden[name] = draw(kind, net, image=Image.fromarray(source), **more)
    if name == "edit":
        golden["edit_two"] = draw(kind, net, image=Image.fromarray(source), image_guidance_scale=IMAGE_GUIDANCE)
tensors = {"golden." + k: v.contiguous() for k, v in golden.items()}
tensors |= {k: v.half().contiguous() for k, v in filters.items()}
meta = {"settings": json.dumps({"prompt": PROMPT, "negative_prompt": NEGATIVE, "seed": SEED, "steps": STEPS,
                                "guidance": GUIDANCE, "image_guidance": IMAGE_GUIDANCE}),
        "scheduler": json.dumps(dict(scheduler.config) | {"_class_name": "EulerDiscreteScheduler"}, default=str)}
for name, model in (("text", text), ("unet", unet), ("vae", vae)):
    tensors |= {f"{name}.{k}": v.half().contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
    config = dict(model.config.to_dict() if name == "text" else model.config)
    if name == "text":
        config["architectures"] = ["CLIPTextModel"]
    else:
        config["_class_name"] = type(model).__name__
    meta[name] = json.dumps(config, default=str)
save_file(tensors, sys.argv[2], meta)
print(sum(v.numel() * v.element_size() for v in tensors.values()), "bytes; standard deviations",
      {k: round(float(v.std()), 3) for k, v in golden.items()})
