// Hopper's warpgroup products: d (64 x N, in registers) = or += a (64 x K) b (K x N), b in shared memory. Factors: 32 bytes along K, which are 16
// numbers of 16 bits or 32 of 8 bits; d: float32, or int32 where they are int8.
// Each warp holds 16 rows of d; lane i of it rows i / 4 and i / 4 + 8: d[4 j + {0, 1}] and d[4 j + {2, 3}] are columns 8 j + i % 4 * 2
// and the next. The instruction takes its registers by number, so they are spelled out: N / 2 of d, then what else there is.
#pragma once
#include "backend/cuda/kernels/ptx_sm90.cuh"

namespace hayate::cuda {

#define HAYATE_REGISTERS_32 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, " \
  "%24, %25, %26, %27, %28, %29, %30, %31"
#define HAYATE_REGISTERS_40 HAYATE_REGISTERS_32 ", " \
  "%32, %33, %34, %35, %36, %37, %38, %39"
#define HAYATE_REGISTERS_64 HAYATE_REGISTERS_40 ", " \
  "%40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, " \
  "%62, %63"
#define HAYATE_REGISTERS_80 HAYATE_REGISTERS_64 ", " \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define HAYATE_REGISTERS_128 HAYATE_REGISTERS_80 ", " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, %100, %101, " \
  "%102, %103, %104, %105, %106, %107, %108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, " \
  "%120, %121, %122, %123, %124, %125, %126, %127"
#define HAYATE_SUMS_8(c, i) c(d[i]), c(d[i + 1]), c(d[i + 2]), c(d[i + 3]), c(d[i + 4]), c(d[i + 5]), c(d[i + 6]), c(d[i + 7])
#define HAYATE_SUMS_32(c) HAYATE_SUMS_8(c, 0), HAYATE_SUMS_8(c, 8), HAYATE_SUMS_8(c, 16), HAYATE_SUMS_8(c, 24)
#define HAYATE_SUMS_40(c) HAYATE_SUMS_32(c), HAYATE_SUMS_8(c, 32)
#define HAYATE_SUMS_64(c) HAYATE_SUMS_40(c), HAYATE_SUMS_8(c, 40), HAYATE_SUMS_8(c, 48), HAYATE_SUMS_8(c, 56)
#define HAYATE_SUMS_80(c) HAYATE_SUMS_64(c), HAYATE_SUMS_8(c, 64), HAYATE_SUMS_8(c, 72)
#define HAYATE_SUMS_128(c) HAYATE_SUMS_80(c), HAYATE_SUMS_8(c, 80), HAYATE_SUMS_8(c, 88), HAYATE_SUMS_8(c, 96), HAYATE_SUMS_8(c, 104), \
                           HAYATE_SUMS_8(c, 112), HAYATE_SUMS_8(c, 120)

// constraint: of the sums' registers; first, second, third: numbers of the registers of a, b and add; last: what follows the predicate.
#define HAYATE_MULTIPLY(shape, types, last, constraint, count, first, second, third)                                                       \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %" #third ", 0; wgmma.mma_async.sync.aligned." shape types                                  \
               " {" HAYATE_REGISTERS_##count "}, %" #first ", %" #second ", p" last "; }"                                                  \
               : HAYATE_SUMS_##count(constraint)                                                                                             \
               : "l"(a), "l"(b), "r"(add))
#define HAYATE_MULTIPLY_ANY(shape, count, first, second, third)                                                                             \
  if constexpr (std::is_same_v<F, __nv_bfloat16>)                                                                                            \
    HAYATE_MULTIPLY(shape, "k16.f32.bf16.bf16", ", 1, 1, 0, 0", "+f", count, first, second, third);                                         \
  else if constexpr (std::is_same_v<F, __half>)                                                                                              \
    HAYATE_MULTIPLY(shape, "k16.f32.f16.f16", ", 1, 1, 0, 0", "+f", count, first, second, third);                                           \
  else if constexpr (std::is_same_v<F, __nv_fp8_e4m3>)                                                                                       \
    HAYATE_MULTIPLY(shape, "k32.f32.e4m3.e4m3", ", 1, 1", "+f", count, first, second, third);                                               \
  else                                                                                                                                       \
    HAYATE_MULTIPLY(shape, "k32.s32.s8.s8", "", "+r", count, first, second, third)

// Both factors in shared memory with rows along k ("K-major"). `add` is 0 to overwrite d.
template <int N, class F>
__device__ __forceinline__ void warpgroup_multiply(SumOf<F> (&d)[N / 2], uint64_t a, uint64_t b, int add) {
  static_assert(N == 80 || N == 128 || N == 160 || N == 256);
  if constexpr (N == 80) {
    HAYATE_MULTIPLY_ANY("m64n80", 40, 40, 41, 42);
  } else if constexpr (N == 128) {
    HAYATE_MULTIPLY_ANY("m64n128", 64, 64, 65, 66);
  } else if constexpr (N == 160) {
    HAYATE_MULTIPLY_ANY("m64n160", 80, 80, 81, 82);
  } else {
    HAYATE_MULTIPLY_ANY("m64n256", 128, 128, 129, 130);
  }
}

// a in registers, as a product's result rounds to it; b with rows along n ("MN-major").
#define HAYATE_MULTIPLY_MIX(type)                                                                                                            \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32." type "." type                           \
               " {" HAYATE_REGISTERS_32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1; }"                                                        \
               : HAYATE_SUMS_32("+f")                                                                                                        \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add))
template <int N, class T>
__device__ __forceinline__ void warpgroup_multiply(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b, int add) {
  static_assert(N == 64);
  if constexpr (std::is_same_v<T, __nv_bfloat16>)
    HAYATE_MULTIPLY_MIX("bf16");
  else
    HAYATE_MULTIPLY_MIX("f16");
}

#undef HAYATE_REGISTERS_32
#undef HAYATE_REGISTERS_40
#undef HAYATE_REGISTERS_64
#undef HAYATE_REGISTERS_80
#undef HAYATE_REGISTERS_128
#undef HAYATE_SUMS_8
#undef HAYATE_SUMS_32
#undef HAYATE_SUMS_40
#undef HAYATE_SUMS_64
#undef HAYATE_SUMS_80
#undef HAYATE_SUMS_128
#undef HAYATE_MULTIPLY
#undef HAYATE_MULTIPLY_ANY
#undef HAYATE_MULTIPLY_MIX

}  // namespace hayate::cuda
