"""A LoRA: changes of low rank to all linears and convolutions of a network, trained in place of its weights (Hu et al. 2021)."""

import torch
from safetensors.torch import load_file
from torch import nn

from export import save_whole


class Lora(nn.Module):
    """Begins as no change. The scale is 1: a file without alphas means that to peft, diffusers and hayate."""

    def __init__(self, network, rank):
        super().__init__()
        self.frozen = {f"{name}.weight": m.weight.detach() for name, m in network.named_modules() if isinstance(m, (nn.Linear, nn.Conv2d))}
        sizes = [(w.shape[0], w[0].numel()) for w in self.frozen.values()]
        self.down = nn.ParameterList(torch.randn(min(rank, *size), size[1]) / size[1] ** .5 for size in sizes)
        self.up = nn.ParameterList(torch.zeros(size[0], min(rank, *size)) for size in sizes)

    def weights(self):
        """{name: weight} of the changed network, for torch.func.functional_call: so a step costs no more than without the LoRA."""
        return {name: w + (up @ down).view(w.shape) for (name, w), down, up in zip(self.frozen.items(), self.down, self.up)}

    def factors(self):
        """(name in the file, parameter, shape in the file): a convolution's filters are in the first factor, the second is 1x1."""
        for (name, w), down, up in zip(self.frozen.items(), self.down, self.up):
            layer = f"unet.{name.removesuffix('.weight')}"
            yield f"{layer}.lora_A.weight", down, (len(down), *w.shape[1:])
            yield f"{layer}.lora_B.weight", up, (*up.shape, *(1 for _ in w.shape[2:]))

    def save(self, path):
        """As diffusers writes it, in float16. ValueError where a number is not finite; the file stays what it was."""
        tensors = {name: p.detach().half().view(shape).contiguous() for name, p, shape in self.factors()}
        broken = [name for name, t in tensors.items() if not t.isfinite().all()]
        if broken:
            raise ValueError(f"{path}: not saved: {len(broken)} of {len(tensors)} tensors are not finite, the first is {broken[0]}")
        save_whole(tensors, path, {"format": "pt"})

    @torch.no_grad()
    def load(self, path):
        tensors = load_file(path)
        for name, p, _ in self.factors():
            p.copy_(tensors[name].view(p.shape))
