"""Trains sprites-unet (kind 'unet', v-prediction) or sprites-dit (kind 'dit', rectified flow).

    python train.py unet --work WORKDIR --models ../models --minutes 45

The learning rate follows the time spent (warm-up, constant, linear decay over the last 40 % of --minutes); the state
is saved every few minutes to WORKDIR and taken up again from there; finished weights (EMA) go to --models.
"""
import argparse
import copy
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import checker
import configs
import diffusion
import models
import muon
import scene
import tokenizer


def word_places(prompts):
    """Places in the token row of (colour, shape) of each object and of (colour, 'background'); (n,3,2)."""
    out = np.zeros((len(prompts), 3, 2), np.int64)
    for i, p in enumerate(prompts):
        w = p.split()
        shapes = [k for k, x in enumerate(w) if x in scene.SHAPES]
        b = len(w) - 1
        rows = [(b - 1, b), (shapes[0] - 1, shapes[0]), (shapes[-1] - 1, shapes[-1])]
        out[i] = np.array(rows) + 1                                  # + BOS
    return out


class Data:
    def __init__(self, n, seed, tok, folder):
        cache = f"{folder}/pictures-{n}-{seed}.npz"
        if not os.path.exists(cache):
            pictures, prompts, owner = scene.dataset(n, seed)
            np.savez(f"{cache}.{os.getpid()}.npz", pictures=pictures, prompts=np.array(prompts), owner=owner)
            os.replace(f"{cache}.{os.getpid()}.npz", cache)
        c = np.load(cache)
        pictures, prompts, owner = c["pictures"], c["prompts"].tolist(), c["owner"]
        self.pixels, self.owner = torch.from_numpy(pictures), torch.from_numpy(owner).long()
        self.ids = torch.tensor([tok.encode(p) for p in prompts])
        self.places = torch.from_numpy(word_places(prompts))
        self.empty = torch.tensor(tok.encode(""))
        self.n = n

    def batch(self, size, g, dropout=0.1):
        i = torch.randint(self.n, (size,), generator=g)
        x = diffusion.encode(self.pixels[i].float() / 255)
        drop = torch.rand(size, generator=g) < dropout
        return x, torch.where(drop[:, None], self.empty, self.ids[i]), self.places[i], self.owner[i], ~drop


def attention_loss(kept, places, owner, use):
    """Cross-entropy between each place's mean-over-heads attention and the two words that describe it."""
    total = 0.0
    for p in kept:
        p = p.mean(1)
        side = int(p.shape[1] ** 0.5)
        own = owner[:, ::16 // side, ::16 // side].reshape(len(owner), -1)
        words = torch.gather(places, 1, own[..., None].expand(-1, -1, 2))              # (B, pixels, 2)
        ce = -torch.log(torch.gather(p, 2, words) + 1e-4).mean(-1)
        weight = torch.where(own > 0, 2.0, 0.5) * use[:, None]
        total = total + (ce * weight).sum() / weight.sum().clamp(min=1)
    return total / max(len(kept), 1)


def supervised(kind, net):
    if kind == "dit":
        return [b.attn2 for b in net.transformer_blocks[2:4]]
    return [a.transformer_blocks[0].attn2 for a in net.up_blocks[0].attentions]


def evaluate(kind, net, text, tok, n, w, steps, seed=99, sampler=None, grid=None):
    """Share of faithful pictures for n random prompts."""
    rng = np.random.default_rng(seed)
    prompts = [scene.prompt_of(scene.random_scene(rng)) for _ in range(n)]
    g = torch.Generator().manual_seed(seed)
    good, faults, pics = 0, {}, []
    sampler = sampler or (diffusion.flow_euler if kind == "dit" else diffusion.ddim)
    with torch.no_grad():
        for k in range(0, n, 50):
            part = prompts[k:k + 50]
            cond = text(torch.tensor([tok.encode(p) for p in part]))
            uncond = text(torch.tensor([tok.encode("")])).expand(len(part), -1, -1)
            x = torch.randn(len(part), 12, 16, 16, generator=g)
            if kind == "lcm":
                y = diffusion.lcm(net, x, cond, steps, g)
            else:
                y = sampler(net, x, cond, uncond, w, steps)
            for p, img in zip(part, diffusion.decode(y).numpy()):
                img = checker.to_uint8(img)
                v = checker.verdict(img, p)
                good += v == "ok"
                key = v if len(v) < 22 or v.startswith("object of") else v.split()[0]
                faults[key] = faults.get(key, 0) + 1
                pics.append(img)
    if grid:
        import cv2
        rows = [np.concatenate(pics[r:r + 10], 1) for r in range(0, min(40, len(pics)) // 10 * 10, 10)]
        img = cv2.resize(np.concatenate(rows, 0), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(grid, img[..., ::-1])
        with open(grid + ".txt", "w") as f:
            f.write("\n".join(prompts[:40]))
    return good / n, dict(sorted(faults.items(), key=lambda kv: -kv[1]))


def make_tokenizer(folder):
    if not os.path.exists(f"{folder}/vocab.json"):
        tokenizer.save(folder, tokenizer.train([scene.prompt_of(s) for s in scene.all_scenes()]))
    return tokenizer.Tokenizer(folder)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("kind", choices=["unet", "dit"])
    ap.add_argument("--work", required=True)
    ap.add_argument("--models", required=True)
    ap.add_argument("--minutes", type=float, default=45)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--lr", type=float, default=1.5e-3)
    ap.add_argument("--muon", type=float, default=0, help="learning rate of Muon for the matrices of the transformer's blocks (0: AdamW)")
    ap.add_argument("--threads", type=int, default=0, help="threads of this process (0: PyTorch's own choice)")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--pictures", type=int, default=40000)
    ap.add_argument("--attention-weight", type=float, default=0.05)
    ap.add_argument("--text-from", help="a model folder whose text encoder is the starting point (and is trained further)")
    ap.add_argument("--rank", type=int, default=0, help="data parallel: number of this process")
    ap.add_argument("--world", type=int, default=1, help="data parallel: processes; --batch counts for each")
    ap.add_argument("--untrained", action="store_true", help="export the initial weights and stop")
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
    tok_dir = f"{a.work}/../tokenizer"
    tok = make_tokenizer(tok_dir)
    text_cfg = configs.text_config(tok)
    text = models.TextEncoder(text_cfg)
    net_cfg = configs.DIT if a.kind == "dit" else configs.UNET
    net = (models.PixArtTransformer2DModel if a.kind == "dit" else models.UNet2DConditionModel)(net_cfg)
    if a.text_from:
        configs.load_state(text, f"{a.text_from}/text_encoder/model.safetensors")
    both = torch.nn.ModuleDict({"text": text, "net": net})
    if a.kind == "unet":
        net.to(memory_format=torch.channels_last)
    ema = copy.deepcopy(both).requires_grad_(False)
    params = [p for p in both.parameters() if p.requires_grad]
    matrices = [p for name, p in both.named_parameters() if a.muon and "transformer_blocks" in name and name.endswith("weight")]
    chosen = {id(p) for p in matrices}
    opts = [torch.optim.AdamW([p for p in params if id(p) not in chosen], a.lr, betas=(0.9, 0.98), weight_decay=0.01, fused=True)]
    if matrices:
        opts.append(muon.Muon(matrices, a.muon))
    for o in opts:
        for group in o.param_groups:
            group["peak"] = group["lr"]
    step, spent, ckpt = 0, 0.0, f"{a.work}/checkpoint.pt"
    if os.path.exists(ckpt):
        c = torch.load(ckpt, map_location="cpu")
        both.load_state_dict(c["both"]); ema.load_state_dict(c["ema"])
        for o, state in zip(opts, c["opt"]):
            o.load_state_dict(state)
        step, spent = c["step"], c["spent"]

    def export(info):
        configs.export(f"{a.models}/sprites-{a.kind}", a.kind, tok_dir, text_cfg, ema["text"].state_dict(), net_cfg,
                       ema["net"].state_dict(), dict(info, training_steps=step, batch=a.batch * a.world, seed=a.seed))

    if a.untrained:
        return export({"fidelity": 0.0})
    data = Data(a.pictures, a.seed, tok, f"{a.work}/..")
    g = torch.Generator().manual_seed(a.seed + step + 1000003 * a.rank)
    watch = supervised(a.kind, net) if a.attention_weight > 0 else []
    ema_params, live = list(ema.parameters()), list(both.parameters())
    t_last, saved, sums = time.time(), time.time(), [0.0, 0.0, 0]
    print(f"{sum(p.numel() for p in net.parameters())} parameters, from step {step}", flush=True)
    while spent < a.minutes * 60:
        frac = spent / (a.minutes * 60)
        rate = min(1, (step + 1) / 200) * min(1, (1 - frac) / 0.4 + 0.01)
        for group in (one for o in opts for one in o.param_groups):
            group["lr"] = group["peak"] * rate
        x0, ids, places, owner, use = data.batch(a.batch, g)
        eps = torch.randn(x0.shape, generator=g)
        u = torch.rand(len(x0), generator=g)
        if a.kind == "unet":
            t = (1000 * u ** (0.7 if frac < 0.6 else 1.1)).long().clamp(max=999)   # layout first, then detail
            ab = diffusion.AB[t][:, None, None, None]
            xt, target = ab.sqrt() * x0 + (1 - ab).sqrt() * eps, ab.sqrt() * eps - (1 - ab).sqrt() * x0
        else:
            t = u ** (0.6 if frac < 0.5 else 1.0)                                  # layout first, then detail
            s = t[:, None, None, None]
            xt, target, t = (1 - s) * x0 + s * eps, eps - x0, t * 1000
        if a.kind == "unet":
            xt = xt.contiguous(memory_format=torch.channels_last)
        kept = []
        for m in watch:
            m.keep = kept
        context = text(ids)
        out = net(xt, t, context)
        loss = F.mse_loss(out, target)
        al = attention_loss(kept, places, owner, use.float()) if watch else torch.zeros(())
        for m in watch:
            m.keep = None
        both.zero_grad(set_to_none=True)
        (loss + a.attention_weight * al).backward()
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
        for o in opts:
            o.step()
        with torch.no_grad():
            decay = min(0.998, (1 + step) / (10 + step))
            torch._foreach_mul_(ema_params, decay)
            torch._foreach_add_(ema_params, live, alpha=1 - decay)
        step += 1
        sums[0] += loss.item(); sums[1] += al.item(); sums[2] += 1
        if a.rank:
            continue
        now = time.time()
        if step % 100 == 0:
            print(f"{time.strftime('%H:%M:%S')} step {step} spent {spent:.0f}s loss {sums[0] / sums[2]:.4f} "
                  f"attention {sums[1] / sums[2]:.3f} lr {a.lr * rate:.2e}", flush=True)
            sums = [0.0, 0.0, 0]
        if now - saved > 300 or spent >= a.minutes * 60:
            last = spent >= a.minutes * 60
            f, faults = evaluate(a.kind, ema["net"], ema["text"], tok, 60 if last else 20, 2.0, 20 if last else 12,
                                 grid=f"{a.work}/grid.png")
            print(f"   fidelity {f:.3f} {faults}", flush=True)
            torch.save({"both": both.state_dict(), "ema": ema.state_dict(), "opt": [o.state_dict() for o in opts], "step": step,
                        "spent": spent}, ckpt + ".new")
            os.replace(ckpt + ".new", ckpt)
            export({"fidelity": f, "recommended": {"guidance": 2.0, "steps": 20}})
            saved = time.time()
    print("finished", flush=True)


if __name__ == "__main__":
    main()
