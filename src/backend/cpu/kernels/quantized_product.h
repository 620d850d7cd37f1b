// linear and conv2d of int8 rows and packed int8 weights: scales, bias, activation and residual are applied to the sums while the first-level cache or
// registers hold them.
#pragma once
#include "backend/cpu/kernels/dot_int8.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/matrix_int8.h"
#include "backend/cpu/quantized_panels.h"

namespace hayate::cpu::HAYATE_ISA {

#if defined(__AMX_INT8__)
constexpr bool kMultipliesInt8Matrices = true;
constexpr int64_t kProductRows = kMatrices, kProductPanels = 2;
constexpr int64_t kRowBytes = 3 << 18, kColumnBytes = 1 << 19;  // of rows and of panels that the second-level cache, here of 2 MiB, is to hold
#else
constexpr bool kMultipliesInt8Matrices = false;
constexpr int64_t kProductRows = 2 * kTileRows - 2, kProductPanels = 1;  // the other registers hold a vector of weights, its signs and what is multiplied
constexpr int64_t kRowBytes = 1 << 18, kColumnBytes = 1 << 17;           // likewise, of 512 KiB
#endif
constexpr int64_t kProductGrain = 1 << 16;                      // multiplications per thread below which waking it costs more than it saves

// Pixels of images that are laid out with `pad` zeros between their lines and `pad` lines of them between images: there a convolution is one product of
// rows that lie at the same distance from each other, whose taps lie at the same distances from all. Some sums mean nothing. Rows of a linear are a line.
struct PixelGrid {
  int64_t images, height, width, pad;

  int64_t pitch() const { return width + pad; }
  int64_t rows() const { return (images * (height + pad) - pad) * pitch() - pad; }  // to the last pixel
  // Which pixels of an image without zeros `count` rows are, or -1.
  void pixels(int64_t row, int64_t count, int64_t* to) const {
    int64_t line = row / pitch(), x = row % pitch();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t y = line % (height + pad);
      to[i] = x < width && y < height ? (line / (height + pad) * height + y) * width + x : -1;
      if (++x == pitch()) x = 0, ++line;
    }
  }
};

// The factor on the left: rows `stride` bytes apart. A row's sum has `in` bytes at each of the taps.
struct ProductRows {
  const int8_t* first;
  int64_t stride;
  std::vector<int64_t> taps;
  PixelGrid grid;
};

template <class T>
class QuantizedProduct {
 public:
  QuantizedProduct(const Operands& o, ProductRows rows, Activation activation, Scratch& scratch)
      : rows_(std::move(rows)), out_(o.out), scales_(o.in[0].scales()), bias_(o.has(2) ? o.in[2].row<float>(0) : nullptr),
        residual_(o.has(3) ? o.in[3] : TensorView{}), weight_(o.in[1].shape, o.in[1].data), activation_(activation) {
    if (kMultipliesInt8Matrices && (rows_.grid.rows() % kProductRows > 0 || weight_.in < weight_.tap_depth())) {
      gathered_ = scratch.take_per_thread<int8_t>(kProductRows * weight_.depth());
      for (int64_t t = 0; t < weight_.taps; ++t) gathered_taps_.push_back(t * weight_.tap_depth());
    }
  }

  // A block of rows times one panel, or two, is a unit of work.
  void operator()() const {
    const int64_t all = rows_.grid.rows(), panels = (weight_.count() + kProductPanels - 1) / kProductPanels, block = block_rows(all, panels);
    const int64_t grain = std::max<int64_t>(1, kProductGrain / (std::min(all, block) * weight_.depth()));
    const int64_t at_once = std::clamp<int64_t>(kColumnBytes / (kProductPanels * kPanelColumns * weight_.depth()), 1, 8);
    with_activation(activation_, [&](auto act) {
      parallel_for((all + block - 1) / block * panels, grain, [&](int64_t begin, int64_t end) {
        const MatrixRegisters registers;
        while (begin < end) {
          const int64_t panel = begin % panels, count = std::min({end - begin, panels - panel, at_once}), first = begin / panels * block;
          for (int64_t r = first; r < std::min(first + block, all); r += kProductRows)
            multiply(r, std::min(kProductRows, all - r), panel * kProductPanels, std::min((panel + count) * kProductPanels, weight_.count()), act);
          begin += count;
        }
      });
    });
  }

 private:
  // What a row of sums becomes.
  struct Row {
    T* out;  // nothing if null
    const T* residual;
    float scale;
  };

  // As many as the cache holds, but enough blocks for all threads.
  int64_t block_rows(int64_t all, int64_t panels) const {
    int64_t block = std::clamp(kRowBytes / weight_.in / kProductRows, int64_t{1}, int64_t{32}) * kProductRows;
    while (block > 2 * kProductRows && (all + block - 1) / block * panels < 4 * omp_get_max_threads()) block /= 2;
    return block;
  }

  // `count` rows from r on, panels [begin, end).
  template <class Activate>
  void multiply(int64_t r, int64_t count, int64_t begin, int64_t end, Activate act) const {
    Row rows[kProductRows];
    find_rows(r, count, rows);
#if defined(__AMX_INT8__)
    const bool whole = count == kProductRows && weight_.in == weight_.tap_depth();
    const int8_t* from = whole ? rows_.first + r * rows_.stride : gather(r, count);
    alignas(64) int32_t sums[kMatrices][kMatrices];
    for (int64_t p = begin; p < end; p += 2) {
      const bool both = p + 1 < end;
      multiply_matrices(from, whole ? rows_.stride : weight_.depth(), whole ? rows_.taps : gathered_taps_, weight_.tap_depth(), weight_.panel(p),
                        weight_.panel(both ? p + 1 : p), sums);
      for (int64_t half = 0; half < 1 + both; ++half) {
        const Column column(*this, (p + half) * kPanelColumns);
        for (int64_t i = 0; i < count; ++i) {
          Ints sum;
          std::memcpy(&sum, &sums[i][half * kMatrix], sizeof sum);
          column.finish(sum, rows[i], act);
        }
      }
    }
#else
    for (int64_t p = begin; p < end; ++p)
      for (int64_t c = 0; c < std::min(kPanelColumns, weight_.out - p * kPanelColumns); c += kLanes) tile(r, count, p, c, rows, act);
#endif
  }

  void find_rows(int64_t r, int64_t count, Row* rows) const {
    int64_t pixels[kProductRows];
    rows_.grid.pixels(r, count, pixels);
    const bool same = residual_.shape == out_.shape;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t p = pixels[i];
      rows[i] = p < 0 ? Row{} : Row{out_.row<T>(p), residual_.data ? residual_.row<T>(same ? p : broadcast_row(out_.shape, residual_.shape, p)) : nullptr, scales_[p]};
    }
  }

#if defined(__AMX_INT8__)
  // Rows that are not enough or not long enough for matrix registers, filled up with zeros.
  const int8_t* gather(int64_t r, int64_t count) const {
    int8_t *const memory = gathered_.mine(), *to = memory;
    for (int64_t i = 0; i < kProductRows; ++i)
      for (const int64_t tap : rows_.taps) {
        const int64_t filled = i < count ? weight_.in : 0;
        std::memcpy(to, rows_.first + (r + i) * rows_.stride + tap, size_t(filled));
        std::memset(to + filled, 0, size_t(weight_.tap_depth() - filled));
        to += weight_.tap_depth();
      }
    return memory;
  }
#else
  // `count` rows from r on, kLanes columns from c on of a panel.
  template <class Activate>
  void tile(int64_t r, int64_t count, int64_t panel, int64_t c, const Row* rows, Activate act) const {
    const int8_t *w = weight_.panel(panel) + c * kPanelDepth, *x[kProductRows];
    Ints sum[kProductRows];
#pragma GCC unroll 32
    for (int64_t i = 0; i < kProductRows; ++i) sum[i] = Ints{};
    for (const int64_t tap : rows_.taps) {
#pragma GCC unroll 32
      for (int64_t i = 0; i < kProductRows; ++i) x[i] = rows_.first + (r + std::min(i, count - 1)) * rows_.stride + tap;
      for (int64_t k = 0; k < weight_.in; k += kPanelDepth) {
        const FourWeights four(w + k * kPanelColumns);
#pragma GCC unroll 32
        for (int64_t i = 0; i < kProductRows; ++i) sum[i] = add_products(sum[i], four, repeat_four(x[i] + k));
      }
      w += weight_.tap_depth() * kPanelColumns;
    }
    const Column column(*this, panel * kPanelColumns + c);
    Ints negatives;
    std::memcpy(&negatives, weight_.negatives() + column.first, sizeof negatives);
#pragma GCC unroll 32
    for (int64_t i = 0; i < kProductRows; ++i)
      if (i < count) column.finish(sum[i] - negatives, rows[i], act);
  }
#endif

  // What kLanes columns of all rows share.
  struct Column {
    int64_t first, count;
    Floats scales, bias;

    Column(const QuantizedProduct& p, int64_t first)
        : first(first), count(std::min(kLanes, p.weight_.out - first)), scales(load(p.weight_.scales() + first)), bias(p.bias_ ? some(p.bias_) : Floats{}) {}

    template <class E>
    Floats some(const E* row) const { return count == kLanes ? load(row + first) : load_part(row + first, count); }
    template <class Activate>
    void finish(Ints sum, const Row& row, Activate act) const {
      if (!row.out) return;
      Floats y = act(__builtin_convertvector(sum, Floats) * (row.scale * scales) + bias);
      if (row.residual) y += some(row.residual);
      if (count == kLanes) store(row.out + first, y);
      else store_part(row.out + first, count, y);
    }
  };

  ProductRows rows_;
  TensorView out_;
  const float *scales_, *bias_;
  TensorView residual_;
  QuantizedPanels weight_;
  Activation activation_;
  Scratch::PerThread<int8_t> gathered_{};
  std::vector<int64_t> gathered_taps_;
};

inline Launch bind_quantized_linear(const Operands& o, Scratch& scratch) {
  const TensorView& x = o.in[0];
  ProductRows rows{x.row<int8_t>(0), x.row_stride, {0}, {.images = 1, .height = 1, .width = x.shape.rows(), .pad = 0}};
  return with_type(o, [&]<class T>(T) -> Launch { return QuantizedProduct<T>(o, std::move(rows), o.node.as<LinearAttr>().activation, scratch); });
}

// The images, with zeros around their pixels.
inline Launch bind_padding(int8_t* to, const TensorView& x, const PixelGrid& g) {
  return [=] {
    const int64_t line = g.pitch() * x.shape.c, lines = g.images * (g.height + g.pad) + g.pad;
    std::memset(to + lines * line, 0, size_t(g.pad * x.shape.c));
    parallel_for(lines, std::max<int64_t>(1, kElementGrain / line), [&](int64_t begin, int64_t end) {
      for (int64_t l = begin; l < end; ++l) {
        int8_t* const first = to + l * line;
        const int64_t y = l % (g.height + g.pad) - g.pad, zeros = (y < 0 ? g.pitch() : g.pad) * x.shape.c;
        std::memset(first, 0, size_t(zeros));
        if (y >= 0) std::memcpy(first + zeros, x.row<int8_t>((l / (g.height + g.pad) * g.height + y) * g.width), size_t(line - zeros));
      }
    });
  };
}

// Odd kernels of stride 1 whose result is as large as the image.
inline Launch bind_quantized_conv2d(const Operands& o, Scratch& scratch) {
  const TensorView& x = o.in[0];
  const auto& a = o.node.as<ConvAttr>();
  const Shape &w = o.in[1].shape, &s = x.shape;
  const PixelGrid grid{s.n, s.h, s.w, a.pad_begin};
  int8_t* const padded = scratch.take<int8_t>(((s.n * (s.h + grid.pad) + grid.pad) * grid.pitch() + grid.pad) * s.c);
  ProductRows rows{padded, s.c, {}, grid};
  for (int64_t i = 0; i < w.h; ++i)
    for (int64_t j = 0; j < w.w; ++j) rows.taps.push_back((i * grid.pitch() + j) * s.c);
  return with_type(o, [&]<class T>(T) -> Launch {
    return [pad = bind_padding(padded, x, grid), product = QuantizedProduct<T>(o, std::move(rows), a.activation, scratch)] { pad(), product(); };
  });
}

}  // namespace hayate::cpu::HAYATE_ISA
