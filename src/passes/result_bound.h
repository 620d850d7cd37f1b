// Scales for results in eight bits that are certain before the program runs.
#pragma once
#include <optional>

#include "program/program.h"

namespace hayate {

// n, whose inputs are in p, with its result in f8, by the scale of an op that is added to p and with which nothing overflows; nothing where there
// is no such scale, or the device does not do that. A normalised row is as long as the root of its columns, so a product of it is at most that
// times the norm of the weight's row; attention mixes values and makes none larger; a group norm is at most the root of how many numbers it takes
// the mean of. Such a bound is ten or a hundred times too large, which costs floating-point numbers only the smallest of them; integers would
// lose most of their bits.
std::optional<Node> in_eight_bits(Program& p, const Node& n, const Target&);

}  // namespace hayate
