"""Samplers and the codec in the same conventions as the program's."""
import numpy as np
import torch
import torch.nn.functional as F

import configs

AB = torch.from_numpy(configs.alphas_cumprod()).float()


def encode(pixels01):
    return F.pixel_unshuffle(pixels01 * 2 - 1, 2)


def decode(state):
    return (F.pixel_shuffle(state, 2) * 0.5 + 0.5).clamp(0, 1)


def guided(net, x, t, cond, uncond, w):
    """Classifier-free guidance: out = uncond + w (cond - uncond); w = 1 needs one evaluation."""
    if w == 1:
        return net(x, t, cond)
    a, b = net(torch.cat([x, x]), torch.cat([t, t]), torch.cat([cond, uncond])).chunk(2)
    return b + w * (a - b)


def x0_eps(v, x, ab):
    return ab.sqrt() * x - (1 - ab).sqrt() * v, ab.sqrt() * v + (1 - ab).sqrt() * x


def trailing(steps, n=configs.TRAIN_T):
    return (np.round(np.arange(n, 0, -n / steps)) - 1).astype(np.int64)


@torch.no_grad()
def ddim(net, x, cond, uncond, w, steps=20):
    ts = trailing(steps)
    for i, t in enumerate(ts):
        x0, eps = x0_eps(guided(net, x, torch.full((len(x),), int(t)), cond, uncond, w), x, AB[t])
        ab = AB[ts[i + 1]] if i + 1 < len(ts) else torch.tensor(1.0)
        x = ab.sqrt() * x0 + (1 - ab).sqrt() * eps
    return x


@torch.no_grad()
def dpmpp_2m(net, x, cond, uncond, w, steps=20, ts=None):
    """DPM-Solver++ (2M) on the same time steps (or on ts, falling), with x0 as the last step."""
    ts, last = trailing(steps) if ts is None else ts, None
    for i, t in enumerate(ts):
        x0, _ = x0_eps(guided(net, x, torch.full((len(x),), int(t)), cond, uncond, w), x, AB[t])
        if i + 1 == len(ts):
            return x0
        a0, a1 = AB[t], AB[ts[i + 1]]
        lam0, lam1 = 0.5 * torch.log(a0 / (1 - a0)), 0.5 * torch.log(a1 / (1 - a1))
        h, d = lam1 - lam0, x0
        if last is not None:
            r = last[1] / h
            d = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * last[0]
        x = ((1 - a1) / (1 - a0)).sqrt() * x - a1.sqrt() * torch.expm1(-h) * d
        last = (x0, h)


@torch.no_grad()
def flow_euler(net, x, cond, uncond, w, steps=20):
    """x_t = (1-t) data + t noise, network = noise - data; sigmas 1 -> 0 in equal steps."""
    s = torch.linspace(1, 0, steps + 1)
    for i in range(steps):
        t = torch.full((len(x),), float(s[i]) * configs.TRAIN_T)
        x = x + (s[i + 1] - s[i]) * guided(net, x, t, cond, uncond, w)
    return x


def lcm_boundary(t, sigma_data=0.5, scaling=10.0):
    s = t.float() * scaling
    c_skip = sigma_data ** 2 / (s ** 2 + sigma_data ** 2)
    c_out = s / (s ** 2 + sigma_data ** 2) ** 0.5
    return c_skip[:, None, None, None], c_out[:, None, None, None]


def lcm_timesteps(steps, original=50, n=configs.TRAIN_T):
    """diffusers' LCMScheduler.set_timesteps with strength 1."""
    k = n // original
    origin = (np.arange(1, original + 1) * k - 1)[::-1]
    idx = np.floor(np.linspace(0, len(origin), num=steps, endpoint=False)).astype(np.int64)
    return origin[idx]


@torch.no_grad()
def lcm(net, x, cond, steps=4, generator=None):
    ts = lcm_timesteps(steps)
    for i, t in enumerate(ts):
        tt = torch.full((len(x),), int(t))
        x0, _ = x0_eps(net(x, tt, cond), x, AB[t])
        c_skip, c_out = lcm_boundary(tt)
        den = c_out * x0 + c_skip * x
        if i + 1 == len(ts):
            return den
        ab = AB[ts[i + 1]]
        x = ab.sqrt() * den + (1 - ab).sqrt() * torch.randn(x.shape, generator=generator)
