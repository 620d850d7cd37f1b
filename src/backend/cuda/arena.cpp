// By the driver's functions for virtual memory.
#include "backend/cuda/arena.h"

#include "backend/cuda/driver.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
struct Functions {
  decltype(&cuMemGetAllocationGranularity) granularity = HAYATE_DRIVER_FUNCTION(cuMemGetAllocationGranularity);
  decltype(&cuMemAddressReserve) reserve = HAYATE_DRIVER_FUNCTION(cuMemAddressReserve);
  decltype(&cuMemAddressFree) free = HAYATE_DRIVER_FUNCTION(cuMemAddressFree);
  decltype(&cuMemCreate) create = HAYATE_DRIVER_FUNCTION(cuMemCreate);
  decltype(&cuMemRelease) release = HAYATE_DRIVER_FUNCTION(cuMemRelease);
  decltype(&cuMemMap) map = HAYATE_DRIVER_FUNCTION(cuMemMap);
  decltype(&cuMemUnmap) unmap = HAYATE_DRIVER_FUNCTION(cuMemUnmap);
  decltype(&cuMemSetAccess) set_access = HAYATE_DRIVER_FUNCTION(cuMemSetAccess);
};
const Functions& driver() {
  static const Functions functions;
  return functions;
}
}  // namespace

Arena::Arena(int ordinal, int64_t most_bytes) {
  kind_.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  kind_.location = {.type = CU_MEM_LOCATION_TYPE_DEVICE, .id = ordinal};
  size_t unit = 0;
  check_driver(driver().granularity(&unit, &kind_, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED), "reading the size of the GPU's pages");
  unit_ = int64_t(unit);
  bytes_ = rounded(most_bytes);
  check_driver(driver().reserve(&begin_, size_t(bytes_), 0, 0, 0), "reserving addresses on the GPU");
}

Arena::~Arena() {
  decommit();
  driver().free(begin_, size_t(bytes_));
}

void Arena::commit(int64_t bytes) {
  if (bytes <= committed_) return;
  require(bytes <= bytes_, ErrorKind::out_of_memory, "{} bytes are needed at once, the GPU has {}", bytes, bytes_);
  const size_t more = size_t(rounded(bytes) - committed_);
  const CUdeviceptr at = begin_ + CUdeviceptr(committed_);
  Piece piece{.memory = 0, .at = committed_, .bytes = int64_t(more)};
  check_driver(driver().create(&piece.memory, more, &kind_, 0), "allocating GPU memory");
  CUresult mapped = driver().map(at, more, 0, piece.memory, 0);
  CUmemAccessDesc access{.location = kind_.location, .flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUresult granted = mapped == CUDA_SUCCESS ? driver().set_access(at, more, &access, 1) : mapped;
  if (granted != CUDA_SUCCESS) {
    if (mapped == CUDA_SUCCESS) driver().unmap(at, more);
    driver().release(piece.memory);
    check_driver(granted, "mapping GPU memory");
  }
  pieces_.push_back(piece);
  committed_ += piece.bytes;
}

void Arena::decommit() noexcept {
  for (const Piece& p : pieces_) {
    driver().unmap(begin_ + CUdeviceptr(p.at), size_t(p.bytes));
    driver().release(p.memory);
  }
  pieces_.clear();
  committed_ = 0;
}

}  // namespace hayate::cuda
