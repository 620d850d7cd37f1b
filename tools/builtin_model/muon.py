"""Optimizer: Muon (orthogonalised momentum, Keller Jordan 2024) for matrices and convolutions, AdamW for everything else."""

from collections import defaultdict

import torch


def orthogonalise(g):
    """Newton-Schulz iteration: (n, rows, cols) -> nearly the nearest semi-orthogonal matrices; the quintic's coefficients are the published ones."""
    tall = g.shape[1] > g.shape[2]
    x = (g.mT if tall else g).to(torch.bfloat16 if g.is_cuda else g.dtype)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(4):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.mT if tall else x).to(g.dtype)


class Optimizer:
    """Both optimizers under one schedule; `plain` names parameters that AdamW should take although they are matrices."""

    def __init__(self, named_parameters, muon_lr, adam_lr, plain=(), momentum=.95, weight_decay=.01):
        self.muon_lr, self.adam_lr, self.momentum, self.weight_decay = muon_lr, adam_lr, momentum, weight_decay
        self.matrices, others = defaultdict(list), []  # one batched iteration per shape
        for name, p in named_parameters:
            if p.ndim < 2 or any(key in name for key in plain):
                others.append(p)
            else:
                self.matrices[(p.shape[0], p[0].numel())].append(p)
        self.buffers = {shape: torch.zeros(len(ps), *shape, device=ps[0].device) for shape, ps in self.matrices.items()}
        self.adam = torch.optim.AdamW(others, adam_lr, betas=(.9, .98), weight_decay=0., fused=others[0].is_cuda)

    @torch.no_grad()
    def step(self, scale):
        """scale: what the schedule makes of the learning rates."""
        for group in self.adam.param_groups:
            group["lr"] = self.adam_lr * scale
        self.adam.step()
        lr = self.muon_lr * scale
        for (rows, cols), ps in self.matrices.items():
            g = torch.stack([p.grad.reshape(rows, cols) for p in ps])
            m = self.buffers[(rows, cols)].lerp_(g, 1 - self.momentum)
            updates = orthogonalise(g.lerp(m, self.momentum)) * (lr * max(1., rows / cols) ** .5)
            torch._foreach_mul_(ps, 1 - lr * self.weight_decay)
            torch._foreach_sub_(ps, [u.view(p.shape) for u, p in zip(updates, ps)])

    def zero_grad(self):
        self.adam.zero_grad()
        for ps in self.matrices.values():
            for p in ps:
                p.grad = None


class Average:
    """Exponential moving average of parameters, with a short memory at first."""

    def __init__(self, parameters, decay):
        self.parameters, self.decay, self.steps = list(parameters), decay, 0
        self.values = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self):
        self.steps += 1
        torch._foreach_lerp_(self.values, self.parameters, 1 - min(self.decay, (1 + self.steps) / (10 + self.steps)))

    @torch.no_grad()
    def swap(self):
        """Exchanges averages and parameters."""
        for p, v in zip(self.parameters, self.values):
            kept = p.clone()
            p.copy_(v)
            v.copy_(kept)
