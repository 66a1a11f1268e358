#!/usr/bin/env python3
"""Writes small text encoders with random weights and what transformers computes with them, one safetensors file each:
weights (F16, computed with in F32) under the names of transformers, and under "golden.": the ids, every hidden state
(rows: states as transformers counts them), the pooled or projected vector, and states of padded texts. The metadata
hold the configuration.

    make_text_encoders.py FOLDER        (made with torch 2.15, transformers 5.24)
"""
import json
import sys

import torch
import transformers as hf
from safetensors.torch import save_file

torch.manual_seed(7)
PADDING = 5  # tokens


def halved(model, scale=1.0):
    """Weights that F16 holds exactly; norms away from 1, biases away from 0."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name and name.endswith("weight"):
                p.add_(0.2 * torch.randn_like(p))
            elif p.dim() < 2 or "relative_attention_bias" in name:
                p.copy_(0.3 * torch.randn_like(p))
            else:
                p.copy_(scale * torch.randn_like(p) / p.shape[-1] ** 0.5)
            p.copy_(p.half().float())
    return model.eval().float()


def write(name, model, class_name, ids, golden, config=None, drop=()):
    tensors = {k: v.half().contiguous() for k, v in model.state_dict().items()
               if not k.endswith("position_ids") and not any(k.startswith(d) for d in drop)}
    if "encoder.embed_tokens.weight" in tensors and "shared.weight" in tensors:
        del tensors["encoder.embed_tokens.weight"]
    tensors |= {"golden." + k: v.float().contiguous() for k, v in golden.items()}
    config = dict(config or model.config.to_dict())
    config["architectures"] = [class_name]
    meta = {"config": json.dumps(config, default=str), "ids": json.dumps(ids)}
    save_file(tensors, f"{sys.argv[1]}/{name}.safetensors", meta)
    print(name, class_name, sum(v.numel() * v.element_size() for v in tensors.values()))


def ids_of(vocabulary, n=11):
    return torch.randint(3, vocabulary - 2, (n,)).tolist()


@torch.no_grad()
def clip(name, act, projection, end, layers):
    c = hf.CLIPTextConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=layers,
                          num_attention_heads=4, max_position_embeddings=16, hidden_act=act, projection_dim=24,
                          eos_token_id=end, bos_token_id=62, pad_token_id=1)
    kind = hf.CLIPTextModelWithProjection if projection else hf.CLIPTextModel
    m = halved(kind(c))
    # The end token is the last id of the vocabulary, as it is in CLIP, and stands again in the padding.
    ids = [62] + ids_of(62, 8) + [63] + [63 if end == 2 else 0] * 4
    out = m(torch.tensor([ids]), output_hidden_states=True)
    golden = {"states": torch.cat(out.hidden_states),
              "last": out.last_hidden_state[0],
              "pooled": out.text_embeds if projection else out.pooler_output}
    write(name, m, kind.__name__, ids, golden)


@torch.no_grad()
def t5(name, config, kind, layers):
    c = config(vocab_size=60, d_model=32, d_kv=12, d_ff=40, num_layers=layers, num_heads=3,
               relative_attention_num_buckets=8, relative_attention_max_distance=12,
               feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False)
    m = halved(kind(c), 0.7)
    ids = ids_of(60, 30)
    out = m(torch.tensor([ids]), output_hidden_states=True)
    write(name, m, kind.__name__, ids, {"states": torch.cat(out.hidden_states), "last": out.last_hidden_state[0]})


@torch.no_grad()
def decoder(name, config, kind, class_name=None, prefix=None, nested=False, n=13, **more):
    base = dict(vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=128, attn_implementation="sdpa",
                pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=True)
    c = config(**{**base, **more})
    m = halved(kind(c))
    inner = m.model if hasattr(m, "model") else m
    ids = ids_of(50, n)
    out = m(torch.tensor([ids]), output_hidden_states=True)
    golden = {"states": torch.cat(out.hidden_states), "last": inner(torch.tensor([ids])).last_hidden_state[0]}
    mask = torch.tensor([[1] * n + [0] * PADDING])
    right = m(torch.tensor([ids + [0] * PADDING]), attention_mask=mask, output_hidden_states=True)
    left = m(torch.tensor([[0] * PADDING + ids]), attention_mask=mask.flip(1), output_hidden_states=True)
    golden["right"], golden["left"] = right.hidden_states[2][0], left.hidden_states[2][0]
    settings = c.to_dict()
    if nested:
        settings = {"text_config": settings, "vision_config": {}}
    if prefix is not None:
        sd = {prefix + k: v for k, v in inner.state_dict().items()}
        sd["visual.patch_embed.proj.weight"] = torch.zeros(4, 4)
        m.state_dict = lambda: sd
    write(name, m, class_name or kind.__name__, ids, golden, settings, drop=("lm_head",))


clip("clip", "quick_gelu", False, 2, 2)
clip("clip_projection", "gelu", True, 63, 3)
t5("t5", hf.T5Config, hf.T5EncoderModel, 3)
t5("umt5", hf.UMT5Config, hf.UMT5EncoderModel, 2)
decoder("qwen3", hf.Qwen3Config, hf.Qwen3ForCausalLM, head_dim=12, rope_theta=1e6)
decoder("qwen3_model", hf.Qwen3Config, hf.Qwen3Model, head_dim=8, num_hidden_layers=2, num_key_value_heads=1)
decoder("qwen2", hf.Qwen2Config, hf.Qwen2ForCausalLM, rope_theta=1e6, num_hidden_layers=2)
decoder("qwen25_vl", hf.Qwen2Config, hf.Qwen2Model, "Qwen2_5_VLForConditionalGeneration", "model.language_model.",
        True, num_hidden_layers=2)
decoder("qwen3_vl", hf.Qwen3Config, hf.Qwen3Model, "Qwen3VLForConditionalGeneration", "model.language_model.", True,
        head_dim=8, num_hidden_layers=2)
decoder("gemma2", hf.Gemma2Config, hf.Gemma2Model, head_dim=12, sliding_window=6, query_pre_attn_scalar=20,
        attn_logit_softcapping=2.0, attn_implementation="eager")
decoder("mistral", hf.MistralConfig, hf.MistralForCausalLM, head_dim=12, rope_theta=1e9, sliding_window=None)
decoder("mistral3", hf.MistralConfig, hf.MistralModel, "Mistral3ForConditionalGeneration", "language_model.model.",
        True, head_dim=8, num_hidden_layers=2, sliding_window=None)
