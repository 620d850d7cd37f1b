// Computing a picture window by window, the same as in one piece but for the order of sums: a window has a halo, and group norms take the
// statistics of the whole picture, which earlier passes over all windows have measured.
#pragma once
#include "program/program.h"

namespace hayate {

// How many lines and columns around a place of the input change the result there. Error(internal) for an op that looks at all of it.
int64_t halo_of(const Program&);

// The group norm that reads the program's input as it is; `none` if there is none.
Value norm_of_input(const Program&);

// What maps are stored as between passes, and how many groups of channels the result's statistics are wanted for; 0: they are not.
struct Ends {
  Dtype input = Dtype::f32, result = Dtype::f32;
  int groups = 0;
};

constexpr const char* kStatistics = "statistics";  // the name of the output, (n, 1, groups, 2)
constexpr const char* kRegion = "region";          // the input that says for which part of the measured value a window counts (program/region.h)
inline std::string statistics_input(const std::string& norm) { return norm + "." + kStatistics; }

// One pass over all windows. Norm NAME reads the statistics that are to be written to the input statistics_input(NAME).
struct WindowPass {
  std::string norm{};  // whose statistics this pass measures, for those after it; empty: the last pass, which makes the result
  int scale = 1;       // pixels of what is measured, or made, for one of the input, along each axis
  Program program{};   // outputs: in the last pass the result, then statistics where they are measured
};
// Of a program of one image with one input and one output. The statistics of the norm that reads the input are known from where that was
// made, so no pass measures them.
std::vector<WindowPass> window_passes(const Program&, const Ends&);

// The program as it is, for whole pictures, with the ends of a pass. Its input stays float32.
Program whole_pass(const Program&, const Ends&);

}  // namespace hayate
