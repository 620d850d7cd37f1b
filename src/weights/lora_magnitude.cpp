// Squares are summed in float64, in the order of the weight, so that no thread count changes them.
#include "weights/lora_magnitude.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/json.h"
#include "weights/mapped_source.h"

namespace hayate {

LoraMagnitude::LoraMagnitude(std::shared_ptr<const SafetensorsFile> file, const LoraModule& module, const LoraTarget& target, float weight)
    : file_(std::move(file)), tensor_(module.magnitude), weight_(weight) {
  const FilterDims dims = filter_dims(target.dims);
  rows_ = dims[0], columns_ = columns_of(dims), area_ = dims[2] * dims[3];
  const std::vector<int64_t> stored = file_->dims(tensor_);
  const int64_t count = element_count(stored);
  const bool leads = !stored.empty() && stored[0] == count;
  by_output_ = leads || tensor_.find(".dora_scale") == tensor_.npos;  // peft's is never by input
  require(count == dims[by_output_ ? 0 : 1] && count > 0 && (leads || (stored.size() >= 2 && stored[1] == count)), ErrorKind::bad_model,
          "{}: tensor {} is ({}), but {} of the model is ({}), for which it would hold {} numbers: the LoRA is for another kind of model", file_->path(),
          excerpt(tensor_), fmt::join(stored, ", "), target.name, fmt::join(target.dims, ", "), dims[by_output_ ? 0 : 1]);
  static_cast<void>(file_->dtype(tensor_));  // its error names an integer
}

void LoraMagnitude::measure(const Merged& merged) const {
  std::call_once(factors_->measured, [&] {
    std::vector<float> magnitudes = read_finite(*file_, tensor_, 0, by_output_ ? rows_ : columns_ / area_);
    std::vector<double> squares(magnitudes.size());
    constexpr int64_t piece = int64_t{1} << 16;
    std::vector<float> some(size_t(std::min(piece, rows_ * columns_)));
    for (int64_t first = 0; first < rows_ * columns_; first += piece) {
      const std::span<float> values = std::span(some).first(size_t(std::min(piece, rows_ * columns_ - first)));
      merged(values, first);
      for (size_t i = 0; i < values.size(); ++i) squares[size_t(group_of(first + int64_t(i)))] += double(values[i]) * values[i];
    }
    // What is all zeros stays so.
    for (size_t i = 0; i < squares.size(); ++i) magnitudes[i] = squares[i] == 0 ? 0 : magnitudes[i] / float(std::sqrt(squares[i]));
    factors_->values = std::move(magnitudes);
  });
}

void LoraMagnitude::apply(std::span<const float> plain, std::span<float> merged, int64_t first) const {
  for (size_t i = 0; i < merged.size(); ++i) {
    const float whole = factors_->values[size_t(group_of(first + int64_t(i)))] * merged[i];
    merged[i] = weight_ == 1 ? whole : plain[i] + weight_ * (whole - plain[i]);
  }
}

}  // namespace hayate
