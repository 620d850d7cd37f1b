// Hopper's warpgroup products: d (64 x N, float32, in registers) = or += a (64 x 16) b (16 x N), 16-bit factors, b in shared memory.
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
#define HAYATE_SUMS_8(d, i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define HAYATE_SUMS_32(d) HAYATE_SUMS_8(d, 0), HAYATE_SUMS_8(d, 8), HAYATE_SUMS_8(d, 16), HAYATE_SUMS_8(d, 24)
#define HAYATE_SUMS_40(d) HAYATE_SUMS_32(d), HAYATE_SUMS_8(d, 32)
#define HAYATE_SUMS_64(d) HAYATE_SUMS_40(d), HAYATE_SUMS_8(d, 40), HAYATE_SUMS_8(d, 48), HAYATE_SUMS_8(d, 56)
#define HAYATE_SUMS_80(d) HAYATE_SUMS_64(d), HAYATE_SUMS_8(d, 64), HAYATE_SUMS_8(d, 72)
#define HAYATE_SUMS_128(d) HAYATE_SUMS_80(d), HAYATE_SUMS_8(d, 80), HAYATE_SUMS_8(d, 88), HAYATE_SUMS_8(d, 96), HAYATE_SUMS_8(d, 104), \
                           HAYATE_SUMS_8(d, 112), HAYATE_SUMS_8(d, 120)

// first, second, third: numbers of the registers of a, b and add.
#define HAYATE_MULTIPLY(shape, type, count, first, second, third)                                                                           \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %" #third ", 0; wgmma.mma_async.sync.aligned." shape ".f32." type "." type                  \
               " {" HAYATE_REGISTERS_##count "}, %" #first ", %" #second ", p, 1, 1, 0, 0; }"                                              \
               : HAYATE_SUMS_##count(d)                                                                                                      \
               : "l"(a), "l"(b), "r"(add))
#define HAYATE_MULTIPLY_EITHER(shape, count, first, second, third)                                                                          \
  if constexpr (std::is_same_v<T, __nv_bfloat16>)                                                                                            \
    HAYATE_MULTIPLY(shape, "bf16", count, first, second, third);                                                                            \
  else                                                                                                                                       \
    HAYATE_MULTIPLY(shape, "f16", count, first, second, third)

// Both factors in shared memory with rows along k ("K-major"). `add` is 0 to overwrite d.
template <int N, class T>
__device__ __forceinline__ void warpgroup_multiply(float (&d)[N / 2], uint64_t a, uint64_t b, int add) {
  static_assert(N == 80 || N == 128 || N == 160 || N == 256);
  if constexpr (N == 80) {
    HAYATE_MULTIPLY_EITHER("m64n80k16", 40, 40, 41, 42);
  } else if constexpr (N == 128) {
    HAYATE_MULTIPLY_EITHER("m64n128k16", 64, 64, 65, 66);
  } else if constexpr (N == 160) {
    HAYATE_MULTIPLY_EITHER("m64n160k16", 80, 80, 81, 82);
  } else {
    HAYATE_MULTIPLY_EITHER("m64n256k16", 128, 128, 129, 130);
  }
}

// a in registers, as a product's result rounds to it; b with rows along n ("MN-major").
#define HAYATE_MULTIPLY_MIX(type)                                                                                                            \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32." type "." type                           \
               " {" HAYATE_REGISTERS_32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1; }"                                                        \
               : HAYATE_SUMS_32(d)                                                                                                           \
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
#undef HAYATE_MULTIPLY_EITHER
#undef HAYATE_MULTIPLY_MIX

}  // namespace hayate::cuda
