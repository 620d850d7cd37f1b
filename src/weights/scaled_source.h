// Files of scaled fp8, as ComfyUI has them: beside MODULE.weight a number that all of its elements are to be multiplied by.
// Format: ComfyUI, QUANTIZATION.md, and comfy/ops.py for the older names.
#pragma once
#include <map>
#include <memory>

#include "weights/tensor_source.h"

namespace hayate {

// The tensors of a file or folder of shards, with weights multiplied by their scales (MODULE.weight_scale or MODULE.scale_weight), and without what
// only says how to compute: scales of activations, marks of the format. The source itself if it has none of these. Scales are read at
// once: Error(bad_model) for one without its weight or a weight with two, Error(unsupported) for scales of rows or blocks,
// Error(not_finite); each names `path`.
std::shared_ptr<const TensorSource> with_scales(std::shared_ptr<const TensorSource> stored, const std::string& path);

class ScaledSource : public TensorSource {
 public:
  ScaledSource(std::shared_ptr<const TensorSource> stored, std::vector<std::string> names, std::map<std::string, float> scales);

  std::vector<std::string> names() const override { return names_; }
  bool has(const std::string& name) const override;
  std::vector<int64_t> dims(const std::string& name) const override { return stored_->dims(name); }
  Dtype dtype(const std::string& name) const override;  // f32 for products
  std::string stored_as(const std::string& name) const override;
  using TensorSource::read;
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override;
  void announce(const std::string& name) const override { stored_->announce(name); }

 private:
  std::shared_ptr<const TensorSource> stored_;
  std::vector<std::string> names_;       // in the order in which they are stored
  std::map<std::string, float> scales_;  // by weight
};

}  // namespace hayate
