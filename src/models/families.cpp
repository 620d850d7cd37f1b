// The table of families.
#include "models/families.h"

#include "core/error.h"

namespace hayate {

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {.name = "Stable Diffusion XL", .pipeline_classes = {"StableDiffusionXLPipeline", "StableDiffusionXLInpaintPipeline"}, .text_encoders = {"text_encoder", "text_encoder_2"},
       .tokenizers = {"tokenizer", "tokenizer_2"}, .skip_layers = 1, .final_norm = false, .added_embedding = true},
      {.name = "Stable Diffusion XL refiner", .pipeline_classes = {"StableDiffusionXLImg2ImgPipeline"}, .text_encoders = {"text_encoder_2"},
       .tokenizers = {"tokenizer_2"}, .skip_layers = 1, .final_norm = false, .added_embedding = true},
      {.name = "Stable Diffusion 1.x / 2.x", .pipeline_classes = {"StableDiffusionPipeline", "StableDiffusionInpaintPipeline"}, .text_encoders = {"text_encoder"},
       .tokenizers = {"tokenizer"}, .skip_layers = 0, .final_norm = true, .added_embedding = false},
  };
  return all;
}

const Family& find_family(const std::string& pipeline_class, const std::string& what) {
  std::string known;
  for (const Family& f : families())
    for (const char* name : f.pipeline_classes) {
      if (pipeline_class == name) return f;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
  fail(ErrorKind::unsupported, "{}: _class_name is {}; supported: {}", what, pipeline_class, known);
}

}  // namespace hayate
