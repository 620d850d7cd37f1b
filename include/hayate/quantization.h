// What rungs of 8 bits do to the layers of a denoising step: how long each takes, how far its result is off, and which of them matter.
//
//   hayate::Pipeline pipeline({.random = "sdxl", .device = "cuda"});
//   for (const hayate::LinearShape& s : pipeline.measure_linears({.pictures = {{}}})) ...
#pragma once
#include <map>
#include <optional>
#include <string>

#include "hayate/hayate.h"

namespace hayate {

// Linears of one shape on a rung of 8 bits. Empty where the device has no such product, or measures nothing.
struct QuantizedLinear {
  std::optional<double> seconds{};           // of the product alone
  std::optional<double> quantize_seconds{};  // of what writes x in 8 bits; linears that read the same x share it, and where what makes x does it there is none
  std::optional<double> error{};             // of the result, ||a - b|| / ||b|| to float32, without the residual
  std::optional<int> chosen{};               // of how many linears of the shape Options::quantize_layers makes the rung quantize
};

// Linears of a denoising step that do the same work.
struct LinearShape {
  std::string layer{};                       // the first of them, as patterns of quantize_layers see it
  int64_t rows = 0, in = 0, out = 0;         // x (rows, in), weight (out, in)
  std::string epilogue{};                    // "layer norm, bias, geglu, residual"
  int count = 0;
  double flops = 0;                          // of one
  std::optional<double> seconds{}, error{};  // of one on rung projections
  std::map<std::string, QuantizedLinear> quantized{};  // by rung
};

// One call of the UNet in which no layers but those of one kind are in 8 bits.
struct LayersError {
  std::string rung{}, layers{};              // "int8", "attn1.to_q"; "all linears", "convolutions", "all"
  int count = 0;                             // of layers
  double error = 0;                          // of the UNet's output, ||a - b|| / ||b|| to rung projections
};

}  // namespace hayate
