// Runs the real `hayate` and collects what it did.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hayate {

struct Outcome {
  int status = 0;  // exit status; 128 + signal when a signal ended it
  std::string out, err;
};

struct How {
  std::string folder = "/tmp";                                   // working directory
  std::string out_to{}, err_to{};                                // files that get the output instead of Outcome: "/dev/full"
  std::string input{};                                           // what standard input has
  bool err_closed = false;                                       // standard error is a pipe that nobody reads
  std::vector<int> closed{};                                     // descriptors that it starts without
  std::vector<std::pair<std::string, std::string>> variables{};  // more environment variables
  int64_t largest_file = -1;                                     // bytes that a file can grow to, as on a full disk; -1: any
  std::function<void(int pid)> meanwhile{};                      // called once it runs
};

Outcome run_program(const std::vector<std::string>& arguments, const How& how = {});

// Likewise with a terminal of 100 columns; `out` has all that it showed. Nothing where there is no pseudoterminal to be had.
std::optional<Outcome> run_on_terminal(const std::vector<std::string>& arguments, const std::string& folder);

}  // namespace hayate
