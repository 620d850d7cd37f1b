// As many pieces as threads use at once, up to a few.
#include "backend/cuda/pinned_pieces.h"

#include "backend/cuda/status.h"

namespace hayate::cuda {

void PinnedPieces::Taken::used_by(cudaStream_t stream) const { check(cudaEventRecord(piece_.used, stream), "copying between host and GPU"); }
void PinnedPieces::Taken::wait() const { check(cudaEventSynchronize(piece_.used), "copying between host and GPU"); }

PinnedPieces::Piece PinnedPieces::make() const {
  Piece piece;
  check(cudaMallocHost(&piece.data, kBytes), "allocating pinned host memory");
  if (const cudaError_t failure = cudaEventCreateWithFlags(&piece.used, cudaEventDisableTiming); failure != cudaSuccess) {
    cudaFreeHost(piece.data);
    check(failure, "creating an event");
  }
  return piece;
}

PinnedPieces::Taken PinnedPieces::take() {
  std::unique_lock lock(mutex_);
  const cudaError_t oldest = free_.empty() ? cudaErrorNotReady : cudaEventQuery(free_.front().used);
  if (oldest == cudaErrorNotReady) cudaGetLastError();  // which is no error
  const bool idle = oldest == cudaSuccess;
  if (!idle && made_ < kMost) {
    const Piece piece = make();
    ++made_;
    return {*this, piece};
  }
  given_back_.wait(lock, [&] { return !free_.empty(); });
  const Piece piece = free_.front();
  free_.pop_front();
  lock.unlock();
  try {
    check(cudaEventSynchronize(piece.used), "copying between host and GPU");
  } catch (...) {
    give_back(piece);
    throw;
  }
  return {*this, piece};
}

void PinnedPieces::give_back(Piece piece) noexcept {
  std::lock_guard lock(mutex_);
  free_.push_back(piece);
  given_back_.notify_one();
}

void PinnedPieces::free() {
  for (const Piece& piece : free_) {
    cudaFreeHost(piece.data);
    cudaEventDestroy(piece.used);
  }
  free_.clear();
}

}  // namespace hayate::cuda
