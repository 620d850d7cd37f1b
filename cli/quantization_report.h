// What `hayate bench quantization` measures and how it is shown.
#pragma once
#include "hayate/quantization.h"

namespace hayate::cli {

struct QuantizationReport {
  std::string machine, model, request, version, revision;
  std::string dtype;                   // of rung projections
  std::vector<LinearShape> linears{};  // either these
  std::vector<LayersError> errors{};   // or these
};

std::string quantization_text(const QuantizationReport&);
std::string quantization_json(const QuantizationReport&);
std::string quantization_csv(const QuantizationReport&);

}  // namespace hayate::cli
