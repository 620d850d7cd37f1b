// Shapes of the factors follow from the weight's; those of a Kronecker product divide it.
#include "weights/lora_delta.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

// LoHa and LoKr: Hyeon-Woo et al., "FedPara", arXiv 2108.06098; Yeh et al., "Navigating Text-To-Image Customization", arXiv 2309.14859.
std::vector<LoraFactor> factors_of(const std::shared_ptr<const SafetensorsFile>& file, const LoraModule& m, const FilterDims& dims,
                                   const LoraTarget& target) {
  using Kind = LoraModule::Kind;
  if (m.kind == Kind::product) return {{file, m, m.first, false, dims, target}};
  if (m.kind == Kind::hadamard) return {{file, m, m.first, true, dims, target}, {file, m, m.second, true, dims, target}};
  const auto [out, in] = factor_shape(*file, m.first, true);
  require(out > 0 && in > 0 && dims[0] % out == 0 && dims[1] % in == 0, ErrorKind::bad_model,
          "{}: module {} has a Kronecker factor of ({}, {}), which does not divide {} of the model, ({})", file->path(), excerpt(m.name), out, in, target.name,
          fmt::join(target.dims, ", "));
  return {{file, m, m.first, true, {out, in, 1, 1}, target}, {file, m, m.second, true, {dims[0] / out, dims[1] / in, dims[2], dims[3]}, target}};
}

}  // namespace

LoraDelta::LoraDelta(std::shared_ptr<const SafetensorsFile> file, const LoraModule& module, const LoraTarget& target, float weight)
    : kind_(module.kind), factors_(factors_of(file, module, filter_dims(target.dims), target)), columns_(columns_of(filter_dims(target.dims))) {
  int64_t rank = 0;  // all that are products have the same
  for (const LoraFactor& factor : factors_)
    if (rank == 0) rank = factor.rank();
  const float alpha = module.alpha.value_or(0);
  scale_ = weight * (alpha == 0 || rank == 0 ? 1 : alpha / float(rank));
}

void LoraDelta::add_to(std::span<float> out, int64_t first) const {
  if (out.empty()) return;
  switch (kind_) {
    case LoraModule::Kind::product: return factors_[0].add_to(out, first, scale_);
    case LoraModule::Kind::hadamard: return add_hadamard(out, first);
    case LoraModule::Kind::kronecker: return add_kronecker(out, first);
  }
}

void LoraDelta::add_hadamard(std::span<float> out, int64_t first) const {
  const std::vector<float> a = factors_[0].values(first, int64_t(out.size())), b = factors_[1].values(first, int64_t(out.size()));
  for (size_t i = 0; i < out.size(); ++i) out[i] += scale_ * a[i] * b[i];
}

// Element (o, j) is a[o / rows of b, j / columns of b] * b[o % rows of b, j % columns of b].
void LoraDelta::add_kronecker(std::span<float> out, int64_t first) const {
  const LoraFactor &a = factors_[0], &b = factors_[1];
  const int64_t last = first + int64_t(out.size()), top = first / columns_, bottom = (last - 1) / columns_ + 1;
  const int64_t a_top = top / b.rows(), a_bottom = (bottom - 1) / b.rows() + 1;
  const bool one_block = a_bottom - a_top == 1;  // of rows: then not all of b is needed
  const int64_t b_top = one_block ? top % b.rows() : 0, b_rows = one_block ? bottom - top : b.rows();
  const std::vector<float> left = a.values(a_top * a.columns(), (a_bottom - a_top) * a.columns());
  const std::vector<float> right = b.values(b_top * b.columns(), b_rows * b.columns());
  for (int64_t row = top; row < bottom; ++row) {
    const float* factors = &left[size_t((row / b.rows() - a_top) * a.columns())];
    const float* values = &right[size_t((row % b.rows() - b_top) * b.columns())];
    const int64_t begin = row * columns_, to = std::min(last, begin + columns_) - begin;
    for (int64_t j = std::max(first, begin) - begin; j < to;) {
      const int64_t block = j / b.columns(), end = std::min(to, (block + 1) * b.columns());
      const float factor = scale_ * factors[block];
      for (; j < end; ++j) out[size_t(begin + j - first)] += factor * values[j - block * b.columns()];
    }
  }
}

}  // namespace hayate
