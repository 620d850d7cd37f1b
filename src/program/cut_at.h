// A program that reads a value instead of computing it.
#pragma once
#include "program/program.h"

namespace hayate {

// `at` is read from the step input `input`, which has its shape; what only served to compute it is gone, and so are carries into the input. Cut
// before ops are fused: the value must still be there.
Program cut_at(Program, Value at, Value input);

}  // namespace hayate
