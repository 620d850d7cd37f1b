// Rows of the result are sums of rows of `down`, of which a few are read at a time.
#include "weights/lora_delta.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/json.h"
#include "weights/mapped_source.h"

namespace hayate {
namespace {

constexpr int64_t together = 4;  // rows of down: the sum is loaded and stored once for them

using Dims = std::array<int64_t, 4>;

// A matrix is a convolution of 1x1.
Dims four(const SafetensorsFile& file, const std::string& name) {
  const std::vector<int64_t> dims = file.dims(name);
  require(dims.size() == 2 || dims.size() == 4, ErrorKind::bad_model, "{}: tensor {} has {} dimensions, expected 2 or 4", file.path(), excerpt(name),
          dims.size());
  return {dims[0], dims[1], dims.size() == 4 ? dims[2] : 1, dims.size() == 4 ? dims[3] : 1};
}

// y[i] += sum over k of factors[k] * rows[k, i]
void add_rows(const float* factors, const float* rows, int64_t count, int64_t stride, std::span<float> y) {
  if (count == together) {
    const float a = factors[0], b = factors[1], c = factors[2], d = factors[3];
    const float *p = rows, *q = rows + stride, *r = rows + 2 * stride, *s = rows + 3 * stride;
    for (size_t i = 0; i < y.size(); ++i) y[i] = (((y[i] + a * p[i]) + b * q[i]) + c * r[i]) + d * s[i];
    return;
  }
  for (int64_t k = 0; k < count; ++k)
    for (size_t i = 0; i < y.size(); ++i) y[i] += factors[k] * rows[k * stride + int64_t(i)];
}

}  // namespace

LoraDelta::LoraDelta(std::shared_ptr<const SafetensorsFile> file, const LoraModule& module, const std::string& target,
                     const std::vector<int64_t>& dims, float weight)
    : file_(std::move(file)), down_(module.down), up_(module.up), mid_(module.mid) {
  const Dims base = {dims[0], dims[1], dims.size() == 4 ? dims[2] : 1, dims.size() == 4 ? dims[3] : 1};
  const Dims down = four(*file_, down_), up = four(*file_, up_), mid = mid_.empty() ? Dims{up[1], down[0], 1, 1} : four(*file_, mid_);
  auto check = [&](const std::string& tensor, const Dims& expected) {
    require(four(*file_, tensor) == expected, ErrorKind::bad_model,
            "{}: tensor {} is ({}), but {} of the model is ({}), for which it would be ({}): the LoRA is for another kind of model", file_->path(),
            excerpt(tensor), fmt::join(file_->dims(tensor), ", "), target, fmt::join(dims, ", "), fmt::join(expected, ", "));
    static_cast<void>(file_->dtype(tensor));  // its error names an integer
  };
  require(down[0] > 0 && up[1] > 0, ErrorKind::bad_model, "{}: module {} has rank 0, expected at least 1", file_->path(), excerpt(module.name));
  check(down_, mid_.empty() ? Dims{down[0], base[1], base[2], base[3]} : Dims{down[0], base[1], 1, 1});
  check(up_, {base[0], mid_.empty() ? down[0] : up[1], 1, 1});
  if (!mid_.empty()) check(mid_, {up[1], down[0], base[2], base[3]});
  rank_ = down[0];
  up_rank_ = up[1];
  area_ = mid_.empty() ? 1 : mid[2] * mid[3];
  columns_ = element_count(dims) / std::max<int64_t>(1, dims[0]);
  const float alpha = module.alpha.value_or(0);
  scale_ = weight * (alpha == 0 ? 1 : alpha / float(rank_));
}

std::vector<float> LoraDelta::read(const std::string& tensor, int64_t first, int64_t count) const {
  std::vector<float> values(static_cast<size_t>(count));
  file_->read(tensor, Dtype::f32, std::as_writable_bytes(std::span(values)), first);
  require(std::ranges::all_of(values, [](float v) { return std::isfinite(v); }), ErrorKind::not_finite,
          "{}: tensor {} holds a value that is not finite", file_->path(), excerpt(tensor));
  return values;
}

// Scaled rows of up, (count, rank); or of up x mid, (count, rank, area).
std::vector<float> LoraDelta::left_rows(int64_t first, int64_t count) const {
  std::vector<float> up = read(up_, first * up_rank_, count * up_rank_);
  for (float& v : up) v *= scale_;
  if (mid_.empty()) return up;
  const int64_t width = rank_ * area_;
  std::vector<float> left(size_t(count * width));
  for (int64_t p = 0; p < up_rank_; ++p) {
    const std::vector<float> mid = read(mid_, p * width, width);
    for (int64_t row = 0; row < count; ++row) add_rows(&up[size_t(row * up_rank_ + p)], mid.data(), 1, width, std::span(left).subspan(size_t(row * width), size_t(width)));
  }
  return left;
}

void LoraDelta::add_to(std::span<float> out, int64_t first) const {
  if (out.empty()) return;
  const int64_t last = first + int64_t(out.size()), top = first / columns_, bottom = (last - 1) / columns_ + 1, inputs = columns_ / area_;
  const std::vector<float> left = left_rows(top, bottom - top);
  for (int64_t q = 0; q < rank_; q += together) {
    const int64_t count = std::min(together, rank_ - q);
    const std::vector<float> down = read(down_, q * inputs, count * inputs);
    for (int64_t row = top; row < bottom; ++row) {
      const int64_t from = std::max(first, row * columns_), to = std::min(last, (row + 1) * columns_), column = from - row * columns_;
      const float* factors = &left[size_t(((row - top) * rank_ + q) * area_)];
      const std::span<float> y = out.subspan(size_t(from - first), size_t(to - from));
      if (area_ == 1) {
        add_rows(factors, down.data() + column, count, inputs, y);
        continue;
      }
      for (int64_t k = 0; k < count; ++k)
        for (int64_t i = 0; i < int64_t(y.size()); ++i)
          y[size_t(i)] += factors[k * area_ + (column + i) % area_] * down[size_t(k * inputs + (column + i) / area_)];
    }
  }
}

}  // namespace hayate
