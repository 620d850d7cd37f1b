// Ops that read and write each element once.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
template <int N, class Tin, class Tout, class F>
__global__ void map_kernel(Tout* y, int64_t y_stride, const Tin* x, int64_t x_stride, int64_t rows, int packs, F f) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    float v[N];
    load(v, x + r * x_stride + p * N);
#pragma unroll
    for (int i = 0; i < N; ++i) v[i] = f(v[i]);
    store(y + r * y_stride + p * N, v);
  }
}

template <Unary A, class T>
struct ActivateOp {
  __device__ float operator()(float x) const { return activate_for<A, T>(x); }
};
struct AffineOp {
  float scale, shift;
  __device__ float operator()(float x) const { return x * scale + shift; }
};

template <class Tin, class Tout, class F>
void launch_map(cudaStream_t s, const Matrix& y, const Matrix& x, F f) {
  auto run = [&]<int N>(std::integral_constant<int, N>) {
    RowGrid g(y.rows, y.cols / N);
    start(s, g.grid, g.block, 0, map_kernel<N, Tin, Tout, F>, static_cast<Tout*>(y.data), y.stride, static_cast<const Tin*>(x.data), x.stride, y.rows,
          y.cols / N, f);
  };
  constexpr int N = 16 / (sizeof(Tin) < sizeof(Tout) ? sizeof(Tin) : sizeof(Tout));
  if (divisible(y, N) && divisible(x, N))
    run(std::integral_constant<int, N>{});
  else
    run(std::integral_constant<int, 1>{});
}

__device__ __forceinline__ int64_t row_in(const Broadcast& b, int64_t r) {
  int64_t line = r / b.columns;
  return line / b.lines * b.image + line % b.lines * b.line + r % b.columns * b.column;
}
template <int N, class T>
__device__ __forceinline__ void load_broadcast(float (&v)[N], const T* row, int p, bool one_column) {
  if (one_column) {
    float x = to_float(*row);
#pragma unroll
    for (int i = 0; i < N; ++i) v[i] = x;
  } else {
    load(v, row + p * N);
  }
}

template <int N, bool kMul, class T>
__global__ void binary_kernel(T* y, int64_t y_stride, const T* a, int64_t a_stride, const T* b, Broadcast shape, int64_t rows, int packs) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    float u[N], v[N];
    load(u, a + r * a_stride + p * N);
    load_broadcast(v, b + row_in(shape, r), p, shape.one_column);
#pragma unroll
    for (int i = 0; i < N; ++i) u[i] = kMul ? u[i] * v[i] : u[i] + v[i];
    store(y + r * y_stride + p * N, u);
  }
}

template <bool kMul>
void launch_binary(cudaStream_t s, const Matrix& y, const Matrix& a, const Matrix& b, const Broadcast& shape) {
  with_type(y.dtype, [&]<class T>(Type<T>) {
    auto run = [&]<int N>(std::integral_constant<int, N>) {
      RowGrid g(y.rows, y.cols / N);
      start(s, g.grid, g.block, 0, binary_kernel<N, kMul, T>, static_cast<T*>(y.data), y.stride, static_cast<const T*>(a.data), a.stride,
            static_cast<const T*>(b.data), shape, y.rows, y.cols / N);
    };
    constexpr int N = 16 / sizeof(T);
    if (divisible(y, N) && divisible(a, N) && (shape.one_column || divisible(b, N)))
      run(std::integral_constant<int, N>{});
    else
      run(std::integral_constant<int, 1>{});
  });
}

template <int N, class T>
__global__ void geglu_kernel(T* y, int64_t y_stride, const T* x, int64_t x_stride, int64_t rows, int packs) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    float value[N], gate[N];
    load(value, x + r * x_stride + p * N);
    load(gate, x + r * x_stride + (packs + p) * N);
#pragma unroll
    for (int i = 0; i < N; ++i) value[i] *= activate_for<Unary::gelu, T>(gate[i]);
    store(y + r * y_stride + p * N, value);
  }
}

template <int N, Unary A, class T>
__global__ void epilogue_kernel(T* y, int64_t y_stride, const float* bias, const T* residual, Broadcast shape, int64_t rows, int packs) {
  after_previous();
  HAYATE_FOR_ROW_PACKS(r, p, rows, packs) {
    float u[N];
    load(u, y + r * y_stride + p * N);
    if (bias) {
      float v[N];
      load(v, bias + p * N);
#pragma unroll
      for (int i = 0; i < N; ++i) u[i] += v[i];
    }
#pragma unroll
    for (int i = 0; i < N; ++i) u[i] = activate_for<A, T>(u[i]);
    if (residual) {
      float v[N];
      load(v, residual + row_in(shape, r) + p * N);
#pragma unroll
      for (int i = 0; i < N; ++i) u[i] += v[i];
    }
    store(y + r * y_stride + p * N, u);
  }
}
}  // namespace

void launch_unary(cudaStream_t s, Matrix y, Matrix x, Unary a) {
  with_type(y.dtype, [&]<class Tout>(Type<Tout>) {
    if (y.dtype == x.dtype) {
      with_unary(a, [&]<Unary A>(UnaryTag<A>) { launch_map<Tout, Tout>(s, y, x, ActivateOp<A, Tout>{}); });
    } else {
      with_type(x.dtype, [&]<class Tin>(Type<Tin>) { launch_map<Tin, Tout>(s, y, x, ActivateOp<Unary::copy, Tout>{}); });
    }
  });
}

void launch_affine(cudaStream_t s, Matrix y, Matrix x, float scale, float shift) {
  with_type(y.dtype, [&]<class T>(Type<T>) { launch_map<T, T>(s, y, x, AffineOp{scale, shift}); });
}

void launch_add(cudaStream_t s, Matrix y, Matrix a, Matrix b, Broadcast shape) { launch_binary<false>(s, y, a, b, shape); }
void launch_mul(cudaStream_t s, Matrix y, Matrix a, Matrix b, Broadcast shape) { launch_binary<true>(s, y, a, b, shape); }

void launch_geglu(cudaStream_t s, Matrix y, Matrix x) {
  with_type(y.dtype, [&]<class T>(Type<T>) {
    auto run = [&]<int N>(std::integral_constant<int, N>) {
      RowGrid g(y.rows, y.cols / N);
      start(s, g.grid, g.block, 0, geglu_kernel<N, T>, static_cast<T*>(y.data), y.stride, static_cast<const T*>(x.data), x.stride, y.rows, y.cols / N);
    };
    constexpr int N = 16 / sizeof(T);
    if (divisible(y, N) && divisible(x, N))
      run(std::integral_constant<int, N>{});
    else
      run(std::integral_constant<int, 1>{});
  });
}

void launch_epilogue(cudaStream_t s, Matrix y, const float* bias, Unary act, Matrix residual, Broadcast shape) {
  with_type(y.dtype, [&]<class T>(Type<T>) {
    with_unary(act, [&]<Unary A>(UnaryTag<A>) {
      auto run = [&]<int N>(std::integral_constant<int, N>) {
        RowGrid g(y.rows, y.cols / N);
        start(s, g.grid, g.block, 0, epilogue_kernel<N, A, T>, static_cast<T*>(y.data), y.stride, bias, static_cast<const T*>(residual.data), shape,
              y.rows, y.cols / N);
      };
      constexpr int N = 16 / sizeof(T);
      if (divisible(y, N) && (!residual.data || divisible(residual, N)))
        run(std::integral_constant<int, N>{});
      else
        run(std::integral_constant<int, 1>{});
    });
  });
}

}  // namespace hayate::cuda
