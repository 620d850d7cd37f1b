// Renaming is done once, when a source is opened; reading goes through a map.
#include "weights/names.h"

#include <map>

#include "core/error.h"

namespace hayate {
namespace {

class RenamedSource : public TensorSource {
 public:
  explicit RenamedSource(std::unique_ptr<TensorSource> source) : source_(std::move(source)) {
    for (const std::string& stored : source_->names()) {
      std::optional<std::string> name = current_name(stored);
      if (!name) continue;
      auto [entry, added] = stored_.emplace(*name, stored);
      require(added, ErrorKind::bad_model, "the tensors \"{}\" and \"{}\" both stand for \"{}\"", entry->second, stored, *name);
      names_.push_back(*name);
    }
  }

  std::vector<std::string> names() const override { return names_; }
  bool has(const std::string& name) const override { return stored_.contains(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return source_->dims(stored(name)); }
  Dtype dtype(const std::string& name) const override { return source_->dtype(stored(name)); }
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
    source_->read(stored(name), as, out, first);
  }

 private:
  const std::string& stored(const std::string& name) const {
    auto found = stored_.find(name);
    return found == stored_.end() ? name : found->second;  // the source's own error says where a name is missing
  }

  std::unique_ptr<TensorSource> source_;
  std::vector<std::string> names_;  // in the source's order
  std::map<std::string, std::string> stored_;
};

}  // namespace

std::optional<std::string> current_name(const std::string& stored) {
  // A buffer of indices that transformers saved before 4.31.
  if (stored.ends_with("embeddings.position_ids")) return std::nullopt;
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

std::unique_ptr<TensorSource> with_current_names(std::unique_ptr<TensorSource> source) { return std::make_unique<RenamedSource>(std::move(source)); }

}  // namespace hayate
