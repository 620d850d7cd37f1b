// Whatever was done to a weight at load, its first input leads to it.
#include "passes/layer_name.h"

namespace hayate {

std::string layer_name(const Program& p, Value weight) {
  while (!is_source(p[weight])) weight = p[weight].in[0];
  const std::string& name = p[weight].name;
  return name.substr(0, name.rfind(".weight"));
}

}  // namespace hayate
