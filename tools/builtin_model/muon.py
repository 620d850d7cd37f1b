"""Optimizer: Muon (orthogonalised momentum, Keller Jordan 2024) for matrices and convolutions, AdamW for everything else."""

import torch

import parallel


def orthogonalise(g):
    """Newton-Schulz iteration: (n, rows, cols) -> nearly the nearest semi-orthogonal matrices; the quintic's coefficients are the published ones."""
    tall = g.shape[1] > g.shape[2]
    x = g.mT if tall else g
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(4):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


class Muon:
    """Every process computes the updates of its share of the shapes; their sum over the processes is the whole update."""

    def __init__(self, matrices, lr, momentum=.95, weight_decay=.01):
        self.lr, self.momentum, self.weight_decay, self.scale = lr, momentum, weight_decay, 1.
        self.matrices = list(matrices)
        shapes = [(p.shape[0], p[0].numel()) for p in self.matrices]
        self.owned = parallel.share(shapes, cost=lambda shape: min(shape) ** 2 * max(shape))  # one batched iteration per shape
        self.buffers = {shape: torch.zeros(len(rows), *shape) for shape, rows in self.owned.items()}

    @torch.no_grad()
    def step(self):
        lr = self.lr * self.scale
        updates = [None] * len(self.matrices)
        for (rows, cols), indices in self.owned.items():
            g = torch.stack([self.matrices[k].grad.reshape(rows, cols) for k in indices])
            m = self.buffers[(rows, cols)].lerp_(g, 1 - self.momentum)
            for k, u in zip(indices, orthogonalise(g.lerp(m, self.momentum)) * (lr * max(1., rows / cols) ** .5)):
                updates[k] = u
        flat = torch.cat([u.flatten() if u is not None else torch.zeros(p.numel()) for u, p in zip(updates, self.matrices)])
        parallel.add_up(flat)
        for p, u in zip(self.matrices, flat.split([p.numel() for p in self.matrices])):
            p.mul_(1 - lr * self.weight_decay).sub_(u.view(p.shape))


class Optimizer:
    """Both optimizers under one schedule; `plain` names parameters that AdamW should take although they are matrices."""

    def __init__(self, named_parameters, muon_lr, adam_lr, plain=()):
        matrices, others = [], []
        for name, p in named_parameters:
            plain_one = p.ndim < 2 or any(key in name for key in plain)
            (others if plain_one else matrices).append(p)
        self.muon = Muon(matrices, muon_lr)
        self.adam = torch.optim.AdamW(others, adam_lr, betas=(.9, .98), weight_decay=0.)
        self.adam_lr = adam_lr

    def step(self, scale):
        self.muon.scale = scale
        for group in self.adam.param_groups:
            group["lr"] = self.adam_lr * scale
        self.muon.step()
        self.adam.step()

    def zero_grad(self):
        for p in self.muon.matrices:
            p.grad = None
        self.adam.zero_grad()
