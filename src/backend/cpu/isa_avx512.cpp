// The kernels for AVX-512 (F, BW, DQ, VL). See isa_avx2.cpp for the order of things.
#include "backend/cpu/kernels/prelude.h"

#define HAYATE_ISA avx512
#define HAYATE_LANES 16
#define HAYATE_TILE_ROWS 12
#include "backend/cpu/kernels/bind.h"
