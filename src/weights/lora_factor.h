// A matrix of a LoRA file, stored whole or as the product of two. Nothing of it is kept in memory.
#pragma once
#include <array>
#include <span>

#include "weights/lora_file.h"

namespace hayate {

// A weight of these dims is a matrix of dims[0] rows, the other dims side by side as its columns. A linear is a convolution of 1x1.
using FilterDims = std::array<int64_t, 4>;  // out, in, height, width
FilterDims filter_dims(const std::vector<int64_t>& dims);  // of 2 or 4
inline int64_t columns_of(const FilterDims& d) { return d[1] * d[2] * d[3]; }

// The weight that a LoRA is for, for errors.
struct LoraTarget {
  std::string name;
  std::vector<int64_t> dims;
};

// up x down; with a filter between them, sum over p, q of up[o, p] * mid[p, q, y, x] * down[q, i].
class LoraFactor {
 public:
  // `turned`: with a filter between, up is stored as (rank, out), as LyCORIS does. Error(bad_model) where tensors do not make such a matrix.
  LoraFactor(std::shared_ptr<const SafetensorsFile>, const LoraModule&, const LoraModule::Factor&, bool turned, const FilterDims&, const LoraTarget&);

  int64_t rank() const { return rank_; }  // rows of down; 0: it is whole
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }

  // Adds `scale` times elements from `first` on, row by row. Each is the same whatever range it is in. Error(not_finite) that names the tensor.
  void add_to(std::span<float> out, int64_t first, float scale) const;
  std::vector<float> values(int64_t first, int64_t count) const;
  // Whether it is a product, and no filter, whose elements lie in another order in programs; then scaled rows of up, and columns of down as rows.
  bool is_product() const { return tensors_.whole.empty() && tensors_.mid.empty() && pointwise_; }
  struct Product {
    int64_t rank;
    std::vector<float> left, right;
  };
  Product product(float scale) const;

 private:
  std::vector<float> up_rows(int64_t first, int64_t count) const;
  std::vector<float> left_rows(int64_t first, int64_t count, float scale) const;

  std::shared_ptr<const SafetensorsFile> file_;
  LoraModule::Factor tensors_;
  bool turned_;
  int64_t rank_ = 0;
  int64_t up_rank_ = 0;  // columns of up
  int64_t rows_, columns_;
  int64_t area_ = 1;     // of the filter between, else 1
  bool pointwise_;       // a matrix in programs, too
};

// Elements of a tensor, all of which are finite.
std::vector<float> read_finite(const SafetensorsFile&, const std::string& tensor, int64_t first, int64_t count);

// Out and in of the matrix that the tensors make, whatever the weight; zeros where they make none.
std::array<int64_t, 2> factor_shape(const SafetensorsFile&, const LoraModule::Factor&, bool turned);

}  // namespace hayate
