// Products of int8 factors.
#include "backend/cuda/kernels/tile_product_sm90.cuh"

namespace hayate::cuda {

void launch_int8_product(cudaStream_t s, const TileProduct& p, Dtype result, int variant, int multiprocessors) {
  launch_narrow<int8_t>(s, p, result, variant, multiprocessors);
}

}  // namespace hayate::cuda
