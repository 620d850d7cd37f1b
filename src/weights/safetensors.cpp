// The header's rules, in the order in which they are checked: its length, its JSON, each tensor alone, all tensors together.
#include "weights/safetensors.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <memory>

#include "core/error.h"
#include "core/float8.h"
#include "core/json.h"
#include "core/parallel.h"
#include "weights/foreign_file.h"

namespace hayate {
namespace {

// Limits of ours, far above what models have. (The reference reader allows headers of 100 MB.)
constexpr int64_t max_header_bytes = int64_t{32} << 20;
constexpr size_t max_tensors = 100000, max_name_bytes = 4096, max_rank = 8;
constexpr int64_t max_dim = (int64_t{1} << 31) - 1;

constexpr StoredType stored_types[] = {
    {"BOOL", 8},
    {"F4", 4},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"U8", 8},
    {"I8", 8},
    {"F8_E5M2", 8, convert_from<f8_e5m2>, Dtype::f16},
    {"F8_E4M3", 8, convert_from<f8_e4m3>, Dtype::f16},
    {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8},
    {"I16", 16},
    {"U16", 16},
    {"F16", 16, convert_from<f16>, Dtype::f16},
    {"BF16", 16, convert_from<bf16>, Dtype::bf16},
    {"I32", 32},
    {"U32", 32},
    {"F32", 32, convert_from<float>, Dtype::f32},
    {"C64", 64},
    {"F64", 64, convert_from<double>, Dtype::f32},
    {"I64", 64},
    {"U64", 64},
};

// The header's text, which starts at byte 8.
std::string read_header(const FileReader& file) {
  std::string start(size_t(std::min<int64_t>(file.size(), 64)), '\0');
  file.read(0, std::as_writable_bytes(std::span(start)));
  uint64_t length = 0;
  for (size_t i = 0; i < std::min<size_t>(start.size(), 8); ++i) length |= uint64_t(uint8_t(start[i])) << 8 * i;
  if (start.size() < 8 || length > uint64_t(max_header_bytes)) {
    const std::string what = describe_foreign_file(start);
    require(what.empty(), ErrorKind::bad_file, "{}: not a safetensors file but {}", file.path(), what);
  }
  require(file.size() >= 8, ErrorKind::bad_file, "{}: not a safetensors file: only {} bytes long", file.path(), file.size());
  require(length <= uint64_t(std::min(max_header_bytes, file.size() - 8)), ErrorKind::bad_file,
          "{}: not a whole safetensors file: its header would have {} bytes, expected at most {} in a file of {}", file.path(), length,
          max_header_bytes, file.size());
  std::string header(length, '\0');
  file.read(8, std::as_writable_bytes(std::span(header)));
  return header;
}

const StoredType* find_type(const std::string& name, const std::string& what) {
  auto found = std::ranges::find(stored_types, std::string_view(name), &StoredType::name);
  require(found != std::end(stored_types), ErrorKind::bad_file, "{}: dtype {} is unknown", what, excerpt(name));
  return found;
}

StoredTensor parse_tensor(const std::string& file, const std::string& name, const Json& json, int64_t data_begin) {
  const std::string what = fmt::format("{}: tensor {}", file, excerpt(name));
  require(name.size() <= max_name_bytes, ErrorKind::bad_file, "{}: a name of {} bytes, expected at most {}", what, name.size(), max_name_bytes);
  require(name.find('\0') == name.npos, ErrorKind::bad_file, "{}: a zero byte in the name", what);
  const JsonObject entry(json, what, ErrorKind::bad_file);
  const StoredType* type = find_type(entry.string("dtype"), what);
  std::vector<int64_t> dims = entry.integers("shape", 0, max_dim), offsets = entry.integers("data_offsets", 0, INT64_MAX);
  require(dims.size() <= max_rank, ErrorKind::bad_file, "{}: {} dimensions, expected at most {}", what, dims.size(), max_rank);
  require(offsets.size() == 2 && offsets[0] <= offsets[1], ErrorKind::bad_file, "{}: data_offsets are {}, expected [begin, end]", what,
          excerpt(entry.raw("data_offsets")));

  int64_t bits = type->bits;
  for (int64_t dim : dims) bits = checked_mul(bits, dim, what.c_str());
  require(bits % 8 == 0 && bits / 8 == offsets[1] - offsets[0], ErrorKind::bad_file,
          "{}: {} of shape {} takes {} bits, but its data_offsets span {} bytes", what, type->name, excerpt(entry.raw("shape")), bits,
          offsets[1] - offsets[0]);
  return {name, type, std::move(dims), checked_add(data_begin, offsets[0], what.c_str()), checked_add(data_begin, offsets[1], what.c_str())};
}

std::map<std::string, std::string> parse_metadata(const std::string& file, const Json& json) {
  const JsonObject entries(json, file + ": __metadata__", ErrorKind::bad_file);
  std::map<std::string, std::string> metadata;
  for (const std::string& key : entries.keys()) metadata[key] = entries.string(key);
  return metadata;
}

// Each byte after the header belongs to exactly one tensor: no two share bytes, and nothing hides between or after them.
void check_cover(const std::string& file, const std::vector<StoredTensor>& sorted, int64_t data_begin, int64_t file_size) {
  int64_t covered = data_begin;
  for (const StoredTensor& tensor : sorted) {
    require(tensor.begin == covered, ErrorKind::bad_file, "{}: tensor {} starts at byte {} of the data, expected {}: {}", file, excerpt(tensor.name),
            tensor.begin - data_begin, covered - data_begin, tensor.begin < covered ? "it overlaps the one before" : "there is a hole before it");
    covered = tensor.end;
  }
  require(covered == file_size, ErrorKind::bad_file, "{}: the file has {} bytes, but its header describes {}: {}", file, file_size, covered,
          covered > file_size ? "it is cut short" : "something follows the tensors");
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  const std::string text = read_header(file_);
  const int64_t data_begin = 8 + int64_t(text.size());
  const Json header = parse_json(text, path + ": header", {.max_bytes = max_header_bytes, .max_depth = 8});
  require(header.is_object(), ErrorKind::bad_file, "{}: the header is {}, expected a JSON object", path, excerpt(header));
  require(header.size() <= max_tensors, ErrorKind::bad_file, "{}: {} tensors, expected at most {}", path, header.size(), max_tensors);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__")
      metadata_ = parse_metadata(path, entry);
    else
      tensors_.push_back(parse_tensor(path, name, entry, data_begin));
  }
  std::ranges::sort(tensors_, {}, [](const StoredTensor& t) { return std::pair(t.begin, t.end); });
  check_cover(path, tensors_, data_begin, file_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const StoredTensor& tensor : tensors_) names.push_back(tensor.name);
  return names;
}

bool SafetensorsFile::has(const std::string& name) const { return index_.contains(name); }

std::vector<int64_t> SafetensorsFile::dims(const std::string& name) const { return find(name).dims; }

const StoredTensor& SafetensorsFile::find(const std::string& name) const {
  auto found = index_.find(name);
  require(found != index_.end(), ErrorKind::bad_model, "{}: there is no tensor {} among its {}", path(), excerpt(name), tensors_.size());
  return tensors_[found->second];
}

const StoredTensor& SafetensorsFile::find_weight(const std::string& name) const {
  const StoredTensor& tensor = find(name);
  require(tensor.type->convert != nullptr, ErrorKind::unsupported,
          "{}: tensor {} is {}, expected a weight in F32, F16, BF16, F64, F8_E4M3 or F8_E5M2. Quantized checkpoints are not supported", path(),
          excerpt(name), tensor.type->name);
  return tensor;
}

Dtype SafetensorsFile::dtype(const std::string& name) const { return find_weight(name).type->holds; }

std::string SafetensorsFile::stored_as(const std::string& name) const {
  std::string type = find_weight(name).type->name;
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return type;
}

void SafetensorsFile::announce(const std::string& name) const {
  const StoredTensor& tensor = find(name);
  file_.announce(tensor.begin, tensor.end - tensor.begin);
}

void SafetensorsFile::read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const {
  const StoredTensor& tensor = find_weight(name);
  const int64_t width = tensor.type->bits / 8, elements = (tensor.end - tensor.begin) / width, count = int64_t(out.size()) / size_of(as);
  require(int64_t(out.size()) == count * size_of(as) && first >= 0 && count <= elements - first, ErrorKind::internal,
          "{}: tensor {} has {} elements, which do not fill {} bytes of {} from element {} on", path(), excerpt(name), elements, out.size(),
          name_of(as), first);

  constexpr int64_t chunk = int64_t{1} << 17;  // elements: what is read is still in the cache when it is converted
  const bool as_stored = tensor.type->holds == as && width == size_of(as);
  parallel_for(count, 4 * chunk, [&](int64_t begin, int64_t end) {
    auto target = [&](int64_t from, int64_t to) { return out.subspan(size_t(from * size_of(as)), size_t((to - from) * size_of(as))); };
    auto place = [&](int64_t at) { return tensor.begin + (first + at) * width; };
    if (as_stored) return file_.read(place(begin), target(begin, end));
    const int64_t staged = std::min(chunk, end - begin);
    auto staging = std::make_unique_for_overwrite<double[]>(size_t((staged * width + 7) / 8));  // aligned for every type
    for (int64_t from = begin, to; from < end; from = to) {
      to = std::min(from + staged, end);
      auto piece = std::as_writable_bytes(std::span(staging.get(), size_t((staged * width + 7) / 8))).first(size_t((to - from) * width));
      file_.read(place(from), piece);
      tensor.type->convert(piece, as, target(from, to));
    }
  });
}

}  // namespace hayate
