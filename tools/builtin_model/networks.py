"""The shapes of all networks and the noise schedule: SDXL's own classes and wiring, about three hundred times smaller."""

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

LATENT_SIZE, TOKENS = 32, 77
TEXT_WIDTH, POOLED_WIDTH, TIME_IDS_WIDTH = 96, 96, 32  # of each text encoder; of each of the six sizes that condition the UNet
# the last step is pure noise (Lin et al. 2023): otherwise the mean of the starting noise, not the text, decides between day and night
NOISE_SCHEDULE = dict(num_train_timesteps=1000, beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True,
                      timestep_spacing="trailing", steps_offset=1, prediction_type="v_prediction")


def build_vae():
    widths = (32, 48, 64, 96)
    return AutoencoderKL(block_out_channels=widths, layers_per_block=1, down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                         latent_channels=4, norm_num_groups=8, sample_size=8 * LATENT_SIZE, mid_block_add_attention=False, force_upcast=False)


def build_unet():
    widths = (64, 128, 128)
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE, in_channels=4, out_channels=4, block_out_channels=widths, layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[1, 1, 1], attention_head_dim=[w // 32 for w in widths],  # SDXL's name for the number of heads
        cross_attention_dim=2 * TEXT_WIDTH, use_linear_projection=True, norm_num_groups=16, addition_embed_type="text_time",
        addition_time_embed_dim=TIME_IDS_WIDTH, projection_class_embeddings_input_dim=POOLED_WIDTH + 6 * TIME_IDS_WIDTH)


class TextLayer(nn.Module):
    def __init__(self, width, heads, activation):
        super().__init__()
        self.heads, self.activation = heads, activation
        self.self_attn = nn.ModuleDict({name: nn.Linear(width, width) for name in ("q_proj", "k_proj", "v_proj", "out_proj")})
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict(dict(fc1=nn.Linear(width, 4 * width), fc2=nn.Linear(4 * width, width)))

    def forward(self, x):
        n, tokens, width = x.shape
        y = self.layer_norm1(x)
        q, k, v = (self.self_attn[name](y).view(n, tokens, self.heads, -1).transpose(1, 2) for name in ("q_proj", "k_proj", "v_proj"))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, tokens, width)
        x = x + self.self_attn["out_proj"](y)
        y = self.mlp["fc1"](self.layer_norm2(x))
        return x + self.mlp["fc2"](F.gelu(y) if self.activation == "gelu" else y * torch.sigmoid(1.702 * y))


class TextModel(nn.Module):
    def __init__(self, vocabulary, layers, width, activation):
        super().__init__()
        self.embeddings = nn.ModuleDict(dict(token_embedding=nn.Embedding(vocabulary, width), position_embedding=nn.Embedding(TOKENS, width)))
        self.encoder = nn.ModuleDict(dict(layers=nn.ModuleList(TextLayer(width, width // 32, activation) for _ in range(layers))))
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, ids):
        x = self.embeddings["token_embedding"](ids) + self.embeddings["position_embedding"].weight
        for layer in self.encoder["layers"]:
            before, x = x, layer(x)
        return before, self.final_layer_norm(x)


class TextEncoder(nn.Module):
    """transformers' CLIPTextModel, or with a projection CLIPTextModelWithProjection, under the same names."""

    def __init__(self, vocabulary, layers, activation, projection):
        super().__init__()
        self.activation = activation
        self.text_model = TextModel(vocabulary, layers, TEXT_WIDTH, activation)
        self.text_projection = nn.Linear(TEXT_WIDTH, POOLED_WIDTH, bias=False) if projection else None
        # words must differ from the start: encoders that begin alike for all texts stay so
        nn.init.normal_(self.text_model.embeddings["token_embedding"].weight, std=.7)
        nn.init.normal_(self.text_model.embeddings["position_embedding"].weight, std=.15)

    def forward(self, ids, end):
        """Hidden states before the last layer (n, 77, width), and at each text's end: those, and the projected last ones."""
        hidden, last = self.text_model(ids)
        rows = torch.arange(len(ids), device=ids.device)
        return hidden, hidden[rows, end], self.text_projection(last[rows, end]) if self.text_projection else None

    def config(self):
        size = self.text_model.embeddings["token_embedding"].num_embeddings
        return dict(architectures=["CLIPTextModelWithProjection" if self.text_projection else "CLIPTextModel"], model_type="clip_text_model", torch_dtype="float16",
                    vocab_size=size, hidden_size=TEXT_WIDTH, intermediate_size=4 * TEXT_WIDTH, num_hidden_layers=len(self.text_model.encoder["layers"]),
                    num_attention_heads=TEXT_WIDTH // 32, max_position_embeddings=TOKENS, hidden_act=self.activation, layer_norm_eps=1e-5, projection_dim=POOLED_WIDTH,
                    bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=0 if self.text_projection else size - 1)


class TextEncoders(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.one, self.two = TextEncoder(vocabulary, 3, "quick_gelu", False), TextEncoder(vocabulary, 2, "gelu", True)

    def forward(self, ids_one, ids_two, end):
        """Hidden states (n, 77, 2 width) and pooled text (n, pooled) as StableDiffusionXLPipeline takes them; then all that is known at the end."""
        hidden_one, end_one, _ = self.one(ids_one, end)
        hidden_two, end_two, pooled = self.two(ids_two, end)
        return torch.cat([hidden_one, hidden_two], -1), pooled, torch.cat([end_one, end_two, pooled], -1)


class Classifier(nn.Module):
    """Reads attributes out of a picture (n, 3, 256, 256) in -1..1: one answer in each group."""

    WIDTHS = (24, 48, 64, 96, 112, 96)

    def __init__(self, groups):
        super().__init__()
        self.groups = groups
        widths = (3, *self.WIDTHS)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b, momentum=.02) for b in self.WIDTHS)
        self.hidden = nn.Conv2d(widths[-1], 112, 4)  # sees all of the 4x4 that is left
        self.answer = nn.Conv2d(112, sum(map(len, groups.values())), 1)

    def forward(self, x):
        """Logits of all groups, one behind the other (n, classes)."""
        for convolution, norm in zip(self.convolutions, self.norms):
            x = F.silu(norm(convolution(x)))
        return self.answer(F.silu(self.hidden(x))).flatten(1)

    def split(self, logits):
        return dict(zip(self.groups, logits.split([len(c) for c in self.groups.values()], -1)))

    def folded(self):
        """Convolutions alone, as published: tensors by name, and the list of the layers in order."""
        tensors, layers = {}, []

        def add(name, convolution, weight, bias, activation):
            tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight, bias
            layers.append({"type": "conv", "name": name, "in": convolution.in_channels, "out": convolution.out_channels, "kernel": convolution.kernel_size[0],
                           "stride": convolution.stride[0], "padding": convolution.padding[0], "activation": activation})

        for k, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            add(f"convolutions.{k}", convolution, convolution.weight * gain[:, None, None, None], (convolution.bias - norm.running_mean) * gain + norm.bias, "silu")
        add("hidden", self.hidden, self.hidden.weight, self.hidden.bias, "silu")
        add("answer", self.answer, self.answer.weight, self.answer.bias, "none")
        return tensors, layers


def parameters_of(module):
    return sum(p.numel() for p in module.parameters())


if __name__ == "__main__":
    from captions import GROUPS
    parts = dict(unet=build_unet(), vae=build_vae(), text=TextEncoders(1000), classifier=Classifier(GROUPS))
    print({name: f"{parameters_of(part) / 1e6:.2f} M" for name, part in parts.items()})
