// The kernels for AVX-512 with sums of products of 8-bit numbers (VNNI) and of bfloat16.
#define HAYATE_ISA avx512_bf16
#define HAYATE_LANES 16
#define HAYATE_TILE_ROWS 12
#include "backend/cpu/kernels/bind.h"
