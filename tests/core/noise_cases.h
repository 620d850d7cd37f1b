// What torch drew (tools/dump_noise.py), and how far other draws are from it.
#pragma once
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/file_reader.h"
#include "core/json.h"

namespace hayate {

inline Json noise_cases(const std::string& file) {
  const std::string path = HAYATE_SOURCE_DIR "/tests/data/noise/" + file;
  return parse_json(read_text_file(path, 1 << 20), path);
}

// Largest deviation per value from what torch drew: 0 means equal. Infinite for NaN.
inline double deviation(const std::vector<float>& found, const Json& expected) {
  double sum = 0, moment = 0, worst = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    sum += found[i];
    moment += double(found[i]) * (double(i % 101) - 50);
  }
  auto add = [&](double difference) { worst = std::isfinite(difference) ? std::max(worst, std::abs(difference)) : INFINITY; };
  for (const auto& [index, value] : expected["at"].items()) add(double(found.at(std::stoul(index))) - double(value.get<float>()));
  add((sum - expected["sum"].get<double>()) / double(found.size()));
  add((moment - expected["moment"].get<double>()) / (50 * double(found.size())));
  return worst;
}

}  // namespace hayate
