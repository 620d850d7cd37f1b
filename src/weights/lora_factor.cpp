// Rows of the result are sums of rows of `down`, of which a few are read at a time.
#include "weights/lora_factor.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/json.h"
#include "weights/mapped_source.h"

namespace hayate {
namespace {

constexpr int64_t together = 4;  // rows of down: the sum is loaded and stored once for them

FilterDims stored_dims(const SafetensorsFile& file, const std::string& name) {
  const std::vector<int64_t> dims = file.dims(name);
  require(dims.size() == 2 || dims.size() == 4, ErrorKind::bad_model, "{}: tensor {} has {} dimensions, expected 2 or 4", file.path(), excerpt(name),
          dims.size());
  static_cast<void>(file.dtype(name));  // its error names an integer
  return filter_dims(dims);
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

FilterDims filter_dims(const std::vector<int64_t>& dims) {
  const bool filter = dims.size() == 4;
  return {dims[0], dims[1], filter ? dims[2] : 1, filter ? dims[3] : 1};
}

std::vector<float> read_finite(const SafetensorsFile& file, const std::string& tensor, int64_t first, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  file.read(tensor, Dtype::f32, std::as_writable_bytes(std::span(values)), first);
  require(std::ranges::all_of(values, [](float v) { return std::isfinite(v); }), ErrorKind::not_finite,
          "{}: tensor {} holds a value that is not finite", file.path(), excerpt(tensor));
  return values;
}

std::array<int64_t, 2> factor_shape(const SafetensorsFile& file, const LoraModule::Factor& f, bool turned) {
  if (!f.whole.empty()) {
    const FilterDims d = stored_dims(file, f.whole);
    return {d[0], d[1]};
  }
  const FilterDims up = stored_dims(file, f.up), down = stored_dims(file, f.down);
  return {up[turned && !f.mid.empty()], down[1]};
}

LoraFactor::LoraFactor(std::shared_ptr<const SafetensorsFile> file, const LoraModule& module, const LoraModule::Factor& tensors, bool turned,
                       const FilterDims& dims, const LoraTarget& target)
    : file_(std::move(file)), tensors_(tensors), turned_(turned && !tensors.mid.empty()), rows_(dims[0]), columns_(columns_of(dims)), pointwise_(dims[2] * dims[3] == 1) {
  // A matrix may be stored with the dims of the filter or without.
  auto check = [&](const std::string& tensor, const FilterDims& expected) {
    const FilterDims stored = stored_dims(*file_, tensor);
    require(stored[0] == expected[0] && (stored == expected || (stored[1] == columns_of(expected) && stored[2] == 1 && stored[3] == 1)),
            ErrorKind::bad_model, "{}: tensor {} is ({}), but {} of the model is ({}), for which it would be ({}): the LoRA is for another kind of model",
            file_->path(), excerpt(tensor), fmt::join(file_->dims(tensor), ", "), target.name, fmt::join(target.dims, ", "), fmt::join(expected, ", "));
  };
  if (!tensors_.whole.empty()) {
    check(tensors_.whole, dims);
    return;
  }

  const FilterDims up = stored_dims(*file_, tensors_.up);
  rank_ = stored_dims(*file_, tensors_.down)[0];
  up_rank_ = up[turned_ ? 0 : 1];
  require(rank_ > 0 && up_rank_ > 0, ErrorKind::bad_model, "{}: module {} has rank 0, expected at least 1", file_->path(), excerpt(module.name));
  const bool filter = !tensors_.mid.empty();
  check(tensors_.down, {rank_, dims[1], filter ? 1 : dims[2], filter ? 1 : dims[3]});
  if (!filter) up_rank_ = rank_;
  check(tensors_.up, turned_ ? FilterDims{up_rank_, dims[0], 1, 1} : FilterDims{dims[0], up_rank_, 1, 1});
  if (!filter) return;
  check(tensors_.mid, {up_rank_, rank_, dims[2], dims[3]});
  area_ = dims[2] * dims[3];
}

std::vector<float> LoraFactor::up_rows(int64_t first, int64_t count) const {
  if (!turned_) return read_finite(*file_, tensors_.up, first * up_rank_, count * up_rank_);
  std::vector<float> up(size_t(count * up_rank_));
  for (int64_t p = 0; p < up_rank_; ++p) {
    const std::vector<float> row = read_finite(*file_, tensors_.up, p * rows_ + first, count);
    for (int64_t i = 0; i < count; ++i) up[size_t(i * up_rank_ + p)] = row[size_t(i)];
  }
  return up;
}

// Scaled rows of up, (count, rank); or of up x mid, (count, rank, area).
std::vector<float> LoraFactor::left_rows(int64_t first, int64_t count, float scale) const {
  std::vector<float> up = up_rows(first, count);
  for (float& v : up) v *= scale;
  if (tensors_.mid.empty()) return up;
  const int64_t width = rank_ * area_;
  std::vector<float> left(size_t(count * width));
  for (int64_t p = 0; p < up_rank_; ++p) {
    const std::vector<float> mid = read_finite(*file_, tensors_.mid, p * width, width);
    for (int64_t row = 0; row < count; ++row) add_rows(&up[size_t(row * up_rank_ + p)], mid.data(), 1, width, std::span(left).subspan(size_t(row * width), size_t(width)));
  }
  return left;
}

std::vector<float> LoraFactor::values(int64_t first, int64_t count) const {
  if (!tensors_.whole.empty()) return read_finite(*file_, tensors_.whole, first, count);
  std::vector<float> values(static_cast<size_t>(count));
  add_to(values, first, 1);
  return values;
}

LoraFactor::Product LoraFactor::product(float scale) const {
  const std::vector<float> down = read_finite(*file_, tensors_.down, 0, rank_ * columns_);
  std::vector<float> right(down.size());
  for (int64_t q = 0; q < rank_; ++q)
    for (int64_t i = 0; i < columns_; ++i) right[size_t(i * rank_ + q)] = down[size_t(q * columns_ + i)];
  return {rank_, left_rows(0, rows_, scale), std::move(right)};
}

void LoraFactor::add_to(std::span<float> out, int64_t first, float scale) const {
  if (out.empty()) return;
  if (!tensors_.whole.empty()) {
    const std::vector<float> whole = read_finite(*file_, tensors_.whole, first, int64_t(out.size()));
    for (size_t i = 0; i < out.size(); ++i) out[i] += scale * whole[i];
    return;
  }
  const int64_t last = first + int64_t(out.size()), top = first / columns_, bottom = (last - 1) / columns_ + 1, inputs = columns_ / area_;
  const std::vector<float> left = left_rows(top, bottom - top, scale);
  for (int64_t q = 0; q < rank_; q += together) {
    const int64_t count = std::min(together, rank_ - q);
    const std::vector<float> down = read_finite(*file_, tensors_.down, q * inputs, count * inputs);
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
