#!/usr/bin/env python3
"""Writes what weighted prompts become: two small CLIP text encoders with random weights (F16, computed with in F32, under
"l." and "g." with the names of transformers) and, for each case of the metadata, the states "context.N" and the vector
"pooled.N". The pieces of a prompt and their weights are written here by hand; transformers tokenizes and encodes them.

    make_prompts.py FOLDER-OF-THE-TOKENIZER FILE        (made with torch 2.15, transformers 5.24)

A1111: z' = w z, scaled so that the mean of the chunk stays. ComfyUI: z' = z0 + w (z - z0), z0 of the empty prompt. Both
read a long prompt in chunks, each with a start and an end token.
"""
import json
import sys

import torch
import transformers as hf
from safetensors.torch import save_file

torch.manual_seed(11)
tokenizer = hf.CLIPTokenizer.from_pretrained(sys.argv[1])
LENGTH = tokenizer.model_max_length
ROOM = LENGTH - 2


def encoder(projected):
    kind = hf.CLIPTextModelWithProjection if projected else hf.CLIPTextModel
    m = kind(hf.CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=LENGTH, hidden_act="gelu" if projected else "quick_gelu", projection_dim=12,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=0))
    with torch.no_grad():
        for name, p in m.named_parameters():
            if p.dim() < 2:
                p.copy_((1.0 if "norm" in name and name.endswith("weight") else 0.0) + 0.2 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) / p.shape[-1] ** 0.5)
            p.copy_(p.half().float())
    return m.eval().float()


l, g = encoder(False), encoder(True)


def words(text):
    """The tokens of each word: (id, is it a comma)."""
    for word in text.split():
        yield tokenizer(word, add_special_tokens=False).input_ids


def chunks_of(pieces, dialect):
    chunks, now = [], []
    comma = tokenizer(",", add_special_tokens=False).input_ids[0]

    def finish():
        nonlocal now
        chunks.append(now)
        now = []

    for text, weight in pieces:
        if text is None:
            finish()
            continue
        for ids in words(text):
            if dialect == "comfyui" and len(ids) < 8 and len(now) + len(ids) > ROOM:
                finish()
            for i in ids:
                if len(now) == ROOM:
                    commas = [k for k, (t, _) in enumerate(now) if t == comma]
                    if dialect != "comfyui" and i != comma and commas and ROOM - commas[-1] <= 20:
                        rest = now[commas[-1] + 1:]
                        now = now[:commas[-1] + 1]
                        finish()
                        now = rest
                    else:
                        finish()
                now.append((i, weight))
    if now or not chunks:
        finish()
    padding = tokenizer.pad_token_id
    ids = [[tokenizer.bos_token_id] + [t for t, _ in c] + [tokenizer.eos_token_id] + [padding] * (ROOM - len(c))
           for c in chunks]
    weights = [[1.0] + [w for _, w in c] + [1.0] * (LENGTH - 1 - len(c)) for c in chunks]
    return torch.tensor(ids), torch.tensor(weights)


def states(model, ids, skip, normed):
    out = model(ids, output_hidden_states=True)
    z = out.hidden_states[-skip]
    if normed:
        z = (model.text_model if hasattr(model, "text_model") else model).final_layer_norm(z)
    return z, out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output


def weighted(model, pieces, dialect, skip, normed):
    ids, w = chunks_of(pieces, dialect)
    z, pooled = states(model, ids, skip, normed)
    if dialect == "comfyui":
        empty, _ = states(model, chunks_of([("", 1.0)], dialect)[0], skip, normed)
        z = empty + (z - empty) * w[..., None]
    else:
        mean = z.mean((1, 2), keepdim=True)
        z = z * w[..., None]
        if dialect == "a1111":
            z = z * (mean / z.mean((1, 2), keepdim=True))
    return z.reshape(-1, z.shape[-1]), pooled[:1]


red, blue = "red circle above a ", "blue square, "
CASES = [
    # prompt, dialect, CLIP skip, pieces
    ("a (red:1.3) circle above a [blue] square", "a1111", 1,
     [("a ", 1), ("red", 1.3), (" circle above a ", 1), ("blue", 1 / 1.1), (" square", 1)]),
    ("a (red:1.3) circle above a [blue] square", "a1111_no_norm", 2,
     [("a ", 1), ("red", 1.3), (" circle above a ", 1), ("blue", 1 / 1.1), (" square", 1)]),
    ("((red:1.2) circle) above", "a1111", 2, [("red", 1.32), (" circle", 1.1), (" above", 1)]),
    ("((red:1.2) circle) above", "comfyui", 1, [("red", 1.2), (" circle", 1.1), (" above", 1)]),
    ("(red:0.4) circle [blue] square", "comfyui", 2, [("red", 0.4), (" circle [blue] square", 1)]),
    ("red circle BREAK (blue:0.5) square", "a1111", 1,
     [("red circle", 1), (None, 1), ("blue", 0.5), (" square", 1)]),
    ((red + blue) * 4 + "(green:1.5) circle", "a1111", 1, [((red + blue) * 4, 1), ("green", 1.5), (" circle", 1)]),
    ((red + blue) * 4 + "(green:1.5) circle", "comfyui", 1, [((red + blue) * 4, 1), ("green", 1.5), (" circle", 1)]),
    ("", "comfyui", 1, [("", 1)]),
]

with torch.no_grad():
    golden, cases = {}, []
    for conditioner in ("clip", "sdxl"):
        for prompt, dialect, skip, pieces in CASES:
            n = len(cases)
            cases.append({"prompt": prompt, "dialect": dialect, "clip_skip": skip, "conditioner": conditioner})
            if conditioner == "clip":
                golden[f"context.{n}"], _ = weighted(l, pieces, dialect, skip, True)
                continue
            zl, _ = weighted(l, pieces, dialect, max(skip, 2), False)
            zg, golden[f"pooled.{n}"] = weighted(g, pieces, dialect, max(skip, 2), False)
            golden[f"context.{n}"] = torch.cat([zl, zg], -1)
    tensors = {k: v.float().contiguous() for k, v in golden.items()}
    for prefix, model in (("l.", l), ("g.", g)):
        tensors |= {prefix + k: v.half().contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
    meta = {"cases": json.dumps(cases)}
    for prefix, model in (("l", l), ("g", g)):
        config = model.config.to_dict()
        config["architectures"] = [type(model).__name__]
        meta[prefix] = json.dumps(config, default=str)
    save_file(tensors, sys.argv[2], meta)
    print(len(cases), sum(v.numel() * v.element_size() for v in tensors.values()))
