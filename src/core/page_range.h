// Memory straight from the operating system. What is given back is free at once, unlike malloc's, which may keep it for later.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>

namespace hayate {

// A fixed range of addresses that holds memory only between commit() and decommit().
class PageRange {
 public:
  explicit PageRange(int64_t bytes);  // throws Error(out_of_memory), as does commit()
  PageRange(PageRange&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  PageRange& operator=(PageRange&&) = delete;
  ~PageRange();

  std::byte* data() const { return data_; }  // aligned to a page
  void commit();                             // zeros
  void decommit() noexcept;                  // the content is lost; touching it ends the process

 private:
  std::byte* data_;
  int64_t bytes_;
};

}  // namespace hayate
