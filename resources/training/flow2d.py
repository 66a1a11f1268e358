"""Four kinds of generative MLP on four 2-D data sets.

    python flow2d.py --out ../models/flow2d [--datasets moons ...] [--steps 4000]

Kinds: 'flow' (flow matching), 'reflow' (2-rectified flow, trained on pairs of 'flow'), 'consistency' (distilled from
'flow'), 'shortcut' (Frans et al. 2024).  All use x_t = (1-t) x0 + t eps, t=1 noise, velocity = eps - x0 = dx/dt.
The README.md in the output folder and the metadata of each file describe them.
"""
import argparse
import copy
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import safetensors_io as st

HIDDEN = 128


def points(name, n, g):
    """n reference points; the formulas are in the README of the models' folder."""
    u, v = torch.rand(n, generator=g), torch.rand(n, generator=g)
    noise = torch.randn(n, 2, generator=g)
    if name == "moons":
        a, first = math.pi * u, v < 0.5
        x = torch.where(first, torch.cos(a), 1 - torch.cos(a)) - 0.5
        y = torch.where(first, torch.sin(a), 0.5 - torch.sin(a)) - 0.25
        return torch.stack([x, y], 1) * 1.4 + 0.08 * noise
    if name == "spiral":
        a = 1.5 * math.pi * (0.15 + 1.85 * u.sqrt())
        r = 2.0 * a / (3 * math.pi)
        return torch.stack([r * torch.cos(a), r * torch.sin(a)], 1) + 0.05 * noise
    if name == "checkerboard":
        k = (8 * torch.rand(n, generator=g)).long().clamp(max=7)       # one of the 8 filled cells
        row = k // 2
        col = 2 * (k % 2) + row % 2
        return torch.stack([col + u - 2, row + v - 2], 1)
    a = 2 * math.pi * (8 * u).long().clamp(max=7) / 8                   # eight-gaussians
    return torch.stack([1.8 * torch.cos(a), 1.8 * torch.sin(a)], 1) + 0.15 * noise


DATASETS = ["moons", "spiral", "checkerboard", "eight-gaussians"]


def wave(s, k):
    """[sin(2^i pi s), cos(2^i pi s)] for i = 0..k-1, interleaved by i: sin0, cos0, sin1, cos1, ..."""
    return torch.cat([f(2 ** i * math.pi * s) for i in range(k) for f in (torch.sin, torch.cos)], 1)


class Net(nn.Module):
    """Input: x, y, sin/cos(pi x/2), sin/cos(pi y/2) pairs at two octaves, t with four octaves, and for shortcut d."""

    def __init__(self, shortcut):
        super().__init__()
        n = 2 + 8 + 9 + (9 if shortcut else 0)
        self.layers = nn.ModuleList([nn.Linear(n, HIDDEN), nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN),
                                     nn.Linear(HIDDEN, 2)])

    def forward(self, x, t, d=None):
        h = [x, wave(x[:, :1] / 2, 2), wave(x[:, 1:] / 2, 2), t, wave(t, 4)]
        if d is not None:
            h += [d, wave(d, 4)]
        h = torch.cat(h, 1)
        for layer in self.layers[:-1]:
            h = F.silu(layer(h))
        return self.layers[-1](h)


@torch.no_grad()
def integrate(net, x, steps, step_input=False):
    """Euler from t=1 to 0."""
    for i in range(steps):
        t = torch.full((len(x), 1), 1 - i / steps)
        d = torch.full_like(t, 1 / steps)
        x = x - net(x, t, d if step_input else None) / steps
    return x


def train(kind, data, steps, batch, g, teacher=None):
    net = copy.deepcopy(teacher) if kind in ("reflow", "consistency") else Net(kind == "shortcut")
    ema = copy.deepcopy(net)
    opt = torch.optim.Adam(net.parameters(), 2e-3, fused=True)
    if kind == "reflow":
        z = torch.randn(60000, 2, generator=g)
        pairs = (z, integrate(teacher, z, 50))
    if kind == "consistency":
        target = copy.deepcopy(net)
    mean = 0.0
    for step in range(steps):
        for group in opt.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps)) + 1e-6
        if kind == "reflow":
            i = torch.randint(len(pairs[0]), (batch,), generator=g)
            eps, x0 = pairs[0][i], pairs[1][i]
        else:
            x0 = data[torch.randint(len(data), (batch,), generator=g)]
            eps = torch.randn(batch, 2, generator=g)
        t = torch.rand(batch, 1, generator=g)
        xt = (1 - t) * x0 + t * eps
        if kind in ("flow", "reflow"):
            loss = F.mse_loss(net(xt, t), eps - x0)
        elif kind == "consistency":
            # f(x, t) = x - t F(x, t); f at t must equal f at t-h, where x_{t-h} comes from a Heun step of the teacher.
            n = 40
            i = torch.randint(1, n + 1, (batch, 1), generator=g)
            t, s = i / n, (i - 1) / n
            xt = (1 - t) * x0 + t * eps
            with torch.no_grad():
                u = teacher(xt, t)
                xs = xt + (s - t) * 0.5 * (u + teacher(xt + (s - t) * u, s))
                goal = xs - s * target(xs, s)
            loss = ((xt - t * net(xt, t) - goal) ** 2 + 1e-4).sqrt().mean()
        else:
            # three quarters: flow matching with d = 0; one quarter: a step of 2d equals two steps of d.
            k = batch // 4
            d = 2.0 ** -torch.randint(1, 8, (k, 1), generator=g)       # 1/2 .. 1/128; trained at 2d
            m = (1 / (2 * d)).long()
            tt = (1 + (torch.rand(k, 1, generator=g) * m).long().clamp(max=m - 1)) * 2 * d
            xx = (1 - tt) * x0[:k] + tt * eps[:k]
            with torch.no_grad():
                da = torch.where(d <= 1 / 128, torch.zeros_like(d), d)
                a = ema(xx, tt, da)
                goal = 0.5 * (a + ema(xx - d * a, tt - d, da))
            dd = torch.cat([2 * d, torch.zeros(batch - k, 1)])
            out = net(torch.cat([xx, xt[k:]]), torch.cat([tt, t[k:]]), dd)
            loss = F.mse_loss(out, torch.cat([goal, (eps - x0)[k:]]))
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            decay = min(0.998, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), 1 - decay)
            if kind == "consistency":
                torch._foreach_lerp_(list(target.parameters()), list(net.parameters()), 0.05)
        mean += (loss.item() - mean) * max(0.01, 1 / (step + 1))
    return ema, mean


def distance(a, b, n=1500):
    """Energy distance of two point sets (0 = the same distribution)."""
    a, b = a[:n], b[:n]
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


@torch.no_grad()
def generate(kind, net, x, steps):
    if kind == "consistency":                       # multi-step: denoise, add noise for the next t, ...
        for i in range(steps):
            t = 1 - i / steps
            tt = torch.full((len(x), 1), t)
            x0 = x - t * net(x, tt)
            s = 1 - (i + 1) / steps
            x = (1 - s) * x0 + s * torch.randn(x.shape, generator=torch.Generator().manual_seed(i))
        return x0
    return integrate(net, x, steps, kind == "shortcut")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--datasets", nargs="*", default=DATASETS)
    ap.add_argument("--steps", type=int, default=4000)
    ap.add_argument("--batch", type=int, default=768)
    ap.add_argument("--seed", type=int, default=3)
    ap.add_argument("--picture", help="PNG with samples of all models")
    a = ap.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    os.makedirs(a.out, exist_ok=True)
    rows = []
    for name in a.datasets:
        torch.manual_seed(a.seed)
        g = torch.Generator().manual_seed(a.seed)
        data = points(name, 100000, g)
        reference, flow, row = points(name, 4000, g), None, [points(name, 2000, g)]
        for kind in ("flow", "reflow", "consistency", "shortcut"):
            start = time.time()
            steps = a.steps * 3 // 2 if kind == "shortcut" else a.steps
            net, loss = train(kind, data, steps, a.batch, g, flow)
            flow = net if kind == "flow" else flow
            z = torch.randn(2000, 2, generator=g)
            marks = {str(k): round(distance(generate(kind, net, z, k), reference), 4) for k in (1, 2, 4, 16, 64)}
            row += [generate(kind, net, z, 1), generate(kind, net, z, 4 if kind in ("consistency", "shortcut") else 32)]
            about = {
                "format": "meander-mlp2d", "version": 1, "kind": kind, "dataset": name,
                "layers": [net.layers[0].in_features, HIDDEN, HIDDEN, HIDDEN, 2], "activation": "silu",
                "tensors": "layers.{i}.weight (out,in) and layers.{i}.bias; y = W h + b; silu after all but the last",
                "inputs": ["x", "y"]
                + [f"{f}(2^{i}*pi*{v}/2)" for v in "xy" for i in range(2) for f in ("sin", "cos")]
                + ["t"] + [f"{f}(2^{i}*pi*t)" for i in range(4) for f in ("sin", "cos")]
                + (["d"] + [f"{f}(2^{i}*pi*d)" for i in range(4) for f in ("sin", "cos")] if kind == "shortcut" else []),
                "time": "x_t = (1-t)*x0 + t*eps, t in [0,1], t=1 is noise N(0,I); the data have the scale 1",
                "output": {"flow": "velocity u = eps - x0 = dx/dt", "reflow": "velocity u = eps - x0 = dx/dt",
                           "consistency": "F; denoised x0 = x - t*F(x,t)",
                           "shortcut": "velocity s(x,t,d); a step is x_{t-d} = x_t - d*s(x_t,t,d); "
                                       "d=0 is the instantaneous velocity; d = 1, 1/2, ..., 1/64, and t a multiple of d"}[kind],
                "data_scale": 1.0, "training_steps": steps, "batch": a.batch, "seed": a.seed,
                "final_loss": round(loss, 5), "energy_distance_by_steps": marks,
                "teacher": None if kind in ("flow", "shortcut") else f"{name}-flow"}
            # golden values for a loader's test
            q = torch.tensor([[0.3, -0.7], [-1.2, 0.4], [0.0, 0.0]])
            tq, dq = torch.tensor([[0.9], [0.5], [0.125]]), torch.tensor([[0.5], [0.25], [0.0]])
            with torch.no_grad():
                y = net(q, tq, dq if kind == "shortcut" else None)
            about["golden"] = {"xy": q.tolist(), "t": tq[:, 0].tolist(), "d": dq[:, 0].tolist(), "out": y.tolist()}
            st.save(f"{a.out}/{name}-{kind}.safetensors",
                    {k: v.detach().numpy() for k, v in net.state_dict().items()}, {"meander": json.dumps(about)})
            print(f"{name} {kind}: {time.time() - start:.0f}s loss {loss:.4f} energy distance {marks}", flush=True)
        rows.append(row)
    if a.picture:
        import cv2
        def draw(p):
            img = np.full((160, 160), 255, np.uint8)
            ij = ((p.numpy() + 2.6) / 5.2 * 160).clip(0, 159).astype(int)
            img[159 - ij[:, 1], ij[:, 0]] = 0
            return cv2.copyMakeBorder(img, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=128)
        cv2.imwrite(a.picture, np.concatenate([np.concatenate([draw(p) for p in r], 1) for r in rows], 0))


if __name__ == "__main__":
    main()
