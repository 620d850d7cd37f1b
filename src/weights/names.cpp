// Renaming is done once, when a source is opened.
#include "weights/names.h"

#include "weights/mapped_source.h"

namespace hayate {

std::optional<std::string> current_name(const std::string& stored) {
  // A buffer of indices that transformers saved before 4.31.
  if (stored.ends_with("embeddings.position_ids")) return std::nullopt;
  // CLIP's temperature, which only comparing texts with pictures needs.
  if (stored == "logit_scale") return std::nullopt;
  // What training an autoencoder leaves: the discriminator, and averages of weights.
  if (stored.starts_with("loss.") || stored.starts_with("model_ema.")) return std::nullopt;
  // transformers 5 saves CLIPTextModel, unlike CLIPTextModelWithProjection, without the prefix.
  for (const char* part : {"embeddings.", "encoder.layers.", "final_layer_norm."})
    if (stored.starts_with(part)) return "text_model." + stored;
  // Attention of the autoencoder before diffusers 0.15.
  constexpr std::pair<std::string_view, std::string_view> projections[] = {
      {".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}};
  if (stored.find(".attentions.") != stored.npos)
    for (auto [old, current] : projections)
      if (size_t at = stored.find(old); at != stored.npos) return std::string(stored).replace(at, old.size(), current);
  return stored;
}

std::unique_ptr<TensorSource> with_current_names(std::shared_ptr<const TensorSource> source) {
  auto mapped = std::make_unique<MappedSource>(source);
  for (const std::string& stored : source->names())
    if (std::optional<std::string> name = current_name(stored)) mapped->add_renamed(*name, stored);
  return mapped;
}

}  // namespace hayate
