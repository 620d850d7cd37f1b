// The kernels for AVX2 and FMA; flags in CMakeLists.txt.
#define HAYATE_ISA avx2
#define HAYATE_LANES 8
#define HAYATE_TILE_ROWS 6
#include "backend/cpu/kernels/bind.h"
