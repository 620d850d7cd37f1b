// The kernels with the instructions that every processor of the architecture has.
#define HAYATE_ISA baseline
#define HAYATE_LANES 4
#define HAYATE_TILE_ROWS 6
#include "backend/cpu/kernels/bind.h"
