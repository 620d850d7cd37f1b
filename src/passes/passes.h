// Every technique of the ladder: Program -> Program, one file each.
#pragma once
#include "passes/quantization.h"

namespace hayate {

struct PassOptions {
  const Target& target;
  Dtype dtype = Dtype::f32;  // what lower_precision lowers to
  std::vector<Dtype> quantized = {};  // what quantize_linears may make
  Quantization quantization = {};
};
struct Pass {
  const char* name;
  Program (*apply)(const Program&, const PassOptions&);
};

Program lower_precision(const Program&, const PassOptions&);
Program fuse_attention(const Program&, const PassOptions&);
Program fuse_activation(const Program&, const PassOptions&);
Program fuse_geglu(const Program&, const PassOptions&);
Program fuse_layer_norm(const Program&, const PassOptions&);
Program fuse_residual(const Program&, const PassOptions&);
Program merge_duplicates(const Program&, const PassOptions&);
Program fold_upsample(const Program&, const PassOptions&);
Program fuse_projections(const Program&, const PassOptions&);
Program quantize_linears(const Program&, const PassOptions&);
Program quantize_convolutions(const Program&, const PassOptions&);
Program fuse_quantize(const Program&, const PassOptions&);
Program pack_weights(const Program&, const PassOptions&);

}  // namespace hayate
