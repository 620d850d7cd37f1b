// Headers and configs, summed up.
#include "hayate/inspect.h"

#include <filesystem>

#include "core/error.h"
#include "models/config.h"
#include "models/families.h"
#include "pipeline/open_decoder.h"
#include "pipeline/open_model.h"
#include "schedule/scheduler_config.h"
#include "weights/embedding_checkpoint.h"
#include "weights/mapped_source.h"
#include "weights/safetensors.h"

namespace hayate {
namespace {

namespace fs = std::filesystem;

const char* name_of(PredictionType type) {
  switch (type) {
    case PredictionType::epsilon: return "epsilon";
    case PredictionType::v_prediction: return "v_prediction";
    case PredictionType::sample: return "sample";
  }
  return "?";
}

int64_t size_of_files(const std::string& path) {
  std::error_code ignored;  // what cannot be read counts as nothing: the size is only told
  if (fs::is_regular_file(path, ignored)) return int64_t(fs::file_size(path, ignored));
  int64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, ignored))
    if (entry.is_regular_file(ignored)) bytes += int64_t(entry.file_size(ignored));
  return bytes;
}

// Whole numbers are no weights: positions, masks.
bool is_whole(const StoredType& type) { return std::string_view("BIU").find(type.name[0]) != std::string_view::npos && type.name[1] != 'F'; }

ComponentInfo inspect_component(const Checkpoint& model, const std::string& name) {
  ComponentInfo info{.name = name};
  const std::shared_ptr<const TensorSource> tensors = model.tensors(name);
  for (const std::string& tensor : tensors->names()) {
    const int64_t count = element_count(tensors->dims(tensor));
    info.parameters = checked_add(info.parameters, count, name.c_str());
    info.parameters_by_dtype[tensors->stored_as(tensor)] += count;
  }
  return info;
}

}  // namespace

TensorFileInfo inspect_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  TensorFileInfo info{.metadata = file.metadata(), .bytes = int64_t(fs::file_size(path))};
  for (const StoredTensor& t : file.tensors())
    info.tensors.push_back({t.name, t.type->name, t.dims, t.end - t.begin, t.type->convert || is_whole(*t.type)});
  return info;
}

ModelInfo inspect_model(const Options& options) {
  const auto model = open_model(options);
  static_cast<void>(open_decoder(options, *model));  // which is not summed up, but must be there
  const Family& family = find_family(model->index().string("_class_name"), model->index().what());
  const SchedulerConfig scheduler = parse_scheduler_config(model->config("scheduler"));
  const UNetConfig unet = parse_unet_config(model->config("unet"));
  const int side = int(unet.sample_size * parse_vae_config(model->config("vae")).downscale());
  ModelInfo info{.name = model_name(model->path()),
                 .path = model->path(),
                 .family = family.name,
                 .width = side,
                 .height = side,
                 .scheduler = scheduler.class_name,
                 .prediction = name_of(scheduler.prediction_type),
                 .inpaints = unet.reads_mask(),
                 .bytes = size_of_files(model->path())};
  for (const char* encoder : family.text_encoders) info.components.push_back(inspect_component(*model, encoder));
  for (const char* component : {"unet", "vae"}) info.components.push_back(inspect_component(*model, component));
  return info;
}

std::vector<std::string> fitting_embeddings(const Options& options, const std::vector<std::string>& paths) {
  std::vector<std::string> fitting;
  if (paths.empty()) return fitting;
  EmbeddingCheckpoint model(open_base(options), {}, {});
  for (const std::string& path : paths) try {
      model.add(read_embedding(path), {});
      fitting.push_back(path);
    } catch (const Error& error) {
      if (options.warn) options.warn(fmt::format("left out: {}", error.what()));
    }
  return fitting;
}

}  // namespace hayate
