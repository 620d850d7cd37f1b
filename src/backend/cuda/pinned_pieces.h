// Pinned memory of the host through which bytes go to a GPU and back.
#pragma once
#include <cuda_runtime_api.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace hayate::cuda {

// Pieces are made when they are first needed. Safe from many threads, whose device is the one that the pieces are for.
class PinnedPieces {
 public:
  static constexpr size_t kBytes = 8 << 20;

 private:
  struct Piece {
    void* data = nullptr;
    cudaEvent_t used = nullptr;  // after the last transfer
  };

 public:
  // One piece, while this lives.
  class Taken {
   public:
    Taken(PinnedPieces& all, Piece piece) : all_(all), piece_(piece) {}
    ~Taken() { all_.give_back(piece_); }
    Taken(const Taken&) = delete;

    std::byte* data() const { return static_cast<std::byte*>(piece_.data); }
    void used_by(cudaStream_t) const;  // until all is done that is in the stream now
    void wait() const;                 // for that

   private:
    PinnedPieces& all_;
    Piece piece_;
  };
  Taken take();  // waits for one that nobody uses, but has at first; whatever is in it
  void free();   // where nobody uses any

 private:
  static constexpr size_t kMost = 16;
  Piece make() const;
  void give_back(Piece) noexcept;

  std::mutex mutex_;
  std::condition_variable given_back_;
  std::deque<Piece> free_;  // the one that was used longest ago first
  size_t made_ = 0;
};

}  // namespace hayate::cuda
