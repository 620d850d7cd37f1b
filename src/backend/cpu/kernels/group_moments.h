// Mean and variance of every group of channels: piece by piece, so that sums do not depend on the thread count.
#pragma once
#include "backend/cpu/kernels/moments.h"
#include "program/region.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kMostPieces = 64;            // of an image's region
constexpr int64_t kPieceElements = 4 * 1024;   // merging pieces takes longer than summing smaller ones
constexpr int64_t kChunkElements = 24 * 1024;  // what the two passes over a chunk find in a second-level cache

template <class T>
class GroupMoments {
 public:
  GroupMoments(const TensorView& x, int64_t groups, Scratch& scratch)
      : x_(x), groups_(groups), width_(x.shape.c / groups), padded_(round_up(x.shape.c)), pieces_(scratch.take<Moments>(x.shape.n * kMostPieces * groups)),
        columns_(scratch.take_per_thread<float>(2 * padded_)), chunk_(scratch.take_per_thread<Moments>(groups)) {}

  // Looks at the same region of every image.
  void measure(const Region& region) const {
    const int64_t pieces = pieces_of(region);
    int64_t grain = std::max<int64_t>(1, pieces * kElementGrain / (region.pixels() * x_.shape.c));
    parallel_for(x_.shape.n * pieces, grain, [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        int64_t k = piece % pieces;
        measure(region, piece / pieces, region.pixels() * k / pieces, region.pixels() * (k + 1) / pieces, pieces_ + piece * groups_);
      }
    });
  }

  // Of the region that was measured.
  Moments of(const Region& region, int64_t image, int64_t group) const {
    Moments all{};
    const int64_t pieces = pieces_of(region);
    for (int64_t k = 0; k < pieces; ++k) all.merge(pieces_[(image * pieces + k) * groups_ + group]);
    return all;
  }

 private:
  int64_t pieces_of(const Region& region) const { return std::clamp<int64_t>(region.pixels() * x_.shape.c / kPieceElements, 1, kMostPieces); }

  // Moments of every group over pixels [first, last) of the region, counted line by line.
  void measure(const Region& region, int64_t image, int64_t first, int64_t last, Moments* groups) const {
    std::fill_n(groups, groups_, Moments{});
    if (region.width == x_.shape.w) {
      int64_t row = (image * x_.shape.h + region.top) * x_.shape.w;
      return add(row + first, row + last, groups);
    }
    for (int64_t at = first, end; at < last; at = end) {
      int64_t line = at / region.width, row = (image * x_.shape.h + region.top + line) * x_.shape.w + region.left - line * region.width;
      end = std::min(last, (line + 1) * region.width);
      add(row + at, row + end, groups);
    }
  }

  // Adds rows [first, last).
  void add(int64_t first, int64_t last, Moments* groups) const {
    float *sums = columns_.mine(), *means = sums + padded_;
    std::fill_n(means, padded_, 0.0f);
    Moments* chunk = chunk_.mine();
    int64_t rows = std::max<int64_t>(4, kChunkElements / x_.shape.c / 4 * 4);
    for (int64_t begin = first, end; begin < last; begin = end) {
      end = std::min(last, begin + rows);
      double elements = double((end - begin) * width_);
      sum_columns(begin, end, sums, [](Floats v, int64_t) { return v; });
      for (int64_t g = 0; g < groups_; ++g) {
        chunk[g] = {elements, group_sum(sums, g) / elements, 0};
        std::fill_n(means + g * width_, width_, float(chunk[g].mean));
      }
      sum_columns(begin, end, sums, [means](Floats v, int64_t c) {
        Floats d = v - load(means + c);
        return d * d;
      });
      for (int64_t g = 0; g < groups_; ++g) {
        chunk[g].squares = group_sum(sums, g);
        groups[g].merge(chunk[g]);
      }
    }
  }

  // sums[c] = f(x, c) added over rows [first, last); four rows at a time spare three of four loads and stores of `sums`.
  template <class F>
  void sum_columns(int64_t first, int64_t last, float* sums, F f) const {
    std::fill_n(sums, padded_, 0.0f);
    int64_t r = first;
    for (; r + 4 <= last; r += 4) {
      const T *x0 = x_.row<T>(r), *x1 = x_.row<T>(r + 1), *x2 = x_.row<T>(r + 2), *x3 = x_.row<T>(r + 3);
      for_vectors([&](int64_t c, auto read) {
        store(sums + c, load(sums + c) + ((f(read(x0), c) + f(read(x1), c)) + (f(read(x2), c) + f(read(x3), c))));
      });
    }
    for (; r < last; ++r)
      for_vectors([&, x = x_.row<T>(r)](int64_t c, auto read) { store(sums + c, load(sums + c) + f(read(x), c)); });
  }

  // Calls body(c, read) for the columns in steps of a vector, the last of which may be partial; read(row) gives that vector of a row.
  template <class Body>
  void for_vectors(Body body) const {
    int64_t c = 0;
    for (; c + kLanes <= x_.shape.c; c += kLanes) body(c, [c](const T* row) { return load(row + c); });
    if (int64_t rest = x_.shape.c - c) body(c, [c, rest](const T* row) { return load_part(row + c, rest); });
  }

  double group_sum(const float* sums, int64_t g) const {
    double sum = 0;
    for (int64_t c = g * width_; c < (g + 1) * width_; ++c) sum += double(sums[c]);
    return sum;
  }

  TensorView x_;
  int64_t groups_, width_, padded_;
  Moments* pieces_;
  Scratch::PerThread<float> columns_;
  Scratch::PerThread<Moments> chunk_;
};

inline Launch bind_group_statistics(const Operands& o, Scratch& scratch) {
  return with_type(o, o.in[0].dtype, [&]<class T>(T) -> Launch {
    const int64_t groups = o.node.as<NormAttr>().groups;
    const auto* region = o.has(1) ? static_cast<const Region*>(o.in[1].data) : nullptr;
    return [moments = GroupMoments<T>(o.in[0], groups, scratch), out = o.out, x = o.in[0].shape, region, groups, name = o.node.name] {
      const Region measured = region ? *region : whole(x);
      check(measured, x, name);
      moments.measure(measured);
      for (int64_t image = 0; image < x.n; ++image)
        for (int64_t g = 0; g < groups; ++g) {
          const Moments all = moments.of(measured, image, g);
          float* to = out.row<float>(image * groups + g);
          to[0] = float(all.mean), to[1] = float(all.squares / all.count);
        }
    };
  });
}

}  // namespace hayate::cpu::HAYATE_ISA
