// What the device reaches at most, measured: the yardstick for how close a step comes.
#pragma once
#include "hayate/hayate.h"
#include "pipeline/component.h"

namespace hayate {

Ceilings measure_ceilings(const Compiler&);

}  // namespace hayate
