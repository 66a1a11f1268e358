"""Compact PyTorch versions of CLIPTextModel, UNet2DConditionModel and PixArtTransformer2DModel.

Names of the parameters and the mathematics follow transformers/diffusers, so that the exported folders can be read
by any loader of those formats.  Nothing else of those libraries is needed.
"""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def timestep_embedding(t, dim):
    """[cos | sin] of t * 10000^(-i/half): flip_sin_to_cos=True, downscale_freq_shift=0."""
    half = dim // 2
    freq = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    a = t.float()[:, None] * freq
    return torch.cat([a.cos(), a.sin()], -1)


class TimestepEmbedding(nn.Module):
    def __init__(self, dim_in, dim, cond_dim=None):
        super().__init__()
        self.linear_1 = nn.Linear(dim_in, dim)
        self.linear_2 = nn.Linear(dim, dim)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class Attention(nn.Module):
    """Multi-head attention; `keep` (a list) receives the probabilities (B, heads, queries, keys) if it is set."""

    def __init__(self, dim, context_dim, heads, bias):
        super().__init__()
        self.heads, self.keep = heads, None
        self.to_q = nn.Linear(dim, dim, bias=bias)
        self.to_k = nn.Linear(context_dim, dim, bias=bias)
        self.to_v = nn.Linear(context_dim, dim, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])

    def forward(self, x, context=None):
        context = x if context is None else context
        b, n, d = x.shape
        q, k, v = (m(s).view(b, s.shape[1], self.heads, d // self.heads).transpose(1, 2)
                   for m, s in ((self.to_q, x), (self.to_k, context), (self.to_v, context)))
        if self.keep is not None or not hasattr(F, "scaled_dot_product_attention"):
            p = ((q * (d // self.heads) ** -0.5) @ k.transpose(-1, -2)).softmax(-1)
            if self.keep is not None:
                self.keep.append(p)
            o = p @ v
        else:
            o = F.scaled_dot_product_attention(q, k, v)
        return self.to_out[0](o.transpose(1, 2).reshape(b, n, d))


# --------------------------------------------------------------------------------------------- text encoder

class ClipAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x, mask):
        b, n, d = x.shape
        q, k, v = (m(x).view(b, n, self.heads, -1).transpose(1, 2) for m in (self.q_proj, self.k_proj, self.v_proj))
        p = ((q * (d // self.heads) ** -0.5) @ k.transpose(-1, -2) + mask).softmax(-1)
        return self.out_proj((p @ v).transpose(1, 2).reshape(b, n, d))


class ClipMLP(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))          # quick_gelu


class ClipLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.self_attn = ClipAttention(d, c["num_attention_heads"])
        self.layer_norm1 = nn.LayerNorm(d, eps=c["layer_norm_eps"])
        self.mlp = ClipMLP(d, c["intermediate_size"])
        self.layer_norm2 = nn.LayerNorm(d, eps=c["layer_norm_eps"])

    def forward(self, x, mask):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class TextEncoder(nn.Module):
    """CLIPTextModel; forward returns last_hidden_state after the final layer norm."""

    def __init__(self, c):
        super().__init__()
        m = self.text_model = nn.Module()
        d = c["hidden_size"]
        m.embeddings = nn.Module()
        m.embeddings.token_embedding = nn.Embedding(c["vocab_size"], d)
        m.embeddings.position_embedding = nn.Embedding(c["max_position_embeddings"], d)
        m.encoder = nn.Module()
        m.encoder.layers = nn.ModuleList(ClipLayer(c) for _ in range(c["num_hidden_layers"]))
        m.final_layer_norm = nn.LayerNorm(d, eps=c["layer_norm_eps"])
        nn.init.normal_(m.embeddings.token_embedding.weight, std=0.5)
        nn.init.normal_(m.embeddings.position_embedding.weight, std=0.3)

    def forward(self, ids):
        m = self.text_model
        n = ids.shape[1]
        x = m.embeddings.token_embedding(ids) + m.embeddings.position_embedding.weight[:n]
        mask = torch.full((n, n), -1e9, device=ids.device).triu(1)
        for layer in m.encoder.layers:
            x = layer(x, mask)
        return m.final_layer_norm(x)


# --------------------------------------------------------------------------------------------- U-Net

class ResnetBlock2D(nn.Module):
    def __init__(self, cin, cout, temb, groups, eps):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, cin, eps=eps)
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.time_emb_proj = nn.Linear(temb, cout)
        self.norm2 = nn.GroupNorm(groups, cout, eps=eps)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        if cin != cout:
            self.conv_shortcut = nn.Conv2d(cin, cout, 1)

    def forward(self, x, temb):
        h = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x) + h


class GEGLU(nn.Module):
    def __init__(self, dim, inner):
        super().__init__()
        self.proj = nn.Linear(dim, inner * 2)

    def forward(self, x):
        h, gate = self.proj(x).chunk(2, -1)
        return h * F.gelu(gate)


class GeluTanh(nn.Module):
    def __init__(self, dim, inner):
        super().__init__()
        self.proj = nn.Linear(dim, inner)

    def forward(self, x):
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    def __init__(self, dim, act, mult=4):
        super().__init__()
        self.net = nn.ModuleList([act(dim, dim * mult), nn.Identity(), nn.Linear(dim * mult, dim)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class BasicTransformerBlock(nn.Module):
    def __init__(self, dim, heads, context_dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn1 = Attention(dim, dim, heads, False)
        self.norm2 = nn.LayerNorm(dim)
        self.attn2 = Attention(dim, context_dim, heads, False)
        self.norm3 = nn.LayerNorm(dim)
        self.ff = FeedForward(dim, GEGLU)

    def forward(self, x, context):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer2DModel(nn.Module):
    def __init__(self, dim, heads, context_dim, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, dim, eps=1e-6)
        self.proj_in = nn.Conv2d(dim, dim, 1)
        self.transformer_blocks = nn.ModuleList([BasicTransformerBlock(dim, heads, context_dim)])
        self.proj_out = nn.Conv2d(dim, dim, 1)

    def forward(self, x, context):
        b, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(b, h * w, c)
        for block in self.transformer_blocks:
            y = block(y, context)
        return x + self.proj_out(y.reshape(b, h, w, c).permute(0, 3, 1, 2))


class Conv(nn.Module):
    """Down- or upsampler: one 3x3 convolution called `conv`."""

    def __init__(self, ch, stride):
        super().__init__()
        self.conv = nn.Conv2d(ch, ch, 3, stride=stride, padding=1)

    def forward(self, x):
        return self.conv(x)


class UNet2DConditionModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.config = c
        ch, n = c["block_out_channels"], c["layers_per_block"]
        groups, eps, heads, ctx = c["norm_num_groups"], c["norm_eps"], c["attention_head_dim"], c["cross_attention_dim"]
        temb = ch[0] * 4
        self.conv_in = nn.Conv2d(c["in_channels"], ch[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(ch[0], temb)

        def resnet(a, b):
            return ResnetBlock2D(a, b, temb, groups, eps)

        def block(pairs, out, attention):
            m = nn.Module()
            m.resnets = nn.ModuleList(resnet(a, out) for a in pairs)
            if attention:
                m.attentions = nn.ModuleList(Transformer2DModel(out, heads, ctx, groups)
                                             for _ in range(len(pairs) - (1 if attention == "mid" else 0)))
            return m

        self.down_blocks = nn.ModuleList()
        cur, skips = ch[0], [ch[0]]
        for i, (kind, out) in enumerate(zip(c["down_block_types"], ch)):
            m = block([cur if j == 0 else out for j in range(n)], out, "CrossAttn" in kind)
            skips += [out] * n
            if i + 1 < len(ch):
                m.downsamplers = nn.ModuleList([Conv(out, 2)])
                skips.append(out)
            self.down_blocks.append(m)
            cur = out
        self.mid_block = block([cur, cur], cur, "mid")
        self.up_blocks = nn.ModuleList()
        for i, (kind, out) in enumerate(zip(c["up_block_types"], reversed(ch))):
            pairs = []
            for j in range(n + 1):
                pairs.append((cur if j == 0 else out) + skips.pop())
            m = block(pairs, out, "CrossAttn" in kind)
            if i + 1 < len(ch):
                m.upsamplers = nn.ModuleList([Conv(out, 1)])
            self.up_blocks.append(m)
            cur = out
        self.conv_norm_out = nn.GroupNorm(groups, ch[0], eps=eps)
        self.conv_out = nn.Conv2d(ch[0], c["out_channels"], 3, padding=1)
        for m in self.modules():                       # residual branches start small
            if isinstance(m, ResnetBlock2D):
                nn.init.zeros_(m.conv2.weight)
            if isinstance(m, Transformer2DModel):
                m.proj_out.weight.data.mul_(0.1)

    def forward(self, x, t, context):
        temb = self.time_embedding(timestep_embedding(t, self.config["block_out_channels"][0]))
        x = self.conv_in(x)
        skips = [x]
        for m in self.down_blocks:
            for j, r in enumerate(m.resnets):
                x = r(x, temb)
                if hasattr(m, "attentions"):
                    x = m.attentions[j](x, context)
                skips.append(x)
            if hasattr(m, "downsamplers"):
                x = m.downsamplers[0](x)
                skips.append(x)
        m = self.mid_block
        x = m.resnets[1](m.attentions[0](m.resnets[0](x, temb), context), temb)
        for m in self.up_blocks:
            for j, r in enumerate(m.resnets):
                x = r(torch.cat([x, skips.pop()], 1), temb)
                if hasattr(m, "attentions"):
                    x = m.attentions[j](x, context)
            if hasattr(m, "upsamplers"):
                x = m.upsamplers[0](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.conv_norm_out(x)))


# --------------------------------------------------------------------------------------------- diffusion transformer

def sincos_2d(dim, size):
    """(size*size, dim), row-major tokens; first half of dim encodes the column, second half the row; each half is
    [sin(p w_k) | cos(p w_k)], w_k = 10000^(-k/(dim/4))."""
    omega = 1.0 / 10000 ** (np.arange(dim // 4, dtype=np.float64) / (dim / 4.0))

    def one(pos):
        a = np.outer(pos.reshape(-1), omega)
        return np.concatenate([np.sin(a), np.cos(a)], 1)

    col, row = np.meshgrid(np.arange(size, dtype=np.float64), np.arange(size, dtype=np.float64))
    return np.concatenate([one(col), one(row)], 1).astype(np.float32)


class PixArtBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attn1 = Attention(dim, dim, heads, True)
        self.attn2 = Attention(dim, dim, heads, True)
        self.ff = FeedForward(dim, GeluTanh)
        self.scale_shift_table = nn.Parameter(torch.randn(6, dim) / dim ** 0.5)

    def forward(self, x, context, mod):
        d = x.shape[-1]
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.scale_shift_table[None] + mod).chunk(6, 1)
        x = x + gate1 * self.attn1(F.layer_norm(x, (d,), eps=1e-6) * (1 + scale1) + shift1)
        x = x + self.attn2(x, context)
        return x + gate2 * self.ff(F.layer_norm(x, (d,), eps=1e-6) * (1 + scale2) + shift2)


class PixArtTransformer2DModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.config = c
        d = c["num_attention_heads"] * c["attention_head_dim"]
        p, side = c["patch_size"], c["sample_size"] // c["patch_size"]
        self.pos_embed = nn.Module()
        self.pos_embed.proj = nn.Conv2d(c["in_channels"], d, p, stride=p)
        self.register_buffer("pos", torch.from_numpy(sincos_2d(d, side))[None], persistent=False)
        self.adaln_single = nn.Module()
        self.adaln_single.emb = nn.Module()
        self.adaln_single.emb.timestep_embedder = TimestepEmbedding(256, d)
        self.adaln_single.linear = nn.Linear(d, 6 * d)
        self.caption_projection = nn.Module()
        self.caption_projection.linear_1 = nn.Linear(c["caption_channels"], d)
        self.caption_projection.linear_2 = nn.Linear(d, d)
        self.transformer_blocks = nn.ModuleList(PixArtBlock(d, c["num_attention_heads"])
                                                for _ in range(c["num_layers"]))
        self.scale_shift_table = nn.Parameter(torch.randn(2, d) / d ** 0.5)
        self.proj_out = nn.Linear(d, p * p * c["out_channels"])
        for b in self.transformer_blocks:
            b.attn2.to_out[0].weight.data.mul_(0.3)
        self.proj_out.weight.data.mul_(0.1)

    def forward(self, x, t, context):
        c, p = self.config, self.config["patch_size"]
        b, _, h, w = x.shape
        x = self.pos_embed.proj(x).flatten(2).transpose(1, 2) + self.pos
        emb = self.adaln_single.emb.timestep_embedder(timestep_embedding(t, 256))
        mod = self.adaln_single.linear(F.silu(emb)).view(b, 6, -1)
        cp = self.caption_projection
        context = cp.linear_2(F.gelu(cp.linear_1(context), approximate="tanh"))
        for block in self.transformer_blocks:
            x = block(x, context, mod)
        shift, scale = (self.scale_shift_table[None] + emb[:, None]).chunk(2, 1)
        x = self.proj_out(F.layer_norm(x, (x.shape[-1],), eps=1e-6) * (1 + scale) + shift)
        x = x.view(b, h // p, w // p, p, p, c["out_channels"])
        return torch.einsum("nhwpqc->nchpwq", x).reshape(b, c["out_channels"], h, w)
