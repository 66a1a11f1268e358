"""Muon (Jordan et al. 2024) for the matrices of a transformer, in single precision: momentum, then the nearest
orthogonal matrix by five Newton-Schulz steps.  Matrices of one shape are taken together."""
import torch


def orthogonal(m, steps=5):
    """(n, a, b) -> about U V^T of each matrix."""
    tall = m.shape[1] > m.shape[2]
    x = m.transpose(1, 2) if tall else m
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """lr is in AdamW's units: the step of a matrix (a, b) has root mean square 0.2 lr (Liu et al. 2025)."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(tuple(p.shape), []).append(p)
            for (a, b), ps in shapes.items():
                for p in ps:
                    if "momentum" not in self.state[p]:
                        self.state[p]["momentum"] = torch.zeros_like(p)
                g, m = [p.grad for p in ps], [self.state[p]["momentum"] for p in ps]
                torch._foreach_lerp_(m, g, 1 - group["momentum"])
                o = orthogonal(torch.stack(torch._foreach_lerp(g, m, group["momentum"])))
                torch._foreach_mul_(ps, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(ps, list(o.unbind(0)), alpha=-0.2 * max(a, b) ** 0.5 * group["lr"])
