"""The shapes of the networks and the noise schedule: SDXL's own classes and wiring, about a thousand times smaller."""

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

IMAGE_SIZE, LATENT_SIZE = 256, 32
TEXT_WIDTHS = (64, 64)
TIME_IDS_WIDTH = 32  # of each of the six sizes that condition the UNet
# the last step is pure noise (Lin et al. 2023): otherwise the mean of the starting noise, not the text, decides between day and night
NOISE_SCHEDULE = dict(num_train_timesteps=1000, beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True,
                      timestep_spacing="trailing", steps_offset=1, prediction_type="v_prediction")


def build_text_encoders(vocab_size):
    common = dict(vocab_size=vocab_size, num_hidden_layers=2, max_position_embeddings=77, bos_token_id=vocab_size - 2, eos_token_id=vocab_size - 1)
    narrow, wide = TEXT_WIDTHS
    one = CLIPTextModel(CLIPTextConfig(hidden_size=narrow, intermediate_size=4 * narrow, num_attention_heads=narrow // 32, hidden_act="quick_gelu",
                                       projection_dim=wide, pad_token_id=vocab_size - 1, **common))
    two = CLIPTextModelWithProjection(CLIPTextConfig(hidden_size=wide, intermediate_size=4 * wide, num_attention_heads=wide // 32, hidden_act="gelu",
                                                     projection_dim=wide, pad_token_id=0, **common))
    return one, two


def build_unet():
    widths = (32, 64, 96)
    unet = UNet2DConditionModel(
        sample_size=LATENT_SIZE, in_channels=4, out_channels=4, block_out_channels=widths, layers_per_block=1,
        # attention only on the 8x8 grid: on 16x16 it would double the cost of a step
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[1, 1, 1], attention_head_dim=[w // 32 for w in widths],  # SDXL's name for the number of heads
        cross_attention_dim=sum(TEXT_WIDTHS), use_linear_projection=True, norm_num_groups=8,
        addition_embed_type="text_time", addition_time_embed_dim=TIME_IDS_WIDTH,
        projection_class_embeddings_input_dim=TEXT_WIDTHS[1] + 6 * TIME_IDS_WIDTH)
    return unet.to(memory_format=torch.channels_last)


def encode_text(encoders, ids):
    """Hidden states (n, 77, 128) and pooled text (n, 64) exactly as StableDiffusionXLPipeline takes them."""
    first = encoders[0](ids[0], output_hidden_states=True).hidden_states[-2]
    second = encoders[1](ids[1], output_hidden_states=True)
    return torch.cat([first, second.hidden_states[-2]], -1), second.text_embeds
