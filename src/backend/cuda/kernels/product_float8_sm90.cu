// Products of float8 (e4m3) factors.
#include "backend/cuda/kernels/tile_product_sm90.cuh"

namespace hayate::cuda {

void launch_float8_product(cudaStream_t s, const TileProduct& p, Dtype result, int variant, int multiprocessors) {
  if (result == Dtype::f8)
    launch_variant<__nv_fp8_e4m3, __nv_fp8_e4m3>(s, p, variant, multiprocessors);
  else
    launch_narrow<__nv_fp8_e4m3>(s, p, result, variant, multiprocessors);
}

}  // namespace hayate::cuda
