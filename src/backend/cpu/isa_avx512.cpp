// The kernels for AVX-512 (F, BW, DQ, VL); flags in CMakeLists.txt.
#define HAYATE_ISA avx512
#define HAYATE_LANES 16
#define HAYATE_TILE_ROWS 12
#include "backend/cpu/kernels/bind.h"
