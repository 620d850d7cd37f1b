// Load values of tensors to which LoRAs add a product, or did, computed on the device: of the stored tensor, which may be kept there, and two thin
// matrices.
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "weights/originals.h"
#include "weights/tensor_source.h"

namespace hayate {

class DeviceTensors {
 public:
  // `what`: the component that they are of, for messages. All outlive this.
  DeviceTensors(Backend& backend, const TensorSource& source, Originals& originals, const std::string& what)
      : backend_(backend), source_(source), originals_(originals), what_(what) {}

  // Whether a load value is such a tensor, or made of one by scale_columns or row_dots. Where nothing is added any more it is if the original is kept.
  bool takes(const Program&, const Node&) const;
  std::vector<const Node*> tensors_of(const Program&, const Node& taken) const;  // the tensor, and the vectors beside it

  int64_t bringing_bytes(const Node& tensor) const;               // what it takes beside what is kept, until others are brought
  int64_t making_bytes(const Program&, const Node& taken) const;  // what making it takes beside that and the result

  // Reads tensors and brings them to the device, on all cores, in place of those before. Each is named once for every value that is made of it.
  void bring(const std::vector<const Node*>& tensors);
  // Of what was brought. Safe from many threads.
  void make(const Program&, const Node& taken, const Buffer& out);
  // Waits until all is made. Error(not_finite) where a sum is too large for its type.
  void finish();
  double seconds_bringing() const { return seconds_bringing_; }

 private:
  struct Tensor {
    Originals::Tensor stored;
    int64_t rank = 0;
    Buffer left, right;
  };
  // The sums of the rows of what was made, in float32: where an element is not finite one of them is not.
  struct RowSums {
    struct Part {
      std::string tensor;
      Dtype dtype;
      int64_t rows;
    };
    Buffer floats;
    int64_t used = 0;  // bytes
    std::vector<Part> parts;
  };
  Tensor read(const Node&) const;
  Dtype dtype_of(const Node&) const;
  void look_at(const Node& tensor, Dtype, const Buffer& made);

  Backend& backend_;
  const TensorSource& source_;
  Originals& originals_;
  const std::string& what_;
  std::map<std::string, Tensor> brought_;
  std::mutex mutex_;
  std::vector<RowSums> sums_;  // one for each bring()
  double seconds_bringing_ = 0;
};

}  // namespace hayate
