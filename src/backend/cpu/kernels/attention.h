// attention without its score matrix (Dao et al. 2022), and the unfused attention_scores and attention_mix, from the same blocks.
#pragma once
#include "backend/cpu/kernels/tile.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kQueries = 96;  // a multiple of every kTileRows, and of 32 for matrix registers; enough to pay for packing the keys again
constexpr int64_t kKeys = 64;

// What one thread works on at a time: queries [first, first + count) of one head.
struct QueryBlock { int64_t image, head, first, count; };

template <class Body>
void for_query_blocks(int64_t images, int64_t heads, int64_t queries, Body body) {
  int64_t blocks = (queries + kQueries - 1) / kQueries;
  parallel_for(images * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const MatrixRegisters registers;
    for (int64_t task = begin; task < end; ++task) {
      int64_t first = task % blocks * kQueries, head = task / blocks;
      body(QueryBlock{head / heads, head % heads, first, std::min(kQueries, queries - first)});
    }
  });
}

template <class Body>
void for_key_blocks(int64_t keys, Body body) {  // body(begin, count)
  for (int64_t begin = 0; begin < keys; begin += kKeys) body(begin, std::min(kKeys, keys - begin));
}

// What is computed of so many queries and keys: whole tiles, and where products of whole matrices are as fast as those of a part, all.
template <class E>
int64_t whole_tiles(int64_t rows) { return kMultipliesMatrices<E> ? kQueries : (rows + kTileRows - 1) / kTileRows * kTileRows; }
template <class E>
int64_t whole_vectors(int64_t keys) { return kMultipliesMatrices<E> ? kKeys : round_up(keys); }

// The first of a head's columns for one token; heads lie side by side in the columns.
template <class T>
const T* head_row(const TensorView& x, const QueryBlock& b, int64_t token, int64_t width) {
  return x.row<T>(b.image * x.shape.tokens() + token) + b.head * width;
}

// Of what scratch memory has, in numbers of 4 bytes.
template <class E>
E* as(float* memory) {
  static_assert(sizeof(E) == sizeof(float));
  return reinterpret_cast<E*>(memory);
}

// scores = q k^T without the scale, -inf for keys after the query if causal.
template <class T>
struct Scores {
  using E = Factor<T>;
  TensorView q, k;
  AttentionAttr attr;
  int64_t width = q.shape.c / attr.heads, depth = factors<E>(width);

  int64_t floats() const { return (kQueries + kKeys) * depth; }
  Block<E> queries(float* memory) const { return {as<E>(memory), depth}; }
  Block<E> keys(float* memory) const { return {as<E>(memory + kQueries * depth), kKeys}; }

  void pack_queries(const QueryBlock& b, float* memory) const {
    pack_rows(queries(memory), whole_tiles<E>(b.count), head_row<T>(q, b, b.first, width), q.row_stride, b.count, width);
  }
  // Against keys [begin, begin + count); columns from count on are -inf.
  void operator()(const QueryBlock& b, float* memory, Block<float> scores, int64_t begin, int64_t count) const {
    pack_transposed(keys(memory), head_row<T>(k, b, begin, width), k.row_stride, count, width);
    multiply(scores, queries(memory), keys(memory), whole_tiles<E>(b.count), whole_vectors<E>(count), depth, false);
    for (int64_t i = 0; i < b.count; ++i) {
      int64_t seen = attr.causal ? std::clamp<int64_t>(b.first + i + 1 - begin, 0, count) : count;
      std::fill(scores.row(i) + seen, scores.row(i) + kKeys, -INFINITY);
    }
  }
};

// out = weights v, block by block of keys.
template <class T>
struct Mix {
  using E = Factor<T>;
  TensorView out, v;
  int64_t heads, width = v.shape.c / heads, padded = round_up(width);

  int64_t floats() const { return (kQueries + factors<E>(kKeys)) * padded; }
  Block<float> sums(float* memory) const { return {memory, padded}; }
  Block<E> values(float* memory) const { return {as<E>(memory + kQueries * padded), padded}; }

  void clear(const QueryBlock& b, float* memory) const { std::fill_n(memory, whole_tiles<E>(b.count) * padded, 0.0f); }
  void add(const QueryBlock& b, float* memory, Block<E> weights, int64_t begin, int64_t count) const {
    const int64_t keys = kMultipliesMatrices<E> ? kKeys : count;
    pack_columns(values(memory), keys, head_row<T>(v, b, begin, width), v.row_stride, count, width);
    multiply(sums(memory), weights, values(memory), whole_tiles<E>(b.count), padded, factors<E>(keys), true);
  }
  // The sums of query i times `scale`.
  void store_row(const QueryBlock& b, float* memory, int64_t i, float scale) const {
    T* to = out.row<T>(b.image * out.shape.tokens() + b.first + i) + b.head * width;
    map_row(to, width, [scale](Floats x) { return x * scale; }, sums(memory).row(i));
  }
};

// Turns scores into exp(scale (score - largest so far)), and corrects what was summed with a smaller largest.
struct RunningSoftmax {
  float *largest, *totals;  // per query; totals of each lane
  float scale;              // > 0

  static constexpr int64_t floats() { return kQueries * (1 + kLanes); }
  RunningSoftmax(float* memory, float factor) : largest(memory), totals(memory + kQueries), scale(factor) {}

  void clear() const {
    std::fill_n(largest, kQueries, -INFINITY);
    std::fill_n(totals, kQueries * kLanes, 0.0f);
  }
  float total(int64_t i) const { return sum_of(load(totals + i * kLanes)); }
  // `weights` may begin where the scores do.
  template <class W>
  void operator()(const float* scores, W* weights, int64_t count, float* sums, int64_t width, int64_t i) const {
    Floats top = splat(largest[i]);
    for (int64_t j = 0; j < count; j += kLanes) top = max(load(scores + j), top);
    // A block seldom has a larger one than those before it.
    const float now = max_of(top), correction = now == largest[i] ? 1 : std::exp(scale * (largest[i] - now));
    Floats sum = load(totals + i * kLanes) * correction;
    for (int64_t j = 0; j < count; j += kLanes) {
      Floats p = exp(scale * (load(scores + j) - now));
      store(weights + j, p);
      sum += p;
    }
    largest[i] = now;
    store(totals + i * kLanes, sum);
    if (correction != 1) map_row(sums, width, [correction](Floats x) { return x * correction; }, sums);
  }
};

template <class T>
class Attention {
  using E = Factor<T>;
  using Stored = std::conditional_t<std::is_same_v<E, Pair>, bf16, float>;

 public:
  Attention(const Operands& o, Scratch& scratch)
      : scores_{o.in[0], o.in[1], o.node.as<AttentionAttr>()}, mix_{o.out, o.in[2], scores_.attr.heads},
        memory_(scratch.take_per_thread<float>(scores_.floats() + mix_.floats() + kQueries * kKeys + RunningSoftmax::floats())) {}

  void operator()() const {
    const Shape& q = scores_.q.shape;
    for_query_blocks(q.n, scores_.attr.heads, q.tokens(), [&](const QueryBlock& b) { run(b, memory_.mine()); });
  }

 private:
  void run(const QueryBlock& b, float* for_scores) const {
    float *for_mix = for_scores + scores_.floats(), *rest = for_mix + mix_.floats();
    const Block<float> scores{rest, kKeys};
    const Block<E> weights{as<E>(rest), kKeys};  // in place of the scores
    const RunningSoftmax softmax(rest + kQueries * kKeys, scores_.attr.scale);
    scores_.pack_queries(b, for_scores);
    mix_.clear(b, for_mix);
    softmax.clear();
    int64_t keys = scores_.k.shape.tokens(), visible = scores_.attr.causal ? std::min(keys, b.first + b.count) : keys;
    for_key_blocks(visible, [&](int64_t begin, int64_t count) {
      scores_(b, for_scores, scores, begin, count);
      for (int64_t i = 0; i < b.count; ++i)
        softmax(scores.row(i), reinterpret_cast<Stored*>(weights.row(i)), whole_vectors<E>(count), mix_.sums(for_mix).row(i), mix_.padded, i);
      mix_.add(b, for_mix, weights, begin, count);
    });
    for (int64_t i = 0; i < b.count; ++i) mix_.store_row(b, for_mix, i, 1 / softmax.total(i));
  }

  Scores<T> scores_;
  Mix<T> mix_;
  Scratch::PerThread<float> memory_;
};

template <class T>
class AttentionScores {
 public:
  AttentionScores(const Operands& o, Scratch& scratch)
      : out_(o.out), scores_{o.in[0], o.in[1], o.node.as<AttentionAttr>()},
        memory_(scratch.take_per_thread<float>(scores_.floats() + kQueries * kKeys)) {}

  void operator()() const {
    const Shape& s = out_.shape;  // (n, heads, queries, keys)
    for_query_blocks(s.n, s.h, s.w, [&](const QueryBlock& b) {
      float* memory = memory_.mine();
      const Block<float> block{memory + scores_.floats(), kKeys};
      scores_.pack_queries(b, memory);
      for_key_blocks(s.c, [&](int64_t begin, int64_t count) {
        scores_(b, memory, block, begin, count);
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
      : weights_(o.in[0]), mix_{o.out, o.in[1], weights_.shape.h}, memory_(scratch.take_per_thread<float>(mix_.floats() + kQueries * factors<E>(kKeys))) {}

  void operator()() const {
    const Shape& w = weights_.shape;  // (n, heads, queries, keys)
    for_query_blocks(w.n, w.h, w.w, [&](const QueryBlock& b) {
      float* memory = memory_.mine();
      const Block<E> block{as<E>(memory + mix_.floats()), factors<E>(kKeys)};
      mix_.clear(b, memory);
      for_key_blocks(w.c, [&](int64_t begin, int64_t count) {
        const T* from = weights_.row<T>((b.image * w.h + b.head) * w.w + b.first) + begin;
        pack_rows(block, whole_tiles<E>(b.count), from, weights_.row_stride, b.count, count);
        mix_.add(b, memory, block, begin, count);
      });
      for (int64_t i = 0; i < b.count; ++i) mix_.store_row(b, memory, i, 1);
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
