// What the weights of tokens do to the states of a text encoder.
#pragma once
#include <cstdint>
#include <span>

namespace hayate {

// `states` is (tokens, width), changed in place; one weight a token.

// AUTOMATIC1111's "Original" emphasis: weight times state, then all of it scaled such that the mean over everything is what it was.
void emphasize_a1111(std::span<float> states, std::span<const float> weights);

// ComfyUI: from the state that the token at this place has in an empty prompt, `weight` times the way to its own state. `empty` is
// (tokens, width).
void emphasize_comfy(std::span<float> states, std::span<const float> empty, std::span<const float> weights);

}  // namespace hayate
