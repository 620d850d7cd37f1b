// Scales for results in eight bits that are certain before the program runs.
#pragma once
#include "program/program.h"

namespace hayate {

// The op that finds a scale with which the result of n, whose inputs are in p, does not overflow f8; without inputs if there is none. A
// normalised row is as long as the root of its columns, so a product of it is at most that times the norm of the weight's row; attention mixes
// values and makes none larger; a group norm is at most the root of how many numbers it takes the mean of. Such a bound is ten or a hundred
// times too large, which costs floating-point numbers only the smallest of them; integers would lose most of their bits.
Node bound_of(const Program& p, const Node& n);

// n with its result in f8 by that bound, which is added to p.
Node in_eight_bits(Program& p, const Node& n, Node bound);

}  // namespace hayate
