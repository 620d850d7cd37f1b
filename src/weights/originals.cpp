// Room is reserved before a tensor is read.
#include "weights/originals.h"

#include "core/error.h"

namespace hayate {

void Originals::allow(Room room) {
  std::lock_guard lock(mutex_);
  room_ = room;
  bytes_.read = 0;
}

Originals::Place Originals::reserve(int64_t bytes) {
  std::lock_guard lock(mutex_);
  bytes_.read += bytes;
  for (auto [place, room, kept] : {std::tuple(Place::device, &room_.device, &bytes_.device), {Place::host, &room_.host, &bytes_.host}})
    if (bytes <= *room) {
      *room -= bytes, *kept += bytes;
      return place;
    }
  return Place::nowhere;
}

Originals::Tensor Originals::get(const std::string& name, Dtype dtype, int64_t count, const std::function<void(std::span<std::byte>)>& read) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = kept_.find(name); found != kept_.end()) return found->second;
  }
  const int64_t bytes = count * size_of(dtype);
  const Place place = reserve(bytes);
  Tensor tensor{.bytes = place == Place::host ? backend_.allocate_on_host(bytes) : Buffer{}, .dtype = dtype};
  if (place == Place::host)
    read({tensor.bytes.get(), size_t(bytes)});
  else
    tensor.bytes = backend_.fill(bytes, read);
  if (place == Place::nowhere) return tensor;
  std::lock_guard lock(mutex_);
  return kept_.emplace(name, std::move(tensor)).first->second;
}

bool Originals::has(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return kept_.contains(name);
}

void Originals::clear() {
  std::lock_guard lock(mutex_);
  kept_.clear();
  bytes_ = {};
  room_ = {};
}

Originals::Bytes Originals::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace hayate
