"""The peer beside `meander-run bench floor`: diffusers' own networks in PyTorch f32 with random weights, same shapes, same threads.

    python bench_peer.py [sd15|dit-xl2] [--threads 2] [--runs 3]

Prints the shortest of the runs in seconds, for both memory layouts of the U-Net.
"""
import argparse
import resource
import time

import torch


def sd15():
    from diffusers import UNet2DConditionModel
    net = UNet2DConditionModel(sample_size=64, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=(320, 640, 1280, 1280),
                               down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
                               up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, cross_attention_dim=768, attention_head_dim=8)
    x, context = torch.randn(1, 4, 64, 64), torch.randn(1, 77, 768)
    return net, lambda: net(x, 500, encoder_hidden_states=context).sample, x


def dit_xl2():
    sizes = dict(num_attention_heads=16, attention_head_dim=72, in_channels=4, out_channels=8, num_layers=28, sample_size=32, patch_size=2,
                 num_embeds_ada_norm=1000)
    try:
        from diffusers import DiTTransformer2DModel
        net = DiTTransformer2DModel(**sizes)
    except ImportError:  # before diffusers 0.29 the same network went by its general name
        from diffusers import Transformer2DModel
        net = Transformer2DModel(**sizes, norm_type="ada_norm_zero", norm_elementwise_affine=False, attention_bias=True, activation_fn="gelu-approximate")
    x = torch.randn(2, 4, 32, 32)
    t, label = torch.tensor([500, 500]), torch.tensor([1, 2])
    return net, lambda: net(x, timestep=t, class_labels=label).sample, x


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("network", nargs="?", default="sd15", choices=["sd15", "dit-xl2"])
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--runs", type=int, default=3)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    net, run, _ = {"sd15": sd15, "dit-xl2": dit_xl2}[a.network]()
    net.eval()
    for layout in (torch.contiguous_format, torch.channels_last):
        net.to(memory_format=layout)
        with torch.inference_mode():
            run()
            times = []
            for _ in range(a.runs):
                start = time.time()
                run()
                times.append(time.time() - start)
        print(f"{a.network}, PyTorch {torch.__version__} f32, {a.threads} threads, {str(layout)[6:]}: {min(times):.2f} s, "
              f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20:.1f} GB", flush=True)


if __name__ == "__main__":
    main()
