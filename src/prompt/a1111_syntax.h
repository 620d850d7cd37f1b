// The weights in prompts of AUTOMATIC1111's web UI (modules/prompt_parser.py of version 1.10).
#pragma once
#include <string_view>

#include "prompt/weighted_text.h"

namespace hayate {

// (a) counts 1.1 times as much, [a] 1 / 1.1 times, (a:1.3) 1.3 times; what is nested is multiplied. A bracket that is not closed
// goes on to the end, one that was not opened is text. \( \) \[ \] \\ are text. Neighbours of equal weight are one text. BREAK is
// a text of its own, see is_break(). Error(usage) for weights that are not finite and more than max_nested_brackets.
std::vector<WeightedText> parse_a1111(std::string_view prompt);

// Whether a new chunk begins here: the word BREAK with the weight -1. Within brackets that weight is multiplied too, and BREAK is
// a word like others, as it is in the web UI.
bool is_break(const WeightedText&);

// Error(unsupported) that names what a prompt without its LoRAs (a1111_networks.h) has beyond weights: [a:b:10] and [a|b], which change the prompt
// between steps; in a negative prompt LoRAs; outside of one AND and a weight at the very end, which combine several predictions. Read as text,
// all of these would draw another picture without a word.
void refuse_unsupported_a1111(std::string_view prompt, bool negative);

}  // namespace hayate
