// The tensors of a source under other names and in other shapes: renamed, joined, cut, transposed. Nothing is read until it is asked for.
#pragma once
#include <map>
#include <memory>

#include "weights/tensor_source.h"

namespace hayate {

// Consecutive elements of a stored tensor.
struct TensorPart {
  std::string stored;
  int64_t first = 0, count = 0;
};

struct TensorView {
  std::vector<TensorPart> parts;  // one after the other
  std::vector<int64_t> dims;
  bool transposed = false;  // one whole matrix whose dims are those of the stored one, swapped
};

class MappedSource : public TensorSource {
 public:
  explicit MappedSource(std::shared_ptr<const TensorSource> source) : source_(std::move(source)) {}

  // Error(bad_model) if another tensor has the name already.
  void add(const std::string& name, TensorView view);
  void add_renamed(const std::string& name, const std::string& stored);

  std::vector<std::string> names() const override { return names_; }  // in the order in which they were added
  bool has(const std::string& name) const override { return views_.contains(name); }
  std::vector<int64_t> dims(const std::string& name) const override;
  Dtype dtype(const std::string& name) const override;             // f32 for parts that differ
  std::string stored_as(const std::string& name) const override;  // likewise
  using TensorSource::read;
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override;
  void announce(const std::string& name) const override;  // whole tensors, of which only some may be parts

 private:
  const TensorView* find(const std::string& name) const;
  void read_transposed(const TensorView&, Dtype as, std::span<std::byte> out, int64_t first) const;

  std::shared_ptr<const TensorSource> source_;
  std::vector<std::string> names_;
  std::map<std::string, TensorView> views_;
};

int64_t element_count(const std::vector<int64_t>& dims);

}  // namespace hayate
