// Which load values a program can do without between the ops that read them.
#pragma once
#include <vector>

#include "program/program.h"

namespace hayate {

constexpr int64_t kStreamedBytes = int64_t{64} << 10;  // smaller ones stay: biases, norms

// By value: whether it is a load value that is made anew before each op that reads it, where weights are streamed. An op reads one such value at
// most, its largest, so all of a program's can be made in one place, one after another.
std::vector<bool> streamed_values(const Program&);

}  // namespace hayate
