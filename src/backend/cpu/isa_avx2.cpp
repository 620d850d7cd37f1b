// The kernels for AVX2 and FMA. What prelude.h includes stays free of those instructions: the linker may keep this file's copy of
// an inline function of the standard library for the whole program.
#include "backend/cpu/kernels/prelude.h"

#define HAYATE_ISA avx2
#define HAYATE_LANES 8
#define HAYATE_TILE_ROWS 6
#include "backend/cpu/kernels/bind.h"
