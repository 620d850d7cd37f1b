// Names of output files from a pattern: out/{seed}-{prompt:40}.png.
#pragma once
#include <ctime>
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate::cli {

// The placeholders, for --help and for errors.
std::string placeholders();

// Throws Error(usage) for an unknown placeholder, a brace without its partner or a name that no format has.
void check_pattern(const std::string& pattern);

struct NameFields {
  int width, height, steps;
  std::string model;
  std::time_t now;
};
// One name for each picture, no two alike: where the pattern makes them alike, all get -1, -2 ... before the extension. What comes
// from prompts and models holds no character that means something in a path.
std::vector<std::string> output_names(const std::string& pattern, const std::vector<Picture>&, const NameFields&);

}  // namespace hayate::cli
