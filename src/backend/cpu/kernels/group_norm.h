// group_norm with its activation: statistics piece by piece, then one pass that normalises.
#pragma once
#include "backend/cpu/kernels/moments.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kPieces = 64;                // of an image: fixed, so that sums do not depend on the thread count
constexpr int64_t kChunkElements = 24 * 1024;  // what the two passes over a chunk find in a second-level cache

template <class T>
class GroupNorm {
 public:
  GroupNorm(const Operands& o, Scratch& scratch)
      : out_(o.out), x_(o.in[0]), gamma_(o.in[1].row<float>(0)), beta_(o.in[2].row<float>(0)), attr_(o.node.as<NormAttr>()),
        groups_(attr_.groups), width_(x_.shape.c / groups_), padded_(round_up(x_.shape.c)),
        pieces_(scratch.take<Moments>(x_.shape.n * kPieces * groups_)), affine_(scratch.take<float>(x_.shape.n * 2 * padded_)),
        columns_(scratch.take_per_thread<float>(2 * padded_)), chunk_(scratch.take_per_thread<Moments>(groups_)) {}

  void operator()() const {
    const Shape& s = x_.shape;
    int64_t grain = std::max<int64_t>(1, kPieces * kElementGrain / (s.tokens() * s.c));
    parallel_for(s.n * kPieces, grain, [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        int64_t first = piece / kPieces * s.tokens(), k = piece % kPieces;
        measure(first + s.tokens() * k / kPieces, first + s.tokens() * (k + 1) / kPieces, pieces_ + piece * groups_);
      }
    });
    for (int64_t image = 0; image < s.n; ++image) make_affine(image);
    with_activation(attr_.activation, [&](auto act) {
      parallel_for(s.rows(), std::max<int64_t>(1, kElementGrain / s.c), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
          const float* scale = affine_ + r / s.tokens() * 2 * padded_;
          map_row(out_.row<T>(r), s.c, [&](Floats v, Floats a, Floats b) { return act(v * a + b); }, x_.row<T>(r), scale, scale + padded_);
        }
      });
    });
  }

 private:
  // Moments of every group over rows [first, last).
  void measure(int64_t first, int64_t last, Moments* groups) const {
    std::fill_n(groups, groups_, Moments{});
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

  // (x - mean) / deviation * gamma + beta as one multiply and add per channel.
  void make_affine(int64_t image) const {
    float *scale = affine_ + image * 2 * padded_, *shift = scale + padded_;
    for (int64_t g = 0; g < groups_; ++g) {
      Moments all{};
      for (int64_t k = 0; k < kPieces; ++k) all.merge(pieces_[(image * kPieces + k) * groups_ + g]);
      double inverse = all.inverse_deviation(double(attr_.eps));
      for (int64_t c = g * width_; c < (g + 1) * width_; ++c) {
        scale[c] = float(inverse * double(gamma_[c]));
        shift[c] = float(double(beta_[c]) - all.mean * inverse * double(gamma_[c]));
      }
    }
  }

  TensorView out_, x_;
  const float *gamma_, *beta_;
  NormAttr attr_;
  int64_t groups_, width_, padded_;
  Moments* pieces_;
  float* affine_;  // per image: scale, shift
  Scratch::PerThread<float> columns_;
  Scratch::PerThread<Moments> chunk_;
};

inline Launch bind_group_norm(const Operands& o, Scratch& scratch) {
  return with_type(o, [&]<class T>(T) -> Launch { return GroupNorm<T>(o, scratch); });
}

}  // namespace hayate::cpu::HAYATE_ISA
