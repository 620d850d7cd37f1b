// The public convert_model.
#include "core/error.h"
#include "hayate/hayate.h"
#include "pipeline/open_model.h"
#include "weights/write_checkpoint.h"

namespace hayate {
namespace {

std::optional<Dtype> parse_dtype(const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (Dtype dtype : {Dtype::f16, Dtype::bf16, Dtype::f32})
    if (name == name_of(dtype)) return dtype;
  fail(ErrorKind::usage, "the type {} is unknown; expected f16, bf16 or f32", name);
}

}  // namespace

void convert_model(const Options& model, const std::string& output, const std::string& dtype,
                   const std::function<bool(int64_t done, int64_t total)>& on_written) {
  const std::optional<Dtype> as = parse_dtype(dtype);
  require(model.embeddings.empty(), ErrorKind::usage, "a model is not written with textual inversions in it: they stay files of their own");
  const std::unique_ptr<Checkpoint> from = open_model(model);
  output.ends_with(".safetensors") ? write_single_file(*from, output, as, on_written) : write_folder(*from, output, as, on_written);
}

}  // namespace hayate
