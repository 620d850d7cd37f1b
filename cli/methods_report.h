// What `hayate bench methods` measures and how it is shown.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace hayate::cli {

struct MethodTimes {
  std::string method, rung;
  int steps = 0;
  double seconds = 0;                                // per picture, prompt to pixels, median
  double step = 0;                                   // seconds, median
  double latent_distance = 0, picture_distance = 0;  // to the picture of the first method in float32: ||a - b|| / ||b||; mean of 0..255
  std::optional<double> attribute_score{};           // 0..1
};

struct MethodsReport {
  std::string machine, model, request, version, revision;
  std::vector<MethodTimes> rows;
};

std::string methods_text(const MethodsReport&);
std::string methods_json(const MethodsReport&);
std::string methods_csv(const MethodsReport&);
std::string methods_svg(const MethodsReport&);  // seconds per picture as bars

}  // namespace hayate::cli
