"""Consistency distillation of sprites-unet into sprites-lcm, guidance weight fixed.

    python train_lcm.py --work WORKDIR --models ../models --minutes 20 [--rank R --world W]

A consistency model maps a noised picture to the end of the teacher's trajectory through it (Song et al. 2023, definition
1).  The teacher is cheap here, so the student learns that map directly from trajectories that the teacher (with guidance
w) carries out to their ends, and not by bootstrapping from its own answers as latent consistency distillation does (Luo
et al. 2023): no error builds up along the chain.  Parametrization, boundary and sampling are those of LCM.  The pairs
(state, end) are kept in a pool that is renewed while the student learns.
"""
import argparse
import copy
import os
import time

import torch
import torch.nn.functional as F

import configs
import diffusion
from make_golden import load
from train import Data, evaluate


FOUR = diffusion.lcm_timesteps(4)


def denoise(net, x, t, cond):
    """LCM boundary around the x0 that follows from v."""
    x0, _ = diffusion.x0_eps(net(x, t, cond), x, diffusion.AB[t][:, None, None, None])
    c_skip, c_out = diffusion.lcm_boundary(t)
    return c_out * x0 + c_skip * x


def trajectory_end(net, x, t, cond, uncond, w):
    """DPM-Solver++ (2M) from training step t to the data, about 80 training steps at a time."""
    n = max(3, round(t / 80))
    ts = torch.linspace(t, 0, n + 1).round().long()[:n].tolist()
    ts[-1] = max(ts[-1], 1)
    return diffusion.dpmpp_2m(net, x, cond, uncond, w, ts=ts)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", required=True)
    ap.add_argument("--models", required=True)
    ap.add_argument("--minutes", type=float, default=20)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--lr", type=float, default=4e-4)
    ap.add_argument("--guidance", type=float, default=2.0)
    ap.add_argument("--pool", type=int, default=8000, help="pairs that are kept")
    ap.add_argument("--renew", type=int, default=64, help="pairs that the teacher makes at a time")
    ap.add_argument("--every", type=int, default=8, help="steps of the student between them")
    ap.add_argument("--threads", type=int, default=0, help="threads of this process (0: PyTorch's own choice)")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--pictures", type=int, default=40000)
    ap.add_argument("--rank", type=int, default=0)
    ap.add_argument("--world", type=int, default=1)
    ap.add_argument("--untrained", action="store_true", help="export the teacher as it is and stop")
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    torch.set_flush_denormal(True)
    if a.threads:
        torch.set_num_threads(a.threads)
    if a.world > 1:
        torch.set_num_threads(1)
        torch.distributed.init_process_group("gloo", f"file://{os.path.abspath(a.work)}.rendezvous", rank=a.rank,
                                             world_size=a.world)
    os.makedirs(a.work, exist_ok=True)
    source = f"{a.models}/sprites-unet"
    _, teacher, text, tok, _ = load(source)
    text_cfg = configs.text_config(tok)
    net = copy.deepcopy(teacher)
    for m in (net, teacher):
        m.to(memory_format=torch.channels_last)
    teacher.requires_grad_(False)
    ema = copy.deepcopy(net).requires_grad_(False)
    params = list(net.parameters())
    opt = torch.optim.AdamW(params, a.lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    step, spent, ckpt = 0, 0.0, f"{a.work}/checkpoint.pt"
    if os.path.exists(ckpt):
        c = torch.load(ckpt, map_location="cpu")
        for name, m in (("net", net), ("ema", ema), ("opt", opt)):
            m.load_state_dict(c[name])
        step, spent = c["step"], c["spent"]

    def export(info):
        configs.export(f"{a.models}/sprites-lcm", "lcm", f"{source}/tokenizer", text_cfg, text.state_dict(),
                       teacher.config, ema.state_dict(),
                       dict(info, guidance_embedded=a.guidance, training_steps=step, batch=a.batch * a.world, seed=a.seed))

    if a.untrained:
        return export({"fidelity": 0.0})
    data = Data(a.pictures, a.seed, tok, f"{a.work}/..")
    g = torch.Generator().manual_seed(a.seed + step + 1000003 * a.rank)
    with torch.no_grad():
        uncond = text(torch.tensor([tok.encode("")]))
    pool = []                                                            # (state, t, text, end) of so many pairs each

    def renew():
        """One noise level at a time: usually one of the four that LCM's 4 steps visit, else any of the 50-step grid."""
        x0, ids, _, _, _ = data.batch(a.renew, g, 0.0)
        four = torch.rand((), generator=g) < 0.6
        pick = torch.rand((), generator=g)
        t = int(FOUR[int(pick * 4)]) if four else 20 * int(50 * pick ** 0.7) + 19
        ab = diffusion.AB[t]
        xt = ab.sqrt() * x0 + (1 - ab).sqrt() * torch.randn(x0.shape, generator=g)
        with torch.no_grad():
            cond = text(ids)
            end = trajectory_end(teacher, xt, t, cond, uncond.expand(len(x0), -1, -1), a.guidance)
        pool.append((xt, torch.full((len(x0),), t), cond, end))
        if len(pool) * a.renew > a.pool:
            pool.pop(0)

    while len(pool) * a.renew < a.pool // 8:
        renew()
    t_last, saved, total, count = time.time(), time.time(), 0.0, 0
    while spent < a.minutes * 60:
        frac = spent / (a.minutes * 60)
        for group in opt.param_groups:
            group["lr"] = a.lr * min(1, (step + 1) / 50) * min(1, (1 - frac) / 0.5 + 0.01)
        if step % a.every == 0:
            renew()
        rows = [torch.randint(n, (a.batch,), generator=g) for n in (len(pool), a.renew)]
        xt, t, cond, goal = (torch.stack([pool[i][part][j] for i, j in zip(*rows)]) for part in range(4))
        xt = xt.contiguous(memory_format=torch.channels_last)
        d = denoise(net, xt, t, cond) - goal
        loss = ((d * d + 1e-3 ** 2).sqrt() - 1e-3).mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        now = time.time()
        spent, t_last = spent + min(now - t_last, 20), now      # a pause of the process is not training time
        if a.world > 1:
            grads = [p.grad for p in params] + [torch.tensor([spent])]
            flat = torch.cat([x.reshape(-1) for x in grads])
            torch.distributed.all_reduce(flat)
            flat /= a.world
            for x, y in zip(grads, flat.split([x.numel() for x in grads])):
                x.copy_(y.view_as(x))
            spent = float(grads[-1])
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), params, max(0.005, 1 / (step + 2)))
        step += 1
        total, count = total + loss.item(), count + 1
        if a.rank:
            continue
        if step % 50 == 0:
            print(f"{time.strftime('%H:%M:%S')} step {step} spent {spent:.0f}s loss {total / count:.4f}", flush=True)
            total, count = 0.0, 0
        last = spent >= a.minutes * 60
        if time.time() - saved > 300 or last:
            f, faults = evaluate("lcm", ema, text, tok, 60 if last else 20, 1, 4, grid=f"{a.work}/grid.png")
            print(f"   fidelity {f:.3f} {faults}", flush=True)
            torch.save({"net": net.state_dict(), "ema": ema.state_dict(),
                        "opt": opt.state_dict(), "step": step, "spent": spent}, ckpt + ".new")
            os.replace(ckpt + ".new", ckpt)
            export({"fidelity": f, "recommended": {"guidance": 1.0, "steps": 4}})
            saved = time.time()
    print("finished", flush=True)


if __name__ == "__main__":
    main()
