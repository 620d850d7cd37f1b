"""Draws pictures from prompts with the networks in training: what EulerDiscreteScheduler does in StableDiffusionXLPipeline, many prompts at once."""

import torch
from diffusers import EulerDiscreteScheduler

from networks import NOISE_SCHEDULE


def schedule(device):
    """Signal and noise (1000,) of each timestep; in the last there is no signal."""
    kept = EulerDiscreteScheduler(**NOISE_SCHEDULE).alphas_cumprod.to(device).float()
    return kept.sqrt(), (1 - kept).sqrt()


@torch.no_grad()
def sample(unet, encoders, vae, tokenizers, prompts, seeds, height=256, width=256, steps=30, guidance=5., batch=200):
    """Pictures (n, 3, height, width) in -1..1; the noise of each is torch's CPU noise of its seed, as in diffusers and hayate."""
    device = next(unet.parameters()).device
    a, s = schedule(device)
    times = (torch.arange(1000, 0, -1000 / steps).round() - 1).long().tolist()
    pictures = []
    for k in range(0, len(prompts), batch):
        texts = prompts[k:k + batch]
        n = len(texts)
        ids = [t(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids.to(device) for t in tokenizers]
        hidden, pooled, _ = encoders(*ids, (ids[0] == tokenizers[0].eos_token_id).int().argmax(1))
        hidden, pooled = torch.cat([torch.zeros_like(hidden), hidden]), torch.cat([torch.zeros_like(pooled), pooled])
        sizes = torch.tensor([[height, width, 0, 0, height, width]], device=device).float().expand(2 * n, 6)
        x = torch.cat([torch.randn(1, 4, height // 8, width // 8, generator=torch.Generator().manual_seed(seed)) for seed in seeds[k:k + batch]]).to(device)
        for t, following in zip(times, times[1:] + [None]):
            v = unet(torch.cat([x, x]), torch.full((2 * n,), t, device=device), hidden, added_cond_kwargs=dict(text_embeds=pooled, time_ids=sizes)).sample.float()
            without, with_text = v.chunk(2)
            v = without + guidance * (with_text - without)
            clean, noise = a[t] * x - s[t] * v, s[t] * x + a[t] * v
            x = clean if following is None else a[following] * clean + s[following] * noise
        pictures.append(torch.cat([vae.decode(part / vae.config.scaling_factor).sample.float() for part in x.split(32)]).clamp(-1, 1))
    return torch.cat(pictures)
