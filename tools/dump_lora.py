#!/usr/bin/env python3
"""Writes small LoRA files for tests/data/parity/tiny-sdxl, and what diffusers draws with them.

  dump_lora.py MODEL FOLDER    kohya.safetensors and peft.safetensors hold the same LoRA; dora, loha and lokr.safetensors other adapters, with the
                               tensor names of LyCORIS. drawn.safetensors has the latents of one request with the LoRA (weight 0.7), with its
                               text encoders only, with each of the others (weight 1), and without any

Float32 on one CPU thread. Needs tools/requirements.txt.
"""
import argparse
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before the imports: nothing here may come from a network

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

from reference.pipelines import FOX, case, generate, picture  # noqa: E402
from reference.tiny_models import F32, load_pipeline  # noqa: E402

BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0"
MODULES = {
    "unet": [f"{BLOCK}.attn1.to_q", f"{BLOCK}.attn2.to_k", f"{BLOCK}.attn2.to_out.0", f"{BLOCK}.ff.net.0.proj", f"{BLOCK}.ff.net.2",
             "mid_block.attentions.0.transformer_blocks.1.attn1.to_v", "down_blocks.1.attentions.1.proj_in",
             "up_blocks.1.resnets.0.conv1", "up_blocks.0.resnets.1.conv_shortcut", "down_blocks.0.downsamplers.0.conv"],
    "text_encoder": ["text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.1.mlp.fc1"],
    "text_encoder_2": ["text_model.encoder.layers.1.self_attn.v_proj", "text_model.encoder.layers.2.mlp.fc2"],
}
KOHYA = {"unet": "lora_unet_", "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}
RANK, WEIGHT = 3, 0.7


def module_of(network, name):
    """Also where transformers 5 has no text_model."""
    try:
        return network.get_submodule(name)
    except AttributeError:
        return network.get_submodule(name.removeprefix("text_model."))


def make_lora(pipeline):
    """-> {(component, module): (down, up)} whose products are about as large as the weights."""
    generator = torch.Generator().manual_seed(20)
    factors = {}
    for component, names in MODULES.items():
        for name in names:
            shape = module_of(getattr(pipeline, component), name).weight.shape
            down = torch.randn((RANK, *shape[1:]), generator=generator) * 0.4 / np.prod(shape[1:]) ** 0.5
            up = torch.randn((shape[0], RANK, *([1] * (len(shape) - 2))), generator=generator)
            factors[component, name] = down.numpy(), up.numpy()
    return factors


def draw(pipeline):
    request = case("lora", "tiny-sdxl", picture(FOX, 3, guidance=4.0))
    return generate(pipeline, request)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)

    pipeline = load_pipeline(args.model, F32, {})
    drawn = {"plain": draw(pipeline)}
    factors = make_lora(pipeline)
    kohya, peft = {}, {}
    for (component, name), (down, up) in factors.items():
        stem = KOHYA[component] + name.replace(".", "_")
        kohya |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": np.array(RANK / 2, np.float32)}
        peft |= {f"{component}.{name}.lora_A.weight": down, f"{component}.{name}.lora_B.weight": up / 2}
    save_file(kohya, args.folder / "kohya.safetensors")
    save_file(peft, args.folder / "peft.safetensors")

    for key, components in (("lora", list(MODULES)), ("text", ["text_encoder", "text_encoder_2"])):
        pipeline = load_pipeline(args.model, F32, {})
        for component in components:
            add_adapter(pipeline, component, factors)
        drawn[key] = draw(pipeline)
    for kind, make in OTHERS.items():
        pipeline = load_pipeline(args.model, F32, {})
        save_file(make_other(pipeline, make), args.folder / f"{kind}.safetensors")
        drawn[kind] = draw(pipeline)
    save_file(drawn, args.folder / "drawn.safetensors")


def add_adapter(pipeline, component, factors):
    """peft itself, as diffusers' load_lora_weights looks for text encoders where transformers had them before version 5."""
    from peft import LoraConfig, inject_adapter_in_model
    network = getattr(pipeline, component)
    mine = {name: pair for (part, name), pair in factors.items() if part == component}
    targets = {name: {id(m): key for key, m in network.named_modules()}[id(module_of(network, name))] for name in mine}
    config = LoraConfig(r=RANK, lora_alpha=WEIGHT * RANK / 2, target_modules=list(targets.values()))
    inject_adapter_in_model(config, network)
    for name, (down, up) in mine.items():
        layer = network.get_submodule(targets[name])
        layer.lora_A["default"].weight.data.copy_(torch.from_numpy(down))
        layer.lora_B["default"].weight.data.copy_(torch.from_numpy(up))
        layer.merge()


def dora():
    from peft import LoraConfig
    return LoraConfig(r=RANK, lora_alpha=2, use_dora=True), {"lora_A": "lora_down.weight", "lora_B": "lora_up.weight",
                                                             "lora_magnitude_vector": "dora_scale"}


def loha():
    from peft import LoHaConfig
    names = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2")
    return LoHaConfig(r=RANK, alpha=2, use_effective_conv2d=True), {name: name for name in names}


def lokr():
    from peft import LoKrConfig
    names = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")
    return LoKrConfig(r=2, alpha=1, use_effective_conv2d=True, decompose_both=True), {name: name for name in names}


OTHERS = {"dora": dora, "loha": loha, "lokr": lokr}


def make_other(pipeline, make):
    """Merges an adapter of random numbers into the pipeline's networks by peft. -> its tensors for a file"""
    from peft import inject_adapter_in_model
    generator = torch.Generator().manual_seed(21)
    tensors = {}
    for component, names in MODULES.items():
        network = getattr(pipeline, component)
        targets = {name: {id(m): key for key, m in network.named_modules()}[id(module_of(network, name))] for name in names}
        config, parameters = make()
        config.target_modules = list(targets.values())
        inject_adapter_in_model(config, network)
        for name in names:
            layer, stem = network.get_submodule(targets[name]), KOHYA[component] + name.replace(".", "_")
            mine = {to: getattr(layer, of)["default"] for of, to in parameters.items() if "default" in getattr(layer, of, {})}
            mine = {to: getattr(value, "weight", value) for to, value in mine.items()}
            with torch.no_grad():
                for to, value in mine.items():
                    noise = torch.randn(value.shape, generator=generator)
                    value.copy_(value * (1 + 0.3 * noise) if to == "dora_scale" else noise)
                weight = layer.get_base_layer().weight
                first = next(iter(mine.values()))
                first.mul_(0.5 * weight.norm() / layer.get_delta_weight("default").norm())
                layer.merge()
            for to, value in mine.items():
                value = value.detach()
                if to == "dora_scale":
                    value = value.reshape(-1, *[1] * (weight.dim() - 1))
                if to == "lokr_w1" and "lokr_w2" in mine:
                    value = value * layer.scaling["default"]  # LyCORIS scales nothing where nothing has a rank, peft does
                tensors[f"{stem}.{to}"] = value.contiguous().numpy().copy()
            tensors[f"{stem}.alpha"] = np.array(getattr(config, "lora_alpha", None) or config.alpha, np.float32)
    return tensors


if __name__ == "__main__":
    main()
