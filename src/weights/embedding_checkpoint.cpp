// The token embedding is read with rows appended; the config counts them.
#include "weights/embedding_checkpoint.h"

#include <algorithm>

#include "core/convert.h"
#include "core/error.h"

namespace hayate {
namespace {

constexpr const char* kTable = "text_model.embeddings.token_embedding.weight";
constexpr const char* kEncoders[] = {"text_encoder", "text_encoder_2"};

bool fits(const EmbeddingVectors& part, const std::string& component, int64_t width) {
  const char* name = component == kEncoders[0] ? "clip_l" : "clip_g";
  return part.width == width && (part.tensor == name || (part.tensor != "clip_l" && part.tensor != "clip_g"));
}

class LongerTable : public TensorSource {
 public:
  LongerTable(std::shared_ptr<const TensorSource> base, std::vector<float> rows, bool narrow) : base_(std::move(base)), rows_(std::move(rows)), narrow_(narrow) {}

  std::vector<std::string> names() const override { return base_->names(); }
  bool has(const std::string& name) const override { return base_->has(name); }
  std::vector<int64_t> dims(const std::string& name) const override {
    std::vector<int64_t> dims = base_->dims(name);
    if (name == kTable) dims[0] += int64_t(rows_.size()) / dims[1];
    return dims;
  }
  Dtype dtype(const std::string& name) const override { return name == kTable && !narrow_ ? Dtype::f32 : base_->dtype(name); }
  std::string stored_as(const std::string& name) const override { return name == kTable && !narrow_ ? name_of(Dtype::f32) : base_->stored_as(name); }
  using TensorSource::read;
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
    if (name != kTable) return base_->read(name, as, out, first);
    const std::vector<int64_t> dims = base_->dims(name);
    const int64_t width = size_of(as), count = int64_t(out.size()) / width, all_stored = dims[0] * dims[1];
    const int64_t stored = std::clamp<int64_t>(all_stored - first, 0, count);
    if (stored > 0) base_->read(name, as, out.first(size_t(stored * width)), first);
    if (stored == count) return;
    const auto added = std::as_bytes(std::span(rows_).subspan(size_t(first + stored - all_stored), size_t(count - stored)));
    const std::span<std::byte> rest = out.subspan(size_t(stored * width));
    as == Dtype::f32 ? void(std::ranges::copy(added, rest.begin())) : convert(Dtype::f32, added, as, rest);
  }
  void announce(const std::string& name) const override { base_->announce(name); }
  std::optional<int64_t> added_rank(const std::string& name) const override { return name == kTable ? std::nullopt : base_->added_rank(name); }
  SplitTensor split(const std::string& name) const override { return base_->split(name); }

 private:
  std::shared_ptr<const TensorSource> base_;
  std::vector<float> rows_;
  bool narrow_;
};

}  // namespace

EmbeddingCheckpoint::EmbeddingCheckpoint(std::unique_ptr<Checkpoint> base, const std::vector<std::string>& paths,
                                         const std::function<void(const std::string&)>& warn)
    : base_(std::move(base)) {
  for (const char* component : kEncoders) {
    if (!base_->has(component)) continue;
    const auto tensors = base_->tensors(component);
    require(tensors->has(kTable) && tensors->dims(kTable).size() == 2, ErrorKind::bad_model, "{}: {} has no matrix {}", base_->path(), component, kTable);
    encoders_.emplace(component, Encoder{.width = tensors->dims(kTable)[1], .vocabulary = tensors->dims(kTable)[0]});
  }
  for (const std::string& path : paths) add(read_embedding(path), warn);
}

void EmbeddingCheckpoint::add(const EmbeddingFile& file, const std::function<void(const std::string&)>& warn) {
  auto tell = [&](const std::string& text) { if (warn) warn(text); };
  std::vector<std::string> widths;
  for (const auto& [component, encoder] : encoders_) widths.push_back(fmt::format("{} {}", component, encoder.width));
  auto used = [&](const EmbeddingVectors& part) { return std::ranges::any_of(encoders_, [&](const auto& e) { return fits(part, e.first, e.second.width); }); };
  require(std::ranges::any_of(file.parts, used), ErrorKind::bad_model, "{}: {} is {} numbers wide, which fits no text encoder of {} ({})", file.path, file.parts[0].tensor, file.parts[0].width,
          base_->path(), fmt::join(widths, ", "));
  for (auto& [component, encoder] : encoders_) {
    const auto part = std::ranges::find_if(file.parts, [&, &c = component, &e = encoder](const EmbeddingVectors& p) { return fits(p, c, e.width); });
    int64_t count = 0;
    if (part != file.parts.end()) {
      count = part->count;
      encoder.narrow = encoder.narrow && part->dtype == base_->tensors(component)->dtype(kTable);
    }
    const int64_t first = encoder.vocabulary + int64_t(encoder.rows.size()) / encoder.width;
    for (const std::string& word : file.words)
      for (const char* before : {"", "embedding:"}) encoder.words.push_back({before + word, int32_t(first), int32_t(count)});
    if (count)
      encoder.rows.insert(encoder.rows.end(), part->values.begin(), part->values.end());
    else
      tell(fmt::format("{}: has no vectors for {}, which does not see the word", file.path, component));
  }
  for (const EmbeddingVectors& part : file.parts)
    if (!used(part)) tell(fmt::format("{}: {} is {} numbers wide, which fits no text encoder of {} ({})", file.path, part.tensor, part.width, base_->path(), fmt::join(widths, ", ")));
}

JsonObject EmbeddingCheckpoint::config(const std::string& component) const {
  JsonObject config = base_->config(component);
  const auto found = encoders_.find(component);
  if (found == encoders_.end()) return config;
  Json all = config.all();
  all["vocab_size"] = found->second.vocabulary + int64_t(found->second.rows.size()) / found->second.width;
  return {std::move(all), config.what()};
}

std::shared_ptr<const TensorSource> EmbeddingCheckpoint::tensors(const std::string& component) const {
  const auto found = encoders_.find(component);
  if (found == encoders_.end() || found->second.rows.empty()) return base_->tensors(component);
  return std::make_shared<LongerTable>(base_->tensors(component), found->second.rows, found->second.narrow);
}

std::vector<AddedWord> EmbeddingCheckpoint::words(const std::string& component) const {
  const auto found = encoders_.find(component);
  return found == encoders_.end() ? std::vector<AddedWord>{} : found->second.words;
}

}  // namespace hayate
