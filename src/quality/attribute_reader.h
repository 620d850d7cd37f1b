// Pictures in, the class of each attribute group out.
#pragma once
#include <vector>

#include "hayate/hayate.h"
#include "models/attribute_classifier.h"
#include "pipeline/component.h"

namespace hayate {

class AttributeReader {
 public:
  // `folder` has attributes.json and attributes.safetensors.
  explicit AttributeReader(const std::string& folder);

  const std::vector<AttributeGroup>& groups() const { return config_.groups; }
  // The most likely class of every group. Error(usage) if the picture is not of the size that the network was trained for.
  std::vector<size_t> read(const Image&);

 private:
  AttributeClassifierConfig config_;
  Compiler compiler_;
  Component component_;
};

}  // namespace hayate
