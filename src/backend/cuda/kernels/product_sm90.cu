// Products of 16-bit factors.
#include "backend/cuda/kernels/tile_product_sm90.cuh"

namespace hayate::cuda {

void launch_tile_product(cudaStream_t s, const TileProduct& p, Dtype factor, Dtype result, int variant, int multiprocessors) {
  auto launch = factor == Dtype::i8 ? launch_int8_product : factor == Dtype::f8 ? launch_float8_product : launch_wide_product;
  launch(s, p, result, variant, multiprocessors);
}

void launch_wide_product(cudaStream_t s, const TileProduct& p, Dtype result, int variant, int multiprocessors) {
  if (result == Dtype::bf16)
    launch_variant<__nv_bfloat16, __nv_bfloat16>(s, p, variant, multiprocessors);
  else
    launch_variant<__half, __half>(s, p, variant, multiprocessors);
}

}  // namespace hayate::cuda
