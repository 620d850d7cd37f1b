// The kernels for AVX-512 with its sums of products of 8-bit numbers (VNNI).
#define HAYATE_ISA avx512_vnni
#define HAYATE_LANES 16
#define HAYATE_TILE_ROWS 12
#include "backend/cpu/kernels/bind.h"
