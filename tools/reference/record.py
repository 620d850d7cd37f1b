"""Runs a PyTorch model and keeps the value of every module under the name that hayate gives it."""
import numpy as np
import torch
from diffusers.models.attention_processor import Attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

CLIP_ATTENTION = "recording"  # the attn_implementation to load a CLIP text encoder with


class Recorder:
    """While open, every module call of `model` stores its output in `values`.

    A value is called by its module's path; the k-th further value of one path is called path#k. Modules that hand on
    another module's output (Dropout, containers) make no value of their own. Attention adds PATH.scores, PATH.softmax
    (n, heads, query tokens, key tokens) and PATH.mix (n, query tokens, channels). Images are kept channels last.
    """

    of_module = {}  # transformers looks its attention function up by name: here that finds the recorder

    def __init__(self, model, prefix=""):
        self.model, self.prefix = model, prefix
        self.values, self.calls, self.made = {}, {}, {}

    def __enter__(self):
        self.paths = {module: self.prefix + path for path, module in self.model.named_modules()}
        Recorder.of_module |= dict.fromkeys(self.paths, self)
        self.hooks = [m.register_forward_hook(self.after_call) for m, path in self.paths.items() if path]
        for module in self.paths:
            if isinstance(module, Attention):
                module.set_processor(DiffusersAttention(self))
        return self

    def __exit__(self, *_):
        for module in self.paths:
            del Recorder.of_module[module]
        for hook in self.hooks:
            hook.remove()

    def take(self):
        """The values so far; the next call starts afresh."""
        values = self.values
        self.values, self.calls, self.made = {}, {}, {}
        return values

    def after_call(self, module, _, output):
        if not isinstance(output, torch.Tensor):
            output = tuple(output.values() if isinstance(output, dict) else output)[0]
        if self.is_known(output):
            return
        channels_last = output
        if output.ndim == 4:
            channels_last = output.permute(0, 2, 3, 1)
        elif isinstance(module, torch.nn.GroupNorm):  # inside attention: (n, c, tokens)
            channels_last = output.permute(0, 2, 1)
        self.keep(self.paths[module], channels_last)

    def is_known(self, tensor):
        """True if another module already made these bytes. Holding on to the tensor keeps its address unique."""
        key = (tensor.data_ptr(), tensor.numel())
        if key in self.made:
            return True
        self.made[key] = tensor
        return False

    def keep(self, path, tensor):
        again = self.calls.get(path, 0)
        self.calls[path] = again + 1
        name = f"{path}#{again}" if again else path
        self.values[name] = np.array(tensor.detach().float().contiguous().numpy())

    def attend(self, path, q, k, v, scale, mask=None):
        """softmax(q k^T scale + mask) v for (n, heads, tokens, size of a head) -> (n, tokens, heads * size)."""
        scores = q @ k.transpose(-1, -2) * scale
        if mask is not None:  # 0, or the lowest number of its type where a token may not look
            scores = scores.masked_fill(mask < 0, -torch.inf)
        weights = scores.softmax(-1)
        mix = (weights @ v).transpose(1, 2).flatten(2)
        for name, value in (("scores", scores), ("softmax", weights), ("mix", mix)):
            self.keep(f"{path}.{name}", value)
        return mix


class DiffusersAttention:
    """Attention of UNet and VAE, spelled out."""

    def __init__(self, recorder):
        self.recorder = recorder

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        assert attention_mask is None and attn.rescale_output_factor == 1
        image, x = hidden_states, hidden_states
        if image.ndim == 4:
            x = image.flatten(2).transpose(1, 2)
        if attn.group_norm is not None:
            x = attn.group_norm(x.transpose(1, 2)).transpose(1, 2)
        context = x if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (t.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
                   for t in (attn.to_q(x), attn.to_k(context), attn.to_v(context)))
        x = attn.to_out[0](self.recorder.attend(self.recorder.paths[attn], q, k, v, attn.scale))
        if image.ndim == 4:
            x = x.transpose(1, 2).reshape(image.shape)
        return x + image if attn.residual_connection else x


def clip_attention(module, query, key, value, attention_mask, scaling, **_):
    recorder = Recorder.of_module[module]
    mix = recorder.attend(recorder.paths[module], query, key, value, scaling, attention_mask)
    return mix, None


AttentionInterface.register(CLIP_ATTENTION, clip_attention)
AttentionMaskInterface.register(CLIP_ATTENTION, eager_mask)
