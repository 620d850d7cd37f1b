// A read of a view is a read of each part that it touches.
#include "weights/mapped_source.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/error.h"

namespace hayate {

namespace {
// What is the same for all parts.
template <class Get>
auto same_of(const std::vector<TensorPart>& parts, Get get) -> std::optional<decltype(get(parts[0].stored))> {
  const auto first = get(parts[0].stored);
  if (!std::ranges::all_of(parts, [&](const TensorPart& part) { return get(part.stored) == first; })) return std::nullopt;
  return first;
}
}  // namespace

int64_t element_count(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (int64_t dim : dims) count = checked_mul(count, dim, "a tensor");
  return count;
}

void MappedSource::add(const std::string& name, TensorView view) {
  auto [entry, added] = views_.emplace(name, std::move(view));
  require(added, ErrorKind::bad_model, "the tensors \"{}\" and \"{}\" both stand for \"{}\"", entry->second.parts.front().stored,
          view.parts.empty() ? "" : view.parts.front().stored, name);
  names_.push_back(name);
}

void MappedSource::add_renamed(const std::string& name, const std::string& stored) {
  std::vector<int64_t> dims = source_->dims(stored);
  const int64_t count = element_count(dims);
  add(name, {.parts = {{stored, 0, count}}, .dims = std::move(dims)});
}

const TensorView* MappedSource::find(const std::string& name) const {
  auto found = views_.find(name);
  return found == views_.end() ? nullptr : &found->second;
}

// The source's own error says where a name is missing.
std::vector<int64_t> MappedSource::dims(const std::string& name) const {
  const TensorView* view = find(name);
  return view ? view->dims : source_->dims(name);
}

Dtype MappedSource::dtype(const std::string& name) const {
  const TensorView* view = find(name);
  if (!view) return source_->dtype(name);
  return same_of(view->parts, [&](const std::string& stored) { return source_->dtype(stored); }).value_or(Dtype::f32);
}

std::string MappedSource::stored_as(const std::string& name) const {
  const TensorView* view = find(name);
  if (!view) return source_->stored_as(name);
  return same_of(view->parts, [&](const std::string& stored) { return source_->stored_as(stored); }).value_or(name_of(Dtype::f32));
}

void MappedSource::announce(const std::string& name) const {
  const TensorView* view = find(name);
  if (!view) return source_->announce(name);
  for (const TensorPart& part : view->parts) source_->announce(part.stored);
}

void MappedSource::read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const {
  const TensorView* view = find(name);
  if (!view) return source_->read(name, as, out, first);
  if (view->transposed) return read_transposed(*view, as, out, first);
  int64_t begin = 0;  // of the part, in the view
  const int64_t last = first + int64_t(out.size()) / size_of(as);
  for (const TensorPart& part : view->parts) {
    const int64_t from = std::max(first, begin), to = std::min(last, begin + part.count);
    if (from < to)
      source_->read(part.stored, as, out.subspan(size_t((from - first) * size_of(as)), size_t((to - from) * size_of(as))), part.first + from - begin);
    begin += part.count;
  }
  require(first >= 0 && last <= begin, ErrorKind::internal, "tensor {} has {} elements, but those from {} to {} are to be read", name, begin, first,
          last);
}

void MappedSource::read_transposed(const TensorView& view, Dtype as, std::span<std::byte> out, int64_t first) const {
  const int64_t rows = view.dims[0], columns = view.dims[1], count = int64_t(out.size()) / size_of(as);
  const size_t width = size_t(size_of(as));
  require(first >= 0 && first + count <= rows * columns, ErrorKind::internal, "tensor {} has {} elements, but those from {} to {} are to be read",
          view.parts[0].stored, rows * columns, first, first + count);
  std::vector<std::byte> stored(size_t(rows * columns) * width);  // (columns, rows)
  source_->read(view.parts[0].stored, as, stored);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = (first + i) / columns, column = (first + i) % columns;
    std::memcpy(&out[size_t(i) * width], &stored[size_t(column * rows + row) * width], width);
  }
}

}  // namespace hayate
