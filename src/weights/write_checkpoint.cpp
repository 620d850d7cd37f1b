// Everything is announced before the first tensor is copied, so what cannot be written is found out early.
#include "weights/write_checkpoint.h"

#include <algorithm>
#include <cmath>

#include "core/atomic_folder.h"
#include "core/convert.h"
#include "core/error.h"
#include "core/file_reader.h"
#include "weights/folder_listing.h"
#include "weights/mapped_source.h"
#include "weights/original_families.h"
#include "weights/safetensors_writer.h"
#include "weights/single_file_checkpoint.h"

namespace hayate {
namespace {

constexpr int64_t piece = int64_t{1} << 22;  // elements copied at once
constexpr const char* networks[] = {"unet", "vae", "text_encoder", "text_encoder_2"};
constexpr const char* tokenizer_files[] = {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"};

void require_finite(std::span<const std::byte> data, Dtype dtype, const std::string& name) {
  std::vector<float> values(data.size() / size_t(size_of(dtype)));
  convert(dtype, data, Dtype::f32, std::as_writable_bytes(std::span(values)));
  require(std::ranges::all_of(values, [](float v) { return std::isfinite(v); }), ErrorKind::not_finite,
          "tensor {} has a value that is not finite as {}; keep its type, or choose a wider one", name, name_of(dtype));
}

class WriteProgress {
 public:
  WriteProgress(int64_t total, const OnWritten& on_written) : total_(total), on_written_(on_written) {}
  void add(size_t bytes) {
    done_ += int64_t(bytes);
    require(!on_written_ || on_written_(done_, total_), ErrorKind::cancelled, "cancelled: nothing is written");
  }

 private:
  int64_t done_ = 0, total_;
  const OnWritten& on_written_;
};

void copy_tensor(const TensorSource& source, const std::string& name, Dtype as, SafetensorsWriter& to, const std::string& as_name,
                 WriteProgress& progress) {
  const int64_t count = element_count(source.dims(name));
  std::vector<std::byte> buffer(size_t(std::min(count, piece) * size_of(as)));
  for (int64_t first = 0; first < count; first += piece) {
    auto part = std::span(buffer).first(size_t(std::min(piece, count - first) * size_of(as)));
    source.read(name, as, part, first);
    if (as != source.dtype(name)) require_finite(part, as, as_name);
    to.write_part(as_name, first * size_of(as), part);
    progress.add(part.size());
  }
}

// Tensors to be written to one file, from several sources.
class Batch {
 public:
  explicit Batch(std::optional<Dtype> dtype) : dtype_(dtype) {}

  void add(std::shared_ptr<const TensorSource> source, const std::string& prefix) {
    for (const std::string& name : source->names())
      entries_.push_back({source, name, {prefix + name, dtype_.value_or(source->dtype(name)), source->dims(name)}});
  }
  int64_t bytes() const {
    int64_t sum = 0;
    for (const Entry& e : entries_) sum += element_count(e.written.dims) * size_of(e.written.dtype);
    return sum;
  }
  void write(const std::string& path, std::map<std::string, std::string> metadata, WriteProgress& progress) const {
    std::vector<TensorInfo> tensors;
    for (const Entry& e : entries_) tensors.push_back(e.written);
    metadata["format"] = "pt";  // diffusers and transformers refuse a file without it
    SafetensorsWriter writer(path, tensors, metadata);
    for (const Entry& e : entries_) copy_tensor(*e.source, e.name, e.written.dtype, writer, e.written.name, progress);
    writer.commit();
  }

 private:
  struct Entry {
    std::shared_ptr<const TensorSource> source;
    std::string name;
    TensorInfo written;
  };
  std::optional<Dtype> dtype_;
  std::vector<Entry> entries_;
};

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

void write_json(const std::string& path, const Json& json) { write_text(path, json.dump(2) + "\n"); }

bool is_tokenizer(const std::string& component) { return component == "tokenizer" || component == "tokenizer_2"; }

// The index without the components that hayate does not use: safety checkers, image encoders.
Json reduced_index(const Checkpoint& model) {
  Json index = model.index().all();
  for (auto& [name, entry] : index.items()) {
    const bool kept = std::ranges::find(networks, name) != std::end(networks) || is_tokenizer(name) || name == "scheduler";
    if (entry.is_array() && !kept) entry = {nullptr, nullptr};
  }
  return index;
}

void write_tokenizer(const std::string& from, const std::string& to) {
  constexpr int64_t max_bytes = int64_t{64} << 20;
  for (const char* name : tokenizer_files)
    if (present(from + "/" + name)) write_text(to + "/" + name, read_text_file(from + "/" + name, max_bytes));
}

}  // namespace

void write_folder(const Checkpoint& model, const std::string& path, std::optional<Dtype> dtype, const OnWritten& on_written) {
  AtomicFolder folder(path);
  std::map<std::string, Batch> batches;
  int64_t total = 0;
  for (const std::string name : networks) {
    if (!model.has(name)) continue;
    Batch& batch = batches.emplace(name, dtype).first->second;
    batch.add(model.tensors(name), "");
    total += batch.bytes();
  }
  const Json index = reduced_index(model);
  write_json(folder.path() + "/model_index.json", index);
  write_json(folder.make("scheduler") + "/scheduler_config.json", model.config("scheduler").all());
  for (const auto& [name, entry] : index.items())
    if (is_tokenizer(name)) write_tokenizer(model.tokenizer(name), folder.make(name));
  WriteProgress progress(total, on_written);
  for (const auto& [name, batch] : batches) {
    const std::string component = folder.make(name);
    write_json(component + "/config.json", model.config(name).all());
    batch.write(component + (name.starts_with("text") ? "/model.safetensors" : "/diffusion_pytorch_model.safetensors"), {}, progress);
  }
  folder.commit();
}

void write_single_file(const Checkpoint& model, const std::string& path, std::optional<Dtype> dtype, const OnWritten& on_written) {
  require_absent(path);
  const OriginalFamily& family = original_family_of(model);
  Json configs = {{"model_index", reduced_index(model)}, {"scheduler", model.config("scheduler").all()}};
  Batch batch(dtype);
  for (const OriginalComponent& c : family.components) {
    configs[c.name] = model.config(c.name).all();
    batch.add(to_original(c.part, model.tensors(c.name)), c.prefix);
  }
  WriteProgress progress(batch.bytes(), on_written);
  batch.write(path, {{SingleFileCheckpoint::configs_key, configs.dump(-1, ' ', false, Json::error_handler_t::replace)}}, progress);
}

}  // namespace hayate
