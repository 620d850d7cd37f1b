// Counts how many of the asked attributes pictures have, and how sure that count is.
#pragma once
#include <string>
#include <vector>

#include "hayate/quality.h"

namespace hayate {

class AttributeTally {
 public:
  void add_picture(int right, int asked);
  AttributeScore score() const;

 private:
  struct Picture { int right, asked; };
  std::vector<Picture> pictures_;
};

}  // namespace hayate
