// One request drawn over and over, and how far its picture is from another.
#pragma once
#include "hayate/hayate.h"

namespace hayate::cli {

struct RepeatedRuns {
  double median = 0, least = 0, most = 0;  // seconds per picture, prompt to pixels
  double step = 0, text = 0, decode = 0;   // seconds, medians
  double first = 0;                        // of the first picture, with loading and compiling
  int warmups = 0, runs = 0;               // before those that count, and those
  Result last{};
};
// What takes long scatters little: then two runs count after one warm-up, at most.
RepeatedRuns repeat(Pipeline&, const Request&, int warmups, int runs);

double latent_distance(const std::vector<float>& a, const std::vector<float>& b);  // ||a - b|| / ||b||
double picture_distance(const Image& a, const Image& b);                           // mean, of 0..255

}  // namespace hayate::cli
