// The numbers of std::mt19937 (Matsumoto and Nishimura 1998), made 624 at a time in loops that become vectors.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace hayate {

class MersenneTwister {
 public:
  explicit MersenneTwister(uint32_t seed) {
    state_[0] = seed;
    for (uint32_t i = 1; i < kWords; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ state_[i - 1] >> 30) + i;
  }

  uint32_t operator()() {
    if (used_ == kWords) advance();
    return numbers_[used_++];
  }
  void fill(std::span<uint32_t> out) {
    while (!out.empty()) {
      if (used_ == kWords) advance();
      const size_t count = std::min(out.size(), kWords - used_);
      std::copy_n(numbers_.begin() + long(used_), count, out.begin());
      used_ += count;
      out = out.subspan(count);
    }
  }

 private:
  static constexpr size_t kWords = 624, kAhead = 397;

  static uint32_t twisted(uint32_t upper, uint32_t lower) {
    return ((upper & 0x80000000u) | (lower & 0x7fffffffu)) >> 1 ^ (-(lower & 1) & 0x9908b0dfu);
  }
  void advance() {
    constexpr size_t kWrap = kWords - kAhead;  // from here on the word so far ahead is a new one
    for (size_t i = 0; i < kWrap; ++i) state_[i] = state_[i + kAhead] ^ twisted(state_[i], state_[i + 1]);
    for (size_t i = kWrap; i < kWords - 1; ++i) state_[i] = state_[i - kWrap] ^ twisted(state_[i], state_[i + 1]);
    state_[kWords - 1] = state_[kAhead - 1] ^ twisted(state_[kWords - 1], state_[0]);
    for (size_t i = 0; i < kWords; ++i) {
      uint32_t x = state_[i];
      x ^= x >> 11;
      x ^= x << 7 & 0x9d2c5680u;
      x ^= x << 15 & 0xefc60000u;
      numbers_[i] = x ^ x >> 18;
    }
    used_ = 0;
  }

  std::array<uint32_t, kWords> state_, numbers_;
  size_t used_ = kWords;
};

}  // namespace hayate
