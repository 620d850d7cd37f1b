// The command line as a struct.
#pragma once
#include <string>
#include <variant>

#include "hayate/hayate.h"

namespace hayate::cli {

struct GenerateCommand {
  Options options;
  Request request;
  std::string output = "hayate.png";
  bool json = false, quiet = false;
};

struct CompareCommand {
  std::string a, b;
  double tolerance = 1e-5;
  bool json = false;
};

struct RungsCommand {};

struct ShowText {  // --help and --version
  std::string text;
};

using Command = std::variant<ShowText, GenerateCommand, CompareCommand, RungsCommand>;

// Throws Error(usage) that names the option, what was given and what is expected.
Command parse(int argc, const char* const* argv);

}  // namespace hayate::cli
