// One table of small programs, an op each: the op sweep compares backends on it, and bench/ops times it.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "program/program.h"

namespace hayate {

// What an input or weight is filled with: normal numbers, integers in [0, below), or these integers.
struct Fill {
  float mean = 0, deviation = 1;
  int64_t below = 0;
  std::vector<int64_t> integers = {};
};

struct OpCase {
  std::string name;
  Op op;
  std::function<Program(Dtype)> record;  // storage type of whatever may be narrower than float32; the result is named "y"
  std::map<std::string, Fill> fills = {};  // by value; the default otherwise
  // Its values are rounded coarsely on the way: the reference must start from the same numbers, to be on the same side of a rounding.
  bool coarse = false;
};
std::vector<OpCase> op_cases();    // small: tests
std::vector<OpCase> tile_cases();  // large enough for many tiles of a GPU kernel, with rests in every direction
std::vector<OpCase> sdxl_cases(int side);  // as SDXL has them, with latents of side x side: benchmarks

// Reproducible values for an input or weight.
std::vector<float> fill_values(const std::string& name, int64_t count, const Fill&);

}  // namespace hayate
