// Ops that look at one element at a time: activations, affine, cast, add, mul, geglu.
#pragma once
#include "backend/cpu/kernels/simd.h"

namespace hayate::cpu::HAYATE_ISA {

// Calls body(row, column, count) for runs that cover a tensor: whole rows, or longer if no operand has gaps between rows.
template <class Body>
void for_runs(const Shape& s, bool packed, Body body) {
  if (packed) {
    parallel_for(s.count(), kElementGrain, [&](int64_t begin, int64_t end) { body(0, begin, end - begin); });
    return;
  }
  parallel_for(s.rows(), std::max<int64_t>(1, kElementGrain / s.c), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r, 0, s.c);
  });
}

template <class Out, class F, class... In>
Launch map(const TensorView& out, F f, const std::pair<In, TensorView>&... in) {
  bool packed = (out.packed_rows() && ... && in.second.packed_rows());
  return [=] {
    for_runs(out.shape, packed, [&](int64_t r, int64_t c, int64_t count) {
      map_row(out.row<Out>(r) + c, count, f, in.second.template row<In>(r) + c...);
    });
  };
}

inline Launch bind_activation(const Operands& o, Activation a) {
  return with_type(o, [&]<class T>(T) {
    return with_activation<T>(a, [&](auto act) { return map<T>(o.out, act, std::pair{T{}, o.in[0]}); });
  });
}

inline Launch bind_affine(const Operands& o) {
  const auto& a = o.node.as<AffineAttr>();
  return with_type(o, [&]<class T>(T) {
    return map<T>(o.out, [scale = a.scale, shift = a.shift](Floats x) { return x * scale + shift; }, std::pair{T{}, o.in[0]});
  });
}

inline Launch bind_cast(const Operands& o) {
  return with_type(o, [&]<class T>(T) {
    auto keep = [](Floats x) { return x; };
    return o.in[0].dtype == Dtype::bf16 ? map<T>(o.out, keep, std::pair{bf16{}, o.in[0]}) : map<T>(o.out, keep, std::pair{float{}, o.in[0]});
  });
}

inline Launch bind_geglu(const Operands& o) {
  return with_type(o, [&]<class T>(T) {
    TensorView left = o.in[0], right = left;
    left.shape.c = right.shape.c = o.out.shape.c;
    right.data = left.row<T>(0) + o.out.shape.c;
    return map<T>(o.out, [](Floats x, Floats gate) { return x * gelu<T>(gate); }, std::pair{T{}, left}, std::pair{T{}, right});
  });
}

// b's row for row r of a; b repeats where its size is 1.
inline int64_t broadcast_row(const Shape& a, const Shape& b, int64_t r) {
  auto pick = [](int64_t i, int64_t size) { return size == 1 ? 0 : i; };
  return (pick(r / a.tokens(), b.n) * b.h + pick(r / a.w % a.h, b.h)) * b.w + pick(r % a.w, b.w);
}

template <class T, class F>
Launch broadcast(const TensorView& out, const TensorView& a, const TensorView& b, F f) {
  if (b.shape == a.shape) return map<T>(out, f, std::pair{T{}, a}, std::pair{T{}, b});
  return [=] {
    for_runs(out.shape, false, [&](int64_t r, int64_t, int64_t count) {
      const T* other = b.row<T>(broadcast_row(a.shape, b.shape, r));
      if (b.shape.c == 1) map_row(out.row<T>(r), count, [&, y = splat(to_float(*other))](Floats x) { return f(x, y); }, a.row<T>(r));
      else map_row(out.row<T>(r), count, f, a.row<T>(r), other);
    });
  };
}

inline Launch bind_add(const Operands& o) {
  return with_type(o, [&]<class T>(T) { return broadcast<T>(o.out, o.in[0], o.in[1], [](Floats a, Floats b) { return a + b; }); });
}
inline Launch bind_mul(const Operands& o) {
  return with_type(o, [&]<class T>(T) { return broadcast<T>(o.out, o.in[0], o.in[1], [](Floats a, Floats b) { return a * b; }); });
}

}  // namespace hayate::cpu::HAYATE_ISA
