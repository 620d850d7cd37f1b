// A set of dotted names, asked about what lies under a module.
#pragma once
#include <set>
#include <string>

#include "weights/tensor_source.h"

namespace hayate {

class NameTree {
 public:
  explicit NameTree(const TensorSource& source) {
    for (std::string& name : source.names()) names_.insert(std::move(name));
  }

  bool has_under(const std::string& prefix) const {  // "input_blocks.1."
    auto found = names_.lower_bound(prefix);
    return found != names_.end() && found->starts_with(prefix);
  }
  // How many modules prefix0. prefix1. ... there are; a gap ends them.
  int64_t count(const std::string& prefix) const {
    int64_t n = 0;
    while (has_under(prefix + std::to_string(n) + ".")) ++n;
    return n;
  }

 private:
  std::set<std::string> names_;
};

}  // namespace hayate
