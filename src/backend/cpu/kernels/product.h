// linear and conv2d of rows and panels (panels.h): scales, bias, activation and residual are applied to the sums while the first-level cache or
// registers hold them. Of 8-bit numbers for all, of bfloat16 where there are matrix registers.
#pragma once
#include "backend/cpu/kernels/dot_int8.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/matrix_product.h"
#include "backend/cpu/kernels/streamed.h"
#include "backend/cpu/panels.h"

namespace hayate::cpu::HAYATE_ISA {

#if defined(__AMX_INT8__)
constexpr bool kMultipliesPanels = true;
constexpr int64_t kProductRows = kMatrices;
constexpr int64_t kRowBytes = 3 << 18;  // of rows that the second-level cache, here of 2 MiB, is to hold beside panels
#else
constexpr bool kMultipliesPanels = false;
constexpr int64_t kProductRows = 2 * kTileRows - 2;  // the other registers hold a vector of weights, its signs and what is multiplied
constexpr int64_t kRowBytes = 1 << 18;  // likewise, of 512 KiB
#endif
constexpr int64_t kMostBlocks = 16;            // of kProductRows
constexpr int64_t kPrefetchedBytes = 1 << 18;  // panels that fit beside all that into the second-level cache
constexpr int64_t kProductGrain = 1 << 16;     // multiplications per thread below which waking it costs more than it saves

// Pixels of images that are laid out with `pad` zeros between their lines and `pad` lines of them between images: there a convolution is one product
// of rows, whose taps lie at the same distances from all of them. Some sums mean nothing. Rows of a linear are a line.
struct PixelGrid {
  int64_t images, height, width, pad;

  int64_t pitch() const { return width + pad; }
  int64_t rows() const { return (images * (height + pad) - pad) * pitch() - pad; }  // to the last pixel
  // Which pixels of an image without zeros `count` rows are, or -1.
  void pixels(int64_t row, int64_t count, int64_t* to) const {
    for (; row < 0 && count > 0; ++row, --count) *to++ = -1;
    const int64_t line = row / pitch();
    int64_t x = row % pitch(), y = line % (height + pad), image = line / (height + pad);
    for (int64_t i = 0; i < count; ++i) {
      to[i] = x < width && y < height && image < images ? (image * height + y) * width + x : -1;
      if (++x < pitch()) continue;
      x = 0;
      if (++y == height + pad) y = 0, ++image;
    }
  }
};

template <class E>
constexpr bool kScaled = std::is_same_v<E, int8_t>;  // rows and columns have scales

// E: int8_t or bf16. T: of the result and the residual.
template <class E, class T>
class Product {
 public:
  // `kernel`: pixels on a side of a filter; the grid has kernel / 2 zeros.
  Product(const Operands& o, const PixelGrid& grid, int64_t kernel, Activation activation, Scratch& scratch)
      : grid_(grid),
        x_(o.in[0]),
        out_(o.out),
        bias_(o.has(2) ? o.in[2].row<float>(0) : nullptr),
        residual_(o.has(3) ? o.in[3] : TensorView{}),
        weight_(o.in[1].shape, o.in[1].dtype, o.in[1].data),
        activation_(activation),
        reach_((kernel - 1) * (grid.pitch() + 1)),
        block_(block_rows()),
        packed_(scratch.take_per_thread<std::byte>((block_ + reach_) * weight_.tap_bytes())),
        rows_(scratch.take_per_thread<Row>(block_)) {
    for (int64_t i = 0; i < kernel; ++i)
      for (int64_t j = 0; j < kernel; ++j) taps_.push_back((i * grid.pitch() + j) * kChunkBytes);
    streams_ = is_streamed<T>(out_);
  }

  // A block of rows, which the second-level cache holds once they are packed, times one panel, or a pair of them, is a unit of work.
  void operator()() const {
    const int64_t all = grid_.rows(), columns = column_units();
    const int64_t grain = std::max<int64_t>(1, kProductGrain / (std::min(all, block_) * weight_.column_bytes()));
    with_activation<T>(activation_, [&](auto act) {
      parallel_for((all + block_ - 1) / block_ * columns, grain, [&](int64_t begin, int64_t end) {
        const MatrixRegisters registers;
        std::byte* const packed = packed_.mine();
        Row* const rows = rows_.mine();
        Tiles<decltype(act)> tiles{*this, act};
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t first = unit / columns * block_, count = std::min(block_, all - first), at = unit % columns;
          if (unit == begin || at == 0) {
            tiles.finish();
            pack(packed, first, count);
            for_pixels(first, count, [&](int64_t i, int64_t pixel) { rows[i] = row_of(pixel); });
          }
          for (int64_t r = 0; r < count; r += kProductRows) {
            prefetch(at + 1, r, count);
            tiles.multiply(packed + r * kChunkBytes, {rows + r, size_t(std::min(kProductRows, count - r))}, at);
          }
        }
        tiles.finish();
        if (streams_) end_streams();
      });
    });
  }

 private:
  int64_t in_bytes() const { return weight_.in * int64_t(sizeof(E)); }
  int64_t chunks() const { return weight_.tap_bytes() / kChunkBytes; }
  int64_t next_chunk() const { return (block_ + reach_) * kChunkBytes; }
  int64_t steps() const { return int64_t(taps_.size()) * chunks(); }
  bool gated() const { return activation_ == Activation::geglu; }  // the first half of the columns by the other

  // As many as the cache holds, but a block for each thread.
  int64_t block_rows() const {
    const int64_t all = grid_.rows();
    int64_t blocks = std::clamp((kRowBytes / weight_.tap_bytes() - reach_) / kProductRows, int64_t{1}, kMostBlocks);
    while (blocks > 2 && (all + blocks * kProductRows - 1) / (blocks * kProductRows) < omp_get_max_threads()) blocks /= 2;
    return blocks * kProductRows;
  }

  // body(i, pixel) for `count` rows from `first` on.
  template <class Body>
  void for_pixels(int64_t first, int64_t count, Body body) const {
    constexpr int64_t kAtOnce = 64;
    int64_t pixels[kAtOnce];
    for (int64_t done = 0; done < count; done += kAtOnce) {
      const int64_t some = std::min(kAtOnce, count - done);
      grid_.pixels(first + done, some, pixels);
      for (int64_t i = 0; i < some; ++i) body(done + i, pixels[i]);
    }
  }

  // Rows from `first` on and what taps reach from them: the first chunk of all, then the second. Zeros where there are no pixels, and where rows end.
  void pack(std::byte* to, int64_t first, int64_t count) const {
    for_pixels(first - grid_.pad * (grid_.pitch() + 1), round_up(count, kProductRows) + reach_, [&](int64_t i, int64_t pixel) {
      pack_row(to + i * kChunkBytes, pixel < 0 ? nullptr : reinterpret_cast<const std::byte*>(x_.row<E>(pixel)));
    });
  }
  void pack_row(std::byte* to, const std::byte* from) const {
    const int64_t whole = from ? in_bytes() / kChunkBytes : 0, step = next_chunk();
    for (int64_t c = 0; c < whole; ++c, to += step) std::memcpy(to, from + c * kChunkBytes, kChunkBytes);
    for (int64_t c = whole; c < chunks(); ++c, to += step) {
      std::memset(to, 0, kChunkBytes);
      if (from) std::memcpy(to, from + c * kChunkBytes, size_t(in_bytes() - c * kChunkBytes));
    }
  }

  // What a row of sums becomes.
  struct Row {
    T* out;  // nothing if null
    const T* residual;
    float scale;
  };
  Row row_of(int64_t pixel) const {
    if (pixel < 0) return {};
    const bool same = residual_.shape == out_.shape;
    return {out_.row<T>(pixel), residual_.data ? residual_.row<T>(same ? pixel : broadcast_row(out_.shape, residual_.shape, pixel)) : nullptr,
            kScaled<E> ? x_.scales()[pixel] : 1};
  }

  // What kLanes columns of all rows share.
  struct Column {
    int64_t first, count;
    Floats scales, bias;

    Column(const Product& p, int64_t first)
        : first(first),
          count(std::min(kLanes, p.weight_.out - first)),
          scales(kScaled<E> ? load(p.weight_.scales() + first) : Floats{}),
          bias(p.bias_ ? some(p.bias_) : Floats{}) {}

    template <class V>
    Floats some(const V* row) const {
      return count == kLanes ? load(row + first) : load_part(row + first, count);
    }
    template <class Activate>
    Floats value(Floats sum, const Row& row, Activate act) const {
      if constexpr (kScaled<E>) sum *= row.scale * scales;
      const Floats y = act(sum + bias);
      return row.residual ? y + some(row.residual) : y;
    }
    void put(const Row& row, Floats y) const {
      if (count == kLanes)
        store(row.out + first, y);
      else
        store_part(row.out + first, count, y);
    }
  };

#if defined(__AMX_INT8__)
  // A thread's products. The sums of one become results while the matrix registers work on the next.
  template <class Activate>
  class Tiles {
   public:
    Tiles(const Product& product, Activate act)
        : p_(product), act_(act), rows_at_once_((kMatrices + p_.steps() - 1) / p_.steps()), left_(p_, 0), right_(p_, 0) {}

    // `rows`, which lie at `packed`, times a pair of panels.
    void multiply(const std::byte* packed, std::span<const Row> rows, int64_t pair) {
      const auto [left, right] = p_.panels_of(pair);
      multiply_matrices<E>(packed, p_.taps_, p_.chunks(), p_.next_chunk(), p_.weight_.panel(left), p_.weight_.panel(right), sums_[1 - last_],
                           [&] { advance(rows_at_once_); });
      finish();
      last_ = 1 - last_, done_ = 0, rows_ = rows;
      left_ = Column(p_, left * kPanelColumns), right_ = Column(p_, right * kPanelColumns);
    }
    void finish() { advance(kMatrices); }

   private:
    void advance(int64_t count) {
      for (const int64_t end = std::min(done_ + count, int64_t(rows_.size())); done_ < end; ++done_) put(rows_[done_]);
    }
    void put(const Row& row) const {
      if (!row.out) return;
      const bool both = left_.first != right_.first;
      const Floats a = left_.value(sum(0), row, act_), b = right_.value(sum(kMatrix), row, act_);
      if (p_.gated()) {
        left_.put(row, a * gelu<T>(b));
      } else if (p_.streams_ && both && right_.count == kLanes) {
        stream(row.out + left_.first, a, b);
      } else {
        left_.put(row, a);
        if (both) right_.put(row, b);
      }
    }
    Floats sum(int64_t column) const {
      std::conditional_t<kScaled<E>, Ints, Floats> v;
      std::memcpy(&v, &sums_[last_][done_][column], sizeof v);
      return __builtin_convertvector(v, Floats);
    }

    const Product& p_;
    Activate act_;
    alignas(64) MatrixSum<E> sums_[2][kMatrices][kMatrices];
    int64_t rows_at_once_, last_ = 0, done_ = 0;
    std::span<const Row> rows_{};
    Column left_, right_;
  };

  // Neighbours, of which the last may have none and is with itself then; or what is gated with its gate, half of all panels further on.
  std::pair<int64_t, int64_t> panels_of(int64_t pair) const {
    if (gated()) return {pair, pair + column_units()};
    return {2 * pair, std::min(2 * pair + 1, weight_.count() - 1)};
  }
  int64_t column_units() const { return (weight_.count() + 1) / 2; }

  // A part of the panels that come next, so that all of them are there when the block is done.
  void prefetch(int64_t pair, int64_t r, int64_t of_block) const {
    const int64_t bytes = kPanelColumns * weight_.column_bytes();
    if (pair == column_units() || 2 * bytes > kPrefetchedBytes) return;
    const auto [left, right] = panels_of(pair);
    for (int64_t at = bytes * r / of_block / 64 * 64; at < std::min(bytes, bytes * (r + kProductRows) / of_block); at += 64)
      for (const int64_t panel : {left, right}) _mm_prefetch(reinterpret_cast<const char*>(weight_.panel(panel)) + at, _MM_HINT_T1);
  }
#else
  template <class Activate>
  struct Tiles {
    const Product& p;
    Activate act;

    void multiply(const std::byte* packed, std::span<const Row> rows, int64_t panel) const {
      for (int64_t c = 0; c < std::min(kPanelColumns, p.weight_.out - panel * kPanelColumns); c += kLanes) {
        const int8_t* w = reinterpret_cast<const int8_t*>(p.weight_.panel(panel)) + c * kGroupBytes;
        Ints sum[kProductRows];
#pragma GCC unroll 32
        for (int64_t i = 0; i < kProductRows; ++i) sum[i] = Ints{};
        for (const int64_t tap : p.taps_) {
          const auto* x = reinterpret_cast<const int8_t*>(packed) + tap;
          for (int64_t chunk = 0; chunk < p.chunks(); ++chunk, x += p.next_chunk())
            for (int64_t k = 0; k < kChunkBytes; k += kGroupBytes, w += kPanelColumns * kGroupBytes) {
              const FourWeights four(w);
#pragma GCC unroll 32
              for (int64_t i = 0; i < kProductRows; ++i) sum[i] = add_products(sum[i], four, repeat_four(x + i * kChunkBytes + k));
            }
        }
        const Column column(p, panel * kPanelColumns + c);
        Ints negatives;
        std::memcpy(&negatives, p.weight_.negatives() + column.first, sizeof negatives);
#pragma GCC unroll 32
        for (int64_t i = 0; i < kProductRows; ++i)
          if (i < int64_t(rows.size()) && rows[i].out)
            column.put(rows[i], column.value(__builtin_convertvector(sum[i] - negatives, Floats), rows[i], act));
      }
    }
    void finish() const {}
  };
  int64_t column_units() const { return weight_.count(); }
  void prefetch(int64_t, int64_t, int64_t) const {}
#endif

  PixelGrid grid_;
  TensorView x_, out_;
  const float* bias_;
  TensorView residual_;
  Panels weight_;
  Activation activation_;
  int64_t reach_, block_;  // rows: from a row to its last tap; packed at a time
  Scratch::PerThread<std::byte> packed_;
  Scratch::PerThread<Row> rows_;  // of those
  std::vector<int64_t> taps_;  // bytes
  bool streams_;               // the result past the caches
};

// Rows by themselves, of 8-bit numbers or of bfloat16.
inline Launch bind_product_of_rows(const Operands& o, Activation activation, Scratch& scratch) {
  const PixelGrid rows{.images = 1, .height = 1, .width = o.out.shape.rows(), .pad = 0};
  return with_type(o, [&]<class T>(T) -> Launch {
    if constexpr (kMultipliesPanels)
      if (o.in[1].dtype == Dtype::bf16) return Product<bf16, T>(o, rows, 1, activation, scratch);
    return Product<int8_t, T>(o, rows, 1, activation, scratch);
  });
}

inline Launch bind_linear(const Operands& o, Scratch& scratch) { return bind_product_of_rows(o, o.node.as<LinearAttr>().activation, scratch); }

// Odd kernels of stride 1 whose result is as large as the image; larger ones than 1 in 8 bits.
inline Launch bind_conv2d(const Operands& o, Scratch& scratch) {
  const auto& a = o.node.as<ConvAttr>();
  const Shape& s = o.in[0].shape;
  const int64_t kernel = o.in[1].shape.h;
  if (kernel == 1) return bind_product_of_rows(o, a.activation, scratch);
  const PixelGrid pixels{s.n, s.h, s.w, a.pad_begin};
  return with_type(o, [&]<class T>(T) -> Launch { return Product<int8_t, T>(o, pixels, kernel, a.activation, scratch); });
}

}  // namespace hayate::cpu::HAYATE_ISA
