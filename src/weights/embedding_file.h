// A textual inversion file taken apart: vectors that stand for a word (Gal et al., arXiv 2208.01618).
#pragma once
#include <string>
#include <vector>

#include "core/dtype.h"

namespace hayate {

// What one text encoder sees in place of the word.
struct EmbeddingVectors {
  std::string tensor;         // its name in the file
  int64_t count, width;
  Dtype dtype;                // the narrowest that holds what is stored
  std::vector<float> values;  // (count, width), finite
};

struct EmbeddingFile {
  std::string path;
  std::vector<std::string> words;  // what prompts call it: the file's name without ending, and where diffusers names a token, that
  std::vector<EmbeddingVectors> parts;
};

// Three forms: `clip_l` and `clip_g` (SDXL, of sd-scripts, diffusers and ComfyUI), `emb_params` (of AUTOMATIC1111's web UI), or one tensor whose name is the token
// (diffusers). Error(bad_file) for any other, for no vector, for more than 75 or wider ones than 16384, Error(not_finite) for NaN and infinity.
EmbeddingFile read_embedding(const std::string& path);

}  // namespace hayate
