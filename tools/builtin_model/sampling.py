"""Draws pictures from prompts with the networks in training, many prompts at once: what StableDiffusionXLPipeline does with EulerDiscreteScheduler or
LCMScheduler."""

import torch

from diffusion import schedule


def euler_times(steps):
    """Trailing timesteps of EulerDiscreteScheduler."""
    return (torch.arange(1000, 0, -1000 / steps).round() - 1).long().tolist()


def lcm_times(steps):
    """Timesteps of LCMScheduler: of every twentieth, as many at equal distances."""
    return [999 - 20 * (50 * k // steps) for k in range(steps)]


TIMES = dict(euler=euler_times, lcm=lcm_times)


@torch.no_grad()
def sample(unet, encoders, vae, tokenizers, prompts, seeds, height=256, width=256, steps=30, guidance=5., solver="euler", batch=200):
    """Pictures (n, 3, height, width) in -1..1; the noise of each is torch's CPU noise of its seed, as in diffusers and hayate.

    LCMScheduler's boundary condition is left out: at its last timestep, 19, it changes the picture by less than a millionth."""
    device = next(unet.parameters()).device
    a, s = schedule(device)
    times = TIMES[solver](steps)
    pictures = []
    for k in range(0, len(prompts), batch):
        texts = prompts[k:k + batch]
        n = len(texts)
        ids = [t(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids.to(device) for t in tokenizers]
        hidden, pooled, _ = encoders(*ids, (ids[0] == tokenizers[0].eos_token_id).int().argmax(1))
        halves = 1 if guidance == 1 else 2  # with guidance, the first half without text
        if halves == 2:
            hidden, pooled = torch.cat([torch.zeros_like(hidden), hidden]), torch.cat([torch.zeros_like(pooled), pooled])
        sizes = torch.tensor([[height, width, 0, 0, height, width]], device=device).float().expand(halves * n, 6)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds[k:k + batch]]
        fresh = lambda: torch.cat([torch.randn(1, 4, height // 8, width // 8, generator=g) for g in generators]).to(device)
        x = fresh()
        for t, following in zip(times, times[1:] + [None]):
            v = unet(torch.cat([x] * halves), torch.full((halves * n,), t, device=device), hidden, added_cond_kwargs=dict(text_embeds=pooled, time_ids=sizes)).sample.float()
            if halves == 2:
                without, with_text = v.chunk(2)
                v = without + guidance * (with_text - without)
            clean = a[t] * x - s[t] * v
            if following is None:
                x = clean
            else:
                x = a[following] * clean + s[following] * (fresh() if solver == "lcm" else s[t] * x + a[t] * v)
        pictures.append(torch.cat([vae.decode(part / vae.config.scaling_factor).sample.float() for part in x.split(32)]).clamp(-1, 1))
    return torch.cat(pictures)
