// Group norm of small images: a block for each group of an image, whose numbers stay in registers between statistics and result. One launch and
// one reading instead of three and two.
#include "backend/cuda/kernels/device.cuh"

namespace hayate::cuda {

namespace {
constexpr int kThreads = 512;
constexpr int kPixels = 12;  // of a thread, at most: with more, 64 blocks are slower than three launches of many

// Threads: over the packs of a pixel's part of the group, then over pixels.
template <int N, Unary A, class Y, class T>
__global__ void __launch_bounds__(kThreads) small_group_norm_kernel(GroupNormArgs a) {
  __shared__ float scratch[32];
  const int group = blockIdx.x, image = blockIdx.y, width = a.x.cols / a.groups, packs = width / N, pixels_at_once = kThreads / packs;
  const int column = group * width + int(threadIdx.x) % packs * N, first = int(threadIdx.x) / packs;
  const bool works = first < pixels_at_once;
  const T* x = static_cast<const T*>(a.x.data) + int64_t(image) * a.pixels * a.x.stride + column;
  Y* y = static_cast<Y*>(a.y.data) + int64_t(image) * a.pixels * a.y.stride + column;
  float scale[N] = {}, shift[N] = {};
  if (works) load(scale, a.gamma + column), load(shift, a.beta + column);
  after_previous();

  Pack<T, N> kept[kPixels];
  auto each = [&](auto f) {
#pragma unroll
    for (int k = 0; k < kPixels; ++k)
      if (int pixel = first + k * pixels_at_once; works && pixel < a.pixels) f(kept[k], pixel);
  };
  float sum = 0, square = 0;
  const float count = float(a.pixels) * float(width);
  each([&](auto& pack, int pixel) {
    pack = *reinterpret_cast<const Pack<T, N>*>(x + pixel * a.x.stride);
#pragma unroll
    for (int i = 0; i < N; ++i) sum += to_float(pack.v[i]);
  });
  const float mean = block_sum(sum, scratch) / count;
  each([&](auto& pack, int) {
#pragma unroll
    for (int i = 0; i < N; ++i) square += (to_float(pack.v[i]) - mean) * (to_float(pack.v[i]) - mean);
  });
  const float inverse = rsqrtf(block_sum(square, scratch) / count + a.eps);
  float narrow = 1;  // by what a result in eight bits is stored
  if constexpr (sizeof(Y) == 1) {
    narrow = 1 / *a.y_scale;
    if (group == 0)
      for (int pixel = threadIdx.x; pixel < a.pixels; pixel += kThreads) a.y_scales[int64_t(image) * a.pixels + pixel] = *a.y_scale;
  }
#pragma unroll
  for (int i = 0; i < N; ++i) scale[i] *= inverse;
  each([&](auto& pack, int pixel) {
    float v[N];
#pragma unroll
    for (int i = 0; i < N; ++i) v[i] = activate_for<A, T>((to_float(pack.v[i]) - mean) * scale[i] + shift[i]) * narrow;
    store(y + pixel * a.y.stride, v);
  });
}

// Numbers of a group that are moved together: as many as divide it, up to 16 bytes.
int pack_of(int width) { return width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : 0; }
}  // namespace

bool small_group_norm_fits(Dtype x, int pixels, int channels, int groups) {
  const int width = channels / groups, pack = pack_of(width);
  return (x == Dtype::bf16 || x == Dtype::f16) && pack > 0 && width / pack <= kThreads && pixels <= kPixels * (kThreads / (width / pack));
}

bool small_group_norm_takes(const GroupNormArgs& a) {
  const int pack = pack_of(a.x.cols / a.groups);
  return small_group_norm_fits(a.x.dtype, a.pixels, a.x.cols, a.groups) && (a.act == Unary::copy || a.act == Unary::silu) && divisible(a.x, pack) &&
         divisible(a.y, pack);
}

void launch_small_group_norm(cudaStream_t s, const GroupNormArgs& a) {
  auto with_sizes = [&]<Unary A, class Y, class T>(UnaryTag<A>, Type<Y>, Type<T>) {
    auto kernel = pack_of(a.x.cols / a.groups) == 8 ? small_group_norm_kernel<8, A, Y, T> : small_group_norm_kernel<4, A, Y, T>;
    start(s, dim3(unsigned(a.groups), unsigned(a.images)), kThreads, 0, kernel, a);
  };
  auto with_result = [&](auto act, auto t) {
    if (a.y_scale) with_sizes(act, Type<__nv_fp8_e4m3>{}, t);
    else with_sizes(act, t, t);
  };
  auto with_act = [&](auto t) {
    if (a.act == Unary::silu) with_result(UnaryTag<Unary::silu>{}, t);
    else with_result(UnaryTag<Unary::copy>{}, t);
  };
  if (a.x.dtype == Dtype::bf16) with_act(Type<__nv_bfloat16>{});
  else with_act(Type<__half>{});
}

}  // namespace hayate::cuda
