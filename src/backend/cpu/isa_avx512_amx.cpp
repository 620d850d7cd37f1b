// The kernels for AVX-512 as in isa_avx512_bf16.cpp, with products of matrices of bfloat16 and of 8-bit numbers (AMX).
#define HAYATE_ISA avx512_amx
#define HAYATE_LANES 16
#define HAYATE_TILE_ROWS 12
#include "backend/cpu/kernels/bind.h"
