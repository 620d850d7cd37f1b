// How good pictures are, in numbers that need no eye and no Python.
//
//   hayate::QualityReport report = hayate::measure_quality({.rung = "bf16"}, {.prompts = 100});
//   report.attributes.score  // 0..1: how much of what the prompts ask for is in the pictures
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

struct QualityRequest {
  int prompts = 200;              // as many from the head of the list
  int batch = 4;                  // pictures drawn together
  std::string list{};             // folder with prompts.json, attributes.json and attributes.safetensors; empty: the installed one
  std::string reference_rung{};   // its pictures are drawn too, for PSNR and SSIM; empty: none
  Request settings{};             // steps, scheduler and so on of every picture; its pictures and its size are ignored
  float guidance = 5.0f;
  std::function<bool(int done, int total)> on_picture{};  // return false to cancel
};

struct AttributeScore {
  double score = 0;                     // right / asked
  double low = 0, high = 0;             // 95 % confidence (Wilson), pictures rather than attributes being independent
  int asked = 0;
};

struct QualityReport {
  std::string rung{};
  int pictures = 0;
  double seconds_per_picture = 0;       // median, without loading
  AttributeScore attributes{};          // over all that the prompts ask for
  std::vector<std::pair<std::string, AttributeScore>> groups{};  // in the classifier's order
  struct Distance {
    double psnr = 0;                    // decibels, of the mean squared error of all pictures; infinite if all are equal
    double ssim = 0;                    // mean
    int identical = 0;                  // pictures without a difference
  };
  std::optional<Distance> to_reference{};
};

// Draws the pictures, reads their attributes with a small network, compares. Errors: as Pipeline; bad_file for a broken list.
QualityReport measure_quality(const Options&, const QualityRequest&);

// Peak signal-to-noise ratio in decibels; infinity for equal pictures. Error(usage) if the sizes differ.
double psnr(const Image&, const Image&);

// Structural similarity, mean over pixels and channels: 11x11 Gaussian window of deviation 1.5, K1 0.01, K2 0.03 (Wang et al. 2004,
// "Image Quality Assessment: From Error Visibility to Structural Similarity"). Pictures of at least 11x11; Error(usage) otherwise.
double ssim(const Image&, const Image&);

}  // namespace hayate
