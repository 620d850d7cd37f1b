// Options for SDXL's micro-conditioning, of either half.
#pragma once
#include <optional>

#include "hayate/hayate.h"
#include "table.h"

namespace hayate::cli {

// As given: only what was named replaces a default.
struct MicroOptions {
  std::optional<std::array<int, 2>> original_size, crop_top_left, target_size;

  void add_to(Table, const std::string& prefix, const std::string& fallback);
  bool given() const { return original_size || crop_top_left || target_size; }
  MicroConditioning over(MicroConditioning base) const {
    return {original_size.value_or(base.original_size), crop_top_left.value_or(base.crop_top_left), target_size.value_or(base.target_size)};
  }
};

}  // namespace hayate::cli
