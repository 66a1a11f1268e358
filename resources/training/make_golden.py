"""Writes golden.safetensors and golden_tokens.json into each sprite model folder (formats: MODELS.md).

    python make_golden.py ../models
"""
import json
import os
import sys

import torch

import configs
import diffusion
import models
import safetensors_io as st
import tokenizer
from train import supervised

PROMPTS = ["a red circle above a blue square on a green background", "a yellow triangle on a black background"]
STRINGS = PROMPTS + ["", "  A  RED\tCircle\n", "a purple hexagon, 3 of 12!", "don't we'll it's", "caf\u00e9 na\u00efve \u00fcber",
                     "\u8d64\u3044\u4e38 \U0001F600", "___ a_b <|endoftext|> x<|startoftext|>",
                     "a red circle left of a blue square on a green background and many more words than the row of the encoder has room for"]


def load(folder):
    """(kind, net, text, tok, index) of an exported folder; weights are the F16-rounded ones, as F32."""
    with open(f"{folder}/text_encoder/config.json") as f:
        text = configs.load_state(models.TextEncoder(json.load(f)), f"{folder}/text_encoder/model.safetensors")
    kind = "dit" if os.path.isdir(f"{folder}/transformer") else "lcm" if folder.rstrip("/").endswith("lcm") else "unet"
    sub = "transformer" if kind == "dit" else "unet"
    with open(f"{folder}/{sub}/config.json") as f:
        cfg = json.load(f)
    net = (models.PixArtTransformer2DModel if kind == "dit" else models.UNet2DConditionModel)(cfg)
    configs.load_state(net, f"{folder}/{sub}/diffusion_pytorch_model.safetensors")
    with open(f"{folder}/model_index.json") as f:
        index = json.load(f)
    return kind, net.eval(), text.eval(), tokenizer.Tokenizer(f"{folder}/tokenizer"), index


@torch.no_grad()
def golden(folder):
    kind, net, text, tok, _ = load(folder)
    ids = torch.tensor([tok.encode(p) for p in PROMPTS])
    g = torch.Generator().manual_seed(5)
    x = torch.randn(2, 12, 16, 16, generator=g)
    t = torch.tensor([640.0, 250.0]) if kind == "dit" else torch.tensor([759.0, 259.0])
    context = text(ids)
    module = supervised(kind, net)[-1]
    name = next(n for n, m in net.named_modules() if m is module)
    module.keep = []
    out = net(x, t, context)
    tensors = {"ids": ids, "text": context, "uncond": text(torch.tensor([tok.encode("")])), "x": x, "t": t,
               "out": out, "attention": module.keep[0].mean(1)}
    if kind == "dit":
        tensors["pos"] = net.pos[0]
    else:
        ab = diffusion.AB[t.long()][:, None, None, None]
        x0, _ = diffusion.x0_eps(out, x, ab)
        tensors["x0"] = x0
        if kind == "lcm":
            c_skip, c_out = diffusion.lcm_boundary(t)
            tensors["denoised"] = c_out * x0 + c_skip * x
    # "ids" must stay 8-byte aligned: every F32 tensor before it has an even number of elements
    st.save(f"{folder}/golden.safetensors", {k: v.numpy() for k, v in tensors.items()},
            {"prompts": json.dumps(PROMPTS), "attention_module": name})
    with open(f"{folder}/golden_tokens.json.new", "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join("  " + json.dumps({"text": s, "ids": tok.encode(s)}) for s in STRINGS) + "\n]\n")
    os.replace(f"{folder}/golden_tokens.json.new", f"{folder}/golden_tokens.json")


if __name__ == "__main__":
    for name in ("sprites-unet", "sprites-lcm", "sprites-dit"):
        if os.path.isdir(f"{sys.argv[1]}/{name}"):
            golden(f"{sys.argv[1]}/{name}")
