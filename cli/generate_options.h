// The options of `hayate generate`.
#pragma once
#include <optional>

#include "micro_options.h"

namespace hayate::cli {

constexpr size_t most_pictures = 10000, most_at_once = 64;

struct GenerateCommand {
  Options options;
  Request request;
  std::string output = "hayate.png";
  int quality = 90;
  bool json = false, quiet = false;
};

// What was given, before prompts, seeds and --batch become pictures.
struct GenerateForm {
  GenerateCommand command;
  std::vector<std::string> prompts, prompts_in_file;
  std::vector<uint64_t> seeds;
  std::optional<int> batch;
  Picture picture;  // all but prompt and seed, which every picture has of its own
  MicroOptions micro, negative_micro;
};

void add_options(Table, GenerateForm&);
// Parts of these: one prompt; all else that decides what a picture looks like; where it goes and what is told of it.
CLI::Option* add_prompt(Table, const std::string& help, GenerateForm&);
void add_drawing(Table, GenerateForm&);
void add_result(Table, GenerateCommand&);
GenerateCommand finish(GenerateForm);  // throws Error(usage) where options contradict each other

}  // namespace hayate::cli
