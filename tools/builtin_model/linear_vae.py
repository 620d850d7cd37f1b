"""Builds an AutoencoderKL that starts as exact arithmetic: the encoder computes the latents of latents.py, the decoder gives the blocks back.

Residual branches start at zero, so both networks are chains of linear layers up to their last norm and SiLU. Those two are undone: a large
constant in each norm group makes the norm a fixed scale, and silu(x) - silu(-x) = x. Training then only has to add what is missing."""

import numpy as np
import torch
from diffusers import AutoencoderKL

from latents import BRIGHTNESS

WIDTHS, GROUPS = (16, 16, 32, 64), 4
ENCODER_CONSTANT, DECODER_CONSTANT, DECODER_FINAL_CONSTANT = 32., 2., 8.
LOG_VARIANCE = -14.  # the encoder is deterministic, or nearly so


def zero_(module):
    for p in module.parameters():
        p.zero_()


def silence_residuals(network):
    for name, module in network.named_modules():
        if name.endswith("conv2") or name.endswith("to_out.0"):
            zero_(module)


def connect(conv, pairs, taps=None):
    """Makes a convolution move channels: pairs of (out, in, gain), through its centre tap or the given (3, 3) taps."""
    zero_(conv)
    size = conv.kernel_size[0]
    if taps is None:
        taps = torch.zeros(size, size)
        taps[size // 2, size // 2] = 1
    for out, into, gain in pairs:
        conv.weight[out, into] += gain * taps


def keep(count):
    return [(k, k, 1.) for k in range(count)]


def signed(groups, width, constant_channel, constant_gain=1.):
    """Feature k, its negative, the constant and its negative at the head of norm group k."""
    each = width // GROUPS
    return [pair for k in range(groups) for pair in [(k * each, k, 1.), (k * each + 1, k, -1.), (k * each + 2, constant_channel, constant_gain),
                                                     (k * each + 3, constant_channel, -constant_gain)]]


def undo_norm(norm, constant):
    each = norm.num_channels // GROUPS
    norm.weight.fill_(constant * (2 / each) ** .5)


def difference(conv, each):
    """The last convolution: x from silu(x) - silu(-x)."""
    connect(conv, [pair for k in range(min(GROUPS, conv.out_channels)) for pair in [(k, k * each, 1.), (k, k * each + 1, -1.)]])


@torch.no_grad()
def build_encoder(encoder):
    silence_residuals(encoder)
    mean, corner, slope = torch.zeros(3, 3), torch.zeros(3, 3), torch.zeros(3, 3)
    mean[:2, :2], corner[0, 0] = .25, 1.  # taps that never touch the padding
    slope[0, :2], slope[1, :2] = .5, -.5
    connect(encoder.conv_in, keep(3))
    encoder.conv_in.bias[4] = ENCODER_CONSTANT
    for k, block in enumerate(encoder.down_blocks):
        if k == 2:
            connect(block.resnets[0].conv_shortcut, keep(5))
        if k == 3:
            connect(block.resnets[0].conv_shortcut, signed(4, WIDTHS[3], 4))
            break
        down = block.downsamplers[0].conv
        connect(down, keep(3), mean)
        down.weight[4, 4] = corner * 1.
        if k == 2:
            for colour, share in enumerate(BRIGHTNESS):
                down.weight[3, colour] = float(share) * slope
    undo_norm(encoder.conv_norm_out, ENCODER_CONSTANT)
    difference(encoder.conv_out, WIDTHS[3] // GROUPS)


@torch.no_grad()
def build_decoder(decoder):
    silence_residuals(decoder)
    # features in channels 0..3, both signs of the constant in 4 and 5, free channels after them; random taps feed those
    decoder.conv_in.weight[:6].zero_()
    for k in range(4):
        decoder.conv_in.weight[k, k, 1, 1] = 1
    decoder.conv_in.bias[:4].zero_()
    decoder.conv_in.bias[4], decoder.conv_in.bias[5] = DECODER_CONSTANT, -DECODER_CONSTANT
    for k, block in enumerate(decoder.up_blocks):
        if k == 1:
            connect(block.resnets[0].conv_shortcut, keep(WIDTHS[2]))
        if k == 2:
            connect(block.resnets[0].conv_shortcut, signed(4, WIDTHS[0], 4, DECODER_FINAL_CONSTANT / DECODER_CONSTANT))
        if block.upsamplers is not None:
            connect(block.upsamplers[0].conv, keep(block.upsamplers[0].conv.out_channels))
        if k >= 2:
            for resnet in block.resnets[1 if k == 2 else 0:]:
                undo_norm(resnet.norm1, DECODER_FINAL_CONSTANT)
    undo_norm(decoder.conv_norm_out, DECODER_FINAL_CONSTANT)
    difference(decoder.conv_out, WIDTHS[0] // GROUPS)


@torch.no_grad()
def build(mixing):
    scaling = float(np.linalg.norm(mixing[0, :3]))  # the first colour axis is a unit vector before scaling
    vae = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=256, block_out_channels=WIDTHS, layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, norm_num_groups=GROUPS,
        scaling_factor=scaling, force_upcast=False)
    build_encoder(vae.encoder)
    build_decoder(vae.decoder)
    zero_(vae.quant_conv)
    zero_(vae.post_quant_conv)
    matrix, offset = torch.from_numpy(mixing[:, :4]) / scaling, torch.from_numpy(mixing[:, 4]) / scaling
    vae.quant_conv.weight[:4, :4, 0, 0], vae.quant_conv.bias[:4], vae.quant_conv.bias[4:] = matrix, offset, LOG_VARIANCE
    inverse = torch.linalg.inv(matrix)
    vae.post_quant_conv.weight[:, :, 0, 0], vae.post_quant_conv.bias[:] = inverse, -(inverse @ offset)
    return vae.to(memory_format=torch.channels_last)
