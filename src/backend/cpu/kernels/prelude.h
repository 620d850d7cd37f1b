// Everything that the kernels include, so that it is compiled before a file chooses its instruction set.
#pragma once
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "backend/cpu/isa.h"
#include "backend/cpu/scratch.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/parallel.h"
