// Files of TAESD's decoder: a diffusers folder (AutoencoderTiny), its weights alone, or a file under the original names
// (taesdxl_decoder.safetensors).
#pragma once
#include <memory>
#include <string>

#include "core/json.h"
#include "weights/tensor_source.h"

namespace hayate {

struct TinyDecoderFile {
  JsonObject config;                            // as a folder states it, or that of the published files
  std::shared_ptr<const TensorSource> tensors;  // the decoder's, under diffusers' names
};

// Error(bad_model) for a file that is something else, the encoder for one.
TinyDecoderFile open_tiny_decoder(const std::string& path);

}  // namespace hayate
