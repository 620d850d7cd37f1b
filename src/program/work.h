// How much an op has to do, whoever does it: what measurements are compared with.
#pragma once
#include "program/program.h"

namespace hayate {

double flops_of(const Program&, const Node&);  // of products, two for each multiplication; 0 for everything else
double bytes_of(const Program&, const Node&);  // each operand read once, the result written once
double flops_of(const Program&, Rate section);
bool is_narrow(const Program&, const Node&);  // a product of 8-bit factors

}  // namespace hayate
