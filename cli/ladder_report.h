// What `hayate bench ladder` measures and how it is shown.
#pragma once
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate::cli {

struct RungTimes {
  std::string rung;
  double median = 0, least = 0, most = 0;  // seconds per picture, prompt to pixels
  double step = 0, text = 0, decode = 0;   // seconds, medians
  double first = 0;                        // of the first picture, with loading and compiling
  double floor = 0;                        // of a step, at these ceilings
  Ceilings ceilings{};
  Work work{};
  int64_t peak_memory = 0;                 // bytes
  int steps = 0, warmups = 0, runs = 0;
  double latent_distance = 0, picture_distance = 0;  // to the first rung: ||a - b|| / ||b||; mean of 0..255
};

struct LadderReport {
  std::string machine, model, request, version, revision;
  std::vector<RungTimes> rungs;
};

std::string ladder_text(const LadderReport&);
std::string ladder_json(const LadderReport&);
std::string ladder_csv(const LadderReport&);
std::string ladder_svg(const LadderReport&);  // seconds per picture as bars

}  // namespace hayate::cli
