// Tensors without values, for tests of names and shapes.
#pragma once
#include <gtest/gtest.h>

#include <map>

#include "hayate/error.h"
#include "weights/tensor_source.h"

namespace hayate {

using Shapes = std::map<std::string, std::vector<int64_t>>;

class ShapeSource : public TensorSource {
 public:
  explicit ShapeSource(Shapes shapes) : shapes_(std::move(shapes)) {}
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, dims] : shapes_) names.push_back(name);
    return names;
  }
  bool has(const std::string& name) const override { return shapes_.contains(name); }
  std::vector<int64_t> dims(const std::string& name) const override {
    auto found = shapes_.find(name);
    if (found == shapes_.end()) throw Error(ErrorKind::bad_model, "no tensor " + name);
    return found->second;
  }
  Dtype dtype(const std::string&) const override { return Dtype::f16; }
  void read(const std::string&, Dtype, std::span<std::byte>, int64_t) const override { FAIL(); }

 private:
  Shapes shapes_;
};

}  // namespace hayate
