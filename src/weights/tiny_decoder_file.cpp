// The original is a sequence whose first member, without weights, is not one of diffusers': numbers differ by one.
#include "weights/tiny_decoder_file.h"

#include <filesystem>
#include <optional>

#include "core/error.h"
#include "weights/describe_tensors.h"
#include "weights/folder_listing.h"
#include "weights/mapped_source.h"
#include "weights/safetensors.h"
#include "weights/weight_files.h"

namespace hayate {

namespace {
constexpr const char* diffusers_prefix = "decoder.layers.";
constexpr const char* published_class = "AutoencoderTiny";
constexpr const char* published_config =
    R"({"_class_name": "AutoencoderTiny", "decoder_block_out_channels": [64, 64, 64, 64], "num_decoder_blocks": [3, 3, 3, 1]})";

// "3.conv.0.weight": the number, and what follows it.
std::optional<std::pair<int, std::string>> original_name(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == 0 || dot == name.npos || dot > 3 || name.find_first_not_of("0123456789") != dot) return {};
  return std::pair(std::stoi(name.substr(0, dot)), name.substr(dot));
}

// Files of diffusers have the encoder beside the decoder.
std::shared_ptr<const TensorSource> decoder_tensors(const std::shared_ptr<const TensorSource>& file, const std::string& path) {
  auto decoder = std::make_shared<MappedSource>(file);
  for (const std::string& name : file->names()) {
    const auto original = original_name(name);
    if (name.starts_with("decoder."))
      decoder->add_renamed(name, name);
    else if (original && original->first > 0)
      decoder->add_renamed(diffusers_prefix + std::to_string(original->first - 1) + original->second, name);
    else
      require(name.starts_with("encoder."), ErrorKind::bad_model, "{}: has {}, which is not in TAESD's decoder: it looks like {}{}", path, name,
              describe_tensors(*file), name == "0.weight" ? ", TAESD's encoder perhaps" : "");
  }
  require(decoder->has(std::string(diffusers_prefix) + "0.weight"), ErrorKind::bad_model, "{}: has no decoder of TAESD: it looks like {}", path,
          describe_tensors(*file));
  return decoder;
}
}  // namespace

TinyDecoderFile open_tiny_decoder(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    const std::string config = path + "/config.json";
    require(present(config), ErrorKind::not_found, "{}: has no config.json. Found: {}", path, list_entries(path));
    JsonObject stated(read_json_file(config), config);
    const std::string kind = stated.string("_class_name", published_class);
    require(kind == published_class, ErrorKind::bad_model, "{}: _class_name is {}; expected {}", config, kind, published_class);
    return {std::move(stated), decoder_tensors(open_weights(path), path)};
  }
  const auto tensors = decoder_tensors(std::make_shared<SafetensorsFile>(path), path);
  Json config = Json::parse(published_config);
  const std::vector<int64_t> dims = tensors->dims(std::string(diffusers_prefix) + "0.weight");
  if (dims.size() == 4) config["latent_channels"] = dims[1];
  return {{std::move(config), path}, tensors};
}

}  // namespace hayate
