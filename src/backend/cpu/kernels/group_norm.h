// group_norm with its activation: statistics, unless they are given, then one pass that normalises.
#pragma once
#include <optional>

#include "backend/cpu/kernels/group_moments.h"
#include "backend/cpu/kernels/streamed.h"

namespace hayate::cpu::HAYATE_ISA {

template <class T>
class GroupNorm {
 public:
  GroupNorm(const Operands& o, Scratch& scratch)
      : out_(o.out), x_(o.in[0]), gamma_(o.in[1].row<float>(0)), beta_(o.in[2].row<float>(0)), attr_(o.node.as<NormAttr>()),
        groups_(attr_.groups), width_(x_.shape.c / groups_), padded_(round_up(x_.shape.c)),
        affine_(scratch.take<float>(x_.shape.n * 2 * padded_)) {
    if (o.has(3))
      given_ = o.in[3];
    else
      moments_.emplace(x_, groups_, scratch);
  }

  void operator()() const {
    const Shape& s = x_.shape;
    if (moments_) moments_->measure(whole(s));
    for (int64_t image = 0; image < s.n; ++image) make_affine(image);
    const bool streams = is_streamed<T>(out_);
    with_activation<T>(attr_.activation, [&](auto act) {
      parallel_for(s.rows(), std::max<int64_t>(1, kElementGrain / s.c), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
          const float *scale = affine_ + r / s.tokens() * 2 * padded_, *shift = scale + padded_;
          auto normalised = [act](Floats v, Floats a, Floats b) { return act(v * a + b); };
          map_row_to(streams, out_.row<T>(r), s.c, normalised, x_.row<T>(r), scale, shift);
        }
        if (streams) end_streams();
      });
    });
  }

 private:
  Moments statistics(int64_t image, int64_t g) const {
    if (moments_) return moments_->of(whole(x_.shape), image, g);
    const float* given = given_.row<float>(image * groups_ + g);
    return {1, double(given[0]), double(given[1])};
  }

  // (x - mean) / deviation * gamma + beta as one multiply and add per channel.
  void make_affine(int64_t image) const {
    float *scale = affine_ + image * 2 * padded_, *shift = scale + padded_;
    for (int64_t g = 0; g < groups_; ++g) {
      const Moments all = statistics(image, g);
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
  float* affine_;  // per image: scale, shift
  std::optional<GroupMoments<T>> moments_{};
  TensorView given_{};  // statistics in their place
};

inline Launch bind_group_norm(const Operands& o, Scratch& scratch) {
  return with_type(o, [&]<class T>(T) -> Launch { return GroupNorm<T>(o, scratch); });
}

}  // namespace hayate::cpu::HAYATE_ISA
