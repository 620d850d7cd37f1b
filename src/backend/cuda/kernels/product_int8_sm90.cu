// Products of int8 factors.
#include "backend/cuda/kernels/tile_product_sm90.cuh"

namespace hayate::cuda {

void launch_int8_product(cudaStream_t s, const TileProduct& p, Dtype result, int variant, int multiprocessors) {
  if (result == Dtype::bf16)
    launch_variant<__nv_bfloat16, int8_t>(s, p, variant, multiprocessors);
  else
    launch_variant<__half, int8_t>(s, p, variant, multiprocessors);
}

}  // namespace hayate::cuda
