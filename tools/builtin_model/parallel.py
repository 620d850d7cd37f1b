"""Data-parallel training over single-threaded processes (started by torchrun): on a busy CPU they wait for each other once a step, threads once an operation."""

from collections import defaultdict

import torch
import torch.distributed as dist


def start():
    """Joins the other processes; returns (rank, number of processes)."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    return dist.get_rank(), dist.get_world_size()


def average_gradients(parameters):
    grads = [p.grad for p in parameters]
    flat = torch.cat([g.flatten() for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for g, mean in zip(grads, flat.split([g.numel() for g in grads])):
        g.copy_(mean.view(g.shape))


def agree(value):
    """The first process's number, in every process."""
    shared = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(shared, 0)
    return shared.item()


def add_up(tensor):
    dist.all_reduce(tensor)


def share(keys, cost):
    """This process's part of the work: {key: positions of that key}, whole keys dealt out so that the costs are about even."""
    positions, loads = defaultdict(list), [0.] * dist.get_world_size()
    for k, key in enumerate(keys):
        positions[key].append(k)
    mine = {}
    for key in sorted(positions, key=lambda key: -cost(key) * len(positions[key])):
        rank = loads.index(min(loads))
        loads[rank] += cost(key) * len(positions[key])
        if rank == dist.get_rank():
            mine[key] = positions[key]
    return mine
