// Header first, padded so that the data is aligned; then each tensor at its place.
#include "weights/safetensors_writer.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

const char* stored_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32: return "F32";
    case Dtype::f16: return "F16";
    case Dtype::bf16: return "BF16";
    case Dtype::i8: return "I8";
    case Dtype::f8: return "F8_E4M3";
    case Dtype::i32: return "I32";
  }
  fail(ErrorKind::internal, "safetensors has no name for dtype {}", int(dtype));
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::string& path, std::vector<TensorInfo> tensors, const std::map<std::string, std::string>& metadata)
    : path_(path), file_(path) {
  std::ranges::stable_sort(tensors, std::ranges::greater(), [](const TensorInfo& t) { return size_of(t.dtype); });
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t data_bytes = 0;
  for (const TensorInfo& tensor : tensors) {
    int64_t bytes = size_of(tensor.dtype);
    for (int64_t dim : tensor.dims) bytes = checked_mul(bytes, dim, tensor.name.c_str());
    const int64_t begin = data_bytes;
    data_bytes = checked_add(begin, bytes, tensor.name.c_str());
    bool added = places_.emplace(tensor.name, Place{begin, data_bytes}).second;
    require(added && tensor.name != "__metadata__", ErrorKind::internal, "{}: the name {} cannot be given to a tensor, or not twice", path,
            excerpt(tensor.name));
    header[tensor.name] = {{"dtype", stored_name(tensor.dtype)}, {"shape", tensor.dims}, {"data_offsets", {begin, data_bytes}}};
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  char length[8];
  for (int i = 0; i < 8; ++i) length[i] = char(uint64_t(text.size()) >> 8 * i);
  file_.write(std::as_bytes(std::span(length)));
  file_.write(std::as_bytes(std::span(text)));
  for (auto& [name, place] : places_) place.begin += 8 + int64_t(text.size()), place.end += 8 + int64_t(text.size());
}

SafetensorsWriter::Place& SafetensorsWriter::find(const std::string& name) {
  auto found = places_.find(name);
  require(found != places_.end(), ErrorKind::internal, "{}: tensor {} was not announced", path_, excerpt(name));
  return found->second;
}

void SafetensorsWriter::write(const std::string& name, std::span<const std::byte> data) {
  const Place& place = find(name);
  require(int64_t(data.size()) == place.end - place.begin, ErrorKind::internal, "{}: tensor {} has {} bytes, but {} were announced", path_,
          excerpt(name), data.size(), place.end - place.begin);
  write_part(name, 0, data);
}

void SafetensorsWriter::write_part(const std::string& name, int64_t first_byte, std::span<const std::byte> data) {
  Place& place = find(name);
  require(first_byte >= 0 && int64_t(data.size()) <= place.end - place.begin - first_byte, ErrorKind::internal,
          "{}: tensor {} has {} bytes, but {} from byte {} on are to be written", path_, excerpt(name), place.end - place.begin, data.size(),
          first_byte);
  file_.write_at(place.begin + first_byte, data);
  place.written += int64_t(data.size());
}

void SafetensorsWriter::commit() {
  for (const auto& [name, place] : places_)
    require(place.written == place.end - place.begin, ErrorKind::internal, "{}: tensor {} was announced but {} of its {} bytes were written", path_,
            excerpt(name), place.written, place.end - place.begin);
  file_.commit();
}

}  // namespace hayate
