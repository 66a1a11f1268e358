"""Measures the fidelity of exported models and writes it into their model_index.json.

    python measure.py ../models [--models sprites-unet ...] [--count 500] [--write] [--table] [--grids FOLDER]
"""
import argparse
import time

import torch

import configs
import diffusion
from make_golden import load
from train import evaluate


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder")
    ap.add_argument("--models", nargs="*", default=["sprites-unet", "sprites-lcm", "sprites-dit"])
    ap.add_argument("--count", type=int, default=500)
    ap.add_argument("--write", action="store_true")
    ap.add_argument("--table", action="store_true", help="more samplers, steps and guidance weights")
    ap.add_argument("--grids", help="folder for picture grids")
    a = ap.parse_args()
    torch.set_flush_denormal(True)
    cases = {"unet": [("ddim", 2.0, 20)], "lcm": [("lcm", 1.0, 4)], "dit": [("euler", 2.0, 20)]}
    if a.table:
        cases = {"unet": [("ddim", 1.0, 20), ("ddim", 1.5, 20), ("ddim", 2.0, 20), ("ddim", 3.0, 20), ("ddim", 5.0, 20), ("ddim", 2.0, 50),
                          ("dpmpp_2m", 2.0, 10), ("dpmpp_2m", 2.0, 20)],
                 "lcm": [("lcm", 1.0, n) for n in (1, 2, 4, 8)],
                 "dit": [("euler", 1.0, 20), ("euler", 2.0, 20), ("euler", 3.0, 20), ("euler", 5.0, 20),
                         ("euler", 3.0, 10), ("euler", 3.0, 50)]}
    samplers = {"ddim": diffusion.ddim, "dpmpp_2m": diffusion.dpmpp_2m, "euler": diffusion.flow_euler, "lcm": None}
    for name in a.models:
        folder = f"{a.folder}/{name}"
        kind, net, text, tok, index = load(folder)
        for k, (sampler, w, steps) in enumerate(cases[kind]):
            start = time.time()
            grid = f"{a.grids}/{name}-{sampler}-w{w:g}-{steps}.png" if a.grids else None
            f, faults = evaluate(kind, net, text, tok, a.count, w, steps, sampler=samplers[sampler], grid=grid)
            print(f"| {name} | {sampler} | {steps} | {w:g} | {100 * f:.1f} % | {dict(list(faults.items())[:5])} "
                  f"{time.time() - start:.0f}s", flush=True)
            if a.write and (sampler, w, steps) in (("ddim", 2.0, 20), ("lcm", 1.0, 4), ("euler", 2.0, 20)):
                index["meander"].update(fidelity=round(f, 4), fidelity_count=a.count, fidelity_sampler=sampler,
                                        fidelity_steps=steps, fidelity_guidance=w)
                configs.write_json(f"{folder}/model_index.json", index)


if __name__ == "__main__":
    main()
