// Seeded random weights for any Program, chosen so that errors show: norm weights 1 +- 0.2, biases far from zero, products
// of about unit gain, queries and keys that make attention peaky.
#pragma once
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/convert.h"

namespace hayate::testing {

inline std::vector<float> random_floats(const std::string& name, int64_t count, float mean, float deviation) {
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(generator);
  return values;
}

inline std::vector<float> random_weight(const Node& n) {
  bool vector = n.shape.rows() == 1;
  if (vector && n.name.ends_with("bias")) return random_floats(n.name, n.shape.count(), 0, 0.3f);
  if (vector) return random_floats(n.name, n.shape.count(), 1, 0.2f);
  int64_t fan_in = n.shape.c * (n.shape.n > 1 ? n.shape.h * n.shape.w : 1);
  float peaky = n.name.find("to_q") != std::string::npos || n.name.find("to_k") != std::string::npos ? 2.0f : 1.0f;
  return random_floats(n.name, n.shape.count(), 0, peaky / std::sqrt(float(fan_in)));
}

inline std::vector<std::byte> as_dtype(const std::vector<float>& values, Dtype dtype) {
  std::vector<std::byte> bytes(values.size() * size_t(size_of(dtype)));
  if (dtype == Dtype::f32) std::copy_n(reinterpret_cast<const std::byte*>(values.data()), bytes.size(), bytes.data());
  else convert(Dtype::f32, std::as_bytes(std::span(values)), dtype, bytes);
  return bytes;
}

// Makes every load value afresh, through the backend's own load ops.
class RandomWeights : public WeightStore {
 public:
  explicit RandomWeights(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

  Buffer get(const Program& p, Value v) override {
    const Node& n = p[v];
    if (n.op != Op::weight) {
      std::vector<Buffer> in;
      for (Value i : n.in) in.push_back(i == none ? Buffer{} : get(p, i));
      return backend_->evaluate(p, n, in);
    }
    std::vector<std::byte> bytes = as_dtype(random_weight(n), n.dtype);
    Buffer buffer = backend_->allocate(int64_t(bytes.size()));
    backend_->upload(buffer, bytes);
    return buffer;
  }

 private:
  std::shared_ptr<Backend> backend_;
};

// ||a - b|| / ||b||; NaN or a difference in size gives infinity, so that it fails every bound.
inline double relative_l2(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    error += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    norm += double(b[i]) * b[i];
  }
  double relative = std::sqrt(error / (norm + 1e-60));
  return std::isfinite(relative) ? relative : INFINITY;
}

}  // namespace hayate::testing
