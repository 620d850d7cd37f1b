"""Sets both text encoders by hand: each known word is a concept, and the sentence is the normalised sum of its concepts.

Learnt from nothing together with a UNet, text encoders this small first collapse to one vector for all texts and leave it only after thousands
of steps. The captions have a known, small vocabulary, so their meaning can simply be written down; unknown words count as nothing."""

import torch

from architecture import build_text_encoders

CONCEPTS = [
    "night dark midnight", "sunset dusk evening orange", "dawn sunrise morning early pink", "day sunny daytime noon bright",
    "hill hills grassy rolling", "mountain mountains valley", "desert dunes sand sandy cactus", "sea coast ocean island cliff", "lake",
    "forest woods pine trees", "snow snowy winter",
    "castle", "lighthouse", "house cottage", "windmill", "tree", "sailboat boat sailing", "balloon hot", "city skyline",
    "red", "blue", "yellow", "green", "purple", "white",
    "sun shining", "clouds cloudy", "birds", "stars starry", "full", "crescent", "moon", "autumn"]
OWN, CONTEXT, POOLED = 2., 4., .5  # weight of a token's own concept, of those before it, and of the pooled sum


@torch.no_grad()
def write_encoder(encoder, axes, words):
    for name, p in encoder.named_parameters():
        p.fill_(1. if "norm" in name and name.endswith("weight") else 0.)
    text = getattr(encoder, "text_model", encoder)
    for axis, concept in zip(axes, CONCEPTS):
        for word in concept.split():
            text.embeddings.token_embedding.weight[words[word + "</w>"], axis] = OWN
    # queries and keys are zero: the mean over all tokens so far. Function words are zero vectors, which the norm leaves zero
    attention = text.encoder.layers[0].self_attn
    torch.nn.init.eye_(attention.v_proj.weight)
    torch.nn.init.eye_(attention.out_proj.weight)
    attention.out_proj.weight *= CONTEXT
    if hasattr(encoder, "text_projection"):
        torch.nn.init.eye_(encoder.text_projection.weight)
        encoder.text_projection.weight *= POOLED


def build(words):
    """Both encoders for a {token: number} vocabulary; the same concepts on other axes, so that the two are not interchangeable."""
    one, two = build_text_encoders(len(words))
    write_encoder(one, range(len(CONCEPTS)), words)
    write_encoder(two, range(63, 63 - len(CONCEPTS), -1), words)
    return one.eval().requires_grad_(False), two.eval().requires_grad_(False)
