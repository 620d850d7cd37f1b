// attention without its score matrix (Dao et al. 2022), and the unfused attention_scores and attention_mix, from the same blocks.
#pragma once
#include "backend/cpu/kernels/tile.h"

namespace hayate::cpu::HAYATE_ISA {

// Whose scores a thread has at a time: queries, a multiple of every kTileRows, and keys, both multiples of kMatrices. They lie in the second-level cache;
// with fewer keys the sums, which are loaded and stored for each block of them, cost more than that.
constexpr int64_t kQueries = 192, kKeys = 128;
constexpr int64_t kMostQueryBlocks = 6;  // of queries that share packed keys

// Queries [first, first + count) of one head.
struct QueryBlock { int64_t image, head, first, count; };

// What a thread works on: `most` queries of a head.
template <class Body>
void for_query_blocks(int64_t images, int64_t heads, int64_t queries, int64_t most, Body body) {
  int64_t blocks = (queries + most - 1) / most;
  parallel_for(images * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const MatrixRegisters registers;
    for (int64_t task = begin; task < end; ++task) {
      int64_t first = task % blocks * most, head = task / blocks;
      body(QueryBlock{head / heads, head % heads, first, std::min(most, queries - first)});
    }
  });
}

template <class Body>
void for_key_blocks(int64_t keys, Body body) {  // body(begin, count)
  for (int64_t begin = 0; begin < keys; begin += kKeys) body(begin, std::min(kKeys, keys - begin));
}

// What is computed of so many queries and keys: whole tiles, and where products of whole matrices are as fast as those of a part, whole ones.
template <class E>
int64_t whole_tiles(int64_t rows) { return round_up(rows, kMultipliesMatrices<E> ? kMatrices : kTileRows); }
template <class E>
int64_t whole_vectors(int64_t keys) { return round_up(keys, kMultipliesMatrices<E> ? kMatrices : kLanes); }

// The first of a head's columns for one token; heads lie side by side in the columns.
template <class T>
const T* head_row(const TensorView& x, const QueryBlock& b, int64_t token, int64_t width) {
  return x.row<T>(b.image * x.shape.tokens() + token) + b.head * width;
}

// A thread's memory, cut into matrices. Numbers have 4 bytes each.
class Pieces {
 public:
  explicit Pieces(float* memory) : memory_(memory) {}
  template <class E>
  Block<E> take(int64_t rows, int64_t stride) {
    static_assert(sizeof(E) == sizeof(float));
    E* data = reinterpret_cast<E*>(memory_);
    memory_ += rows * stride;
    return {data, stride};
  }

 private:
  float* memory_;
};

// scores = q k^T without the scale, -inf for keys after the query if causal.
template <class T>
struct Scores {
  using E = Factor<T>;
  TensorView q, k;
  AttentionAttr attr;
  int64_t width = q.shape.c / attr.heads, depth = factors<E>(width);

  void pack_queries(const QueryBlock& b, Block<E> to) const {
    pack_rows(to, whole_tiles<E>(b.count), head_row<T>(q, b, b.first, width), q.row_stride, b.count, width);
  }
  // Keys [begin, begin + count).
  void pack_keys(const QueryBlock& b, int64_t begin, int64_t count, Block<E> to) const {
    pack_transposed(to, head_row<T>(k, b, begin, width), k.row_stride, count, width);
  }
  // Columns of `to` from count on are -inf.
  void operator()(const QueryBlock& b, Block<E> queries, Block<E> keys, int64_t begin, int64_t count, Block<float> to) const {
    const int64_t whole = whole_vectors<E>(count);
    multiply(to, queries, keys, whole_tiles<E>(b.count), whole, depth, false);
    if (count == whole && !attr.causal) return;
    for (int64_t i = 0; i < b.count; ++i) {
      int64_t seen = attr.causal ? std::clamp<int64_t>(b.first + i + 1 - begin, 0, count) : count;
      std::fill(to.row(i) + seen, to.row(i) + whole, -INFINITY);
    }
  }
};

// out = weights v, block by block of keys.
template <class T>
struct Mix {
  using E = Factor<T>;
  TensorView out, v;
  int64_t heads, width = v.shape.c / heads, padded = round_up(width);

  static int64_t keys(int64_t count) { return kMultipliesMatrices<E> ? whole_vectors<E>(count) : count; }
  void pack_values(const QueryBlock& b, int64_t begin, int64_t count, Block<E> to) const {
    pack_columns(to, keys(count), head_row<T>(v, b, begin, width), v.row_stride, count, width);
  }
  void add(const QueryBlock& b, Block<E> weights, Block<E> values, int64_t count, Block<float> sums) const {
    multiply(sums, weights, values, whole_tiles<E>(b.count), padded, factors<E>(keys(count)), true);
  }
  // The sums of query i times `scale`.
  void store_row(const QueryBlock& b, int64_t i, const float* sums, float scale) const {
    T* to = out.row<T>(b.image * out.shape.tokens() + b.first + i) + b.head * width;
    map_row(to, width, [scale](Floats x) { return x * scale; }, sums);
  }
};

// Turns a query's scores into 2^(scale (score - largest so far)), and corrects what was summed with a smaller largest.
struct RunningSoftmax {
  float largest = -INFINITY;
  Floats total{};  // of each lane

  // `weights` may begin where the scores do.
  template <class W>
  void operator()(float scale, const float* scores, W* weights, int64_t count, float* sums, int64_t width) {
    Floats top = splat(largest);
    for (int64_t j = 0; j < count; j += kLanes) top = max(load(scores + j), top);
    // A block seldom has a larger one than those before it.
    const float now = max_of(top), correction = now == largest ? 1 : std::exp2(scale * (largest - now));
    total *= correction;
    for (int64_t j = 0; j < count; j += kLanes) {
      const Floats p = exp2<W>(scale * (load(scores + j) - now));
      store(weights + j, p);
      total += p;
    }
    largest = now;
    if (correction != 1) map_row(sums, width, [correction](Floats x) { return x * correction; }, sums);
  }
};

constexpr int64_t kSoftmaxFloats = sizeof(RunningSoftmax) / sizeof(float);

template <class T>
class Attention {
  using E = Factor<T>;
  using Stored = std::conditional_t<std::is_same_v<E, Pair>, bf16, float>;

 public:
  Attention(const Operands& o, Scratch& scratch)
      : scores_{o.in[0], o.in[1], o.node.as<AttentionAttr>()}, mix_{o.out, o.in[2], scores_.attr.heads}, queries_(queries_of_a_thread()),
        memory_(scratch.take_per_thread<float>(queries_ * (scores_.depth + mix_.padded + kSoftmaxFloats) + kKeys * scores_.depth +
                                               factors<E>(kKeys) * mix_.padded + kQueries * kKeys)) {}

  void operator()() const {
    const Shape& q = scores_.q.shape;
    for_query_blocks(q.n, scores_.attr.heads, q.tokens(), queries_, [&](const QueryBlock& b) { run(b, Pieces(memory_.mine())); });
  }

 private:
  // As many as may share packed keys, but a part for each thread.
  int64_t queries_of_a_thread() const {
    const Shape& q = scores_.q.shape;
    const int64_t blocks = q.n * scores_.attr.heads * ((q.tokens() + kQueries - 1) / kQueries);
    return std::clamp<int64_t>(blocks / omp_get_max_threads(), 1, kMostQueryBlocks) * kQueries;
  }

  void run(const QueryBlock& all, Pieces memory) const {
    const auto queries = memory.take<E>(queries_, scores_.depth), keys = memory.take<E>(scores_.depth, kKeys);
    const auto values = memory.take<E>(factors<E>(kKeys), mix_.padded);
    const auto sums = memory.take<float>(queries_, mix_.padded), scores = memory.take<float>(kQueries, kKeys);
    const Block<E> weights{reinterpret_cast<E*>(scores.data), kKeys};  // in place of the scores
    auto* const softmax = reinterpret_cast<RunningSoftmax*>(memory.take<float>(queries_, kSoftmaxFloats).data);

    scores_.pack_queries(all, queries);
    std::fill_n(sums.data, whole_tiles<E>(all.count) * mix_.padded, 0.0f);
    std::fill_n(softmax, all.count, RunningSoftmax{});
    const float scale = scores_.attr.scale * kLog2E;
    const int64_t tokens = scores_.k.shape.tokens(), visible = scores_.attr.causal ? std::min(tokens, all.first + all.count) : tokens;
    for_key_blocks(visible, [&](int64_t begin, int64_t count) {
      scores_.pack_keys(all, begin, count, keys);
      mix_.pack_values(all, begin, count, values);
      for (int64_t first = 0; first < all.count; first += kQueries) {
        const QueryBlock b{all.image, all.head, all.first + first, std::min(kQueries, all.count - first)};
        const Block<float> sum{sums.row(first), sums.stride};
        scores_(b, {queries.row(first), queries.stride}, keys, begin, count, scores);
        for (int64_t i = 0; i < b.count; ++i)
          softmax[first + i](scale, scores.row(i), reinterpret_cast<Stored*>(weights.row(i)), whole_vectors<E>(count), sum.row(i), mix_.padded);
        mix_.add(b, weights, values, count, sum);
      }
    });
    for (int64_t i = 0; i < all.count; ++i) mix_.store_row(all, i, sums.row(i), 1 / sum_of(softmax[i].total));
  }

  Scores<T> scores_;
  Mix<T> mix_;
  int64_t queries_;  // that a thread works on at a time
  Scratch::PerThread<float> memory_;
};

template <class T>
class AttentionScores {
  using E = Factor<T>;

 public:
  AttentionScores(const Operands& o, Scratch& scratch)
      : out_(o.out), scores_{o.in[0], o.in[1], o.node.as<AttentionAttr>()},
        memory_(scratch.take_per_thread<float>((kQueries + kKeys) * scores_.depth + kQueries * kKeys)) {}

  void operator()() const {
    const Shape& s = out_.shape;  // (n, heads, queries, keys)
    for_query_blocks(s.n, s.h, s.w, kQueries, [&](const QueryBlock& b) {
      Pieces memory(memory_.mine());
      const auto queries = memory.take<E>(kQueries, scores_.depth), keys = memory.take<E>(scores_.depth, kKeys);
      const auto block = memory.take<float>(kQueries, kKeys);
      scores_.pack_queries(b, queries);
      for_key_blocks(s.c, [&](int64_t begin, int64_t count) {
        scores_.pack_keys(b, begin, count, keys);
        scores_(b, queries, keys, begin, count, block);
        for (int64_t i = 0; i < b.count; ++i) {
          T* to = out_.row<T>((b.image * s.h + b.head) * s.w + b.first + i) + begin;
          map_row(to, count, [scale = scores_.attr.scale](Floats x) { return x * scale; }, block.row(i));
        }
      });
    });
  }

 private:
  TensorView out_;
  Scores<T> scores_;
  Scratch::PerThread<float> memory_;
};

template <class T>
class AttentionMix {
  using E = Factor<T>;

 public:
  AttentionMix(const Operands& o, Scratch& scratch)
      : weights_(o.in[0]), mix_{o.out, o.in[1], weights_.shape.h},
        memory_(scratch.take_per_thread<float>((kQueries + factors<E>(kKeys)) * mix_.padded + kQueries * factors<E>(kKeys))) {}

  void operator()() const {
    const Shape& w = weights_.shape;  // (n, heads, queries, keys)
    for_query_blocks(w.n, w.h, w.w, kQueries, [&](const QueryBlock& b) {
      Pieces memory(memory_.mine());
      const auto sums = memory.take<float>(kQueries, mix_.padded);
      const auto values = memory.take<E>(factors<E>(kKeys), mix_.padded), block = memory.take<E>(kQueries, factors<E>(kKeys));
      std::fill_n(sums.data, kQueries * mix_.padded, 0.0f);
      for_key_blocks(w.c, [&](int64_t begin, int64_t count) {
        const T* from = weights_.row<T>((b.image * w.h + b.head) * w.w + b.first) + begin;
        pack_rows(block, whole_tiles<E>(b.count), from, weights_.row_stride, b.count, count);
        mix_.pack_values(b, begin, count, values);
        mix_.add(b, block, values, count, sums);
      });
      for (int64_t i = 0; i < b.count; ++i) mix_.store_row(b, i, sums.row(i), 1);
    });
  }

 private:
  TensorView weights_;
  Mix<T> mix_;
  Scratch::PerThread<float> memory_;
};

template <template <class> class Kernel>
Launch bind_attention(const Operands& o, Scratch& scratch) {
  return with_type(o, [&]<class T>(T) -> Launch { return Kernel<T>(o, scratch); });
}

}  // namespace hayate::cpu::HAYATE_ISA
