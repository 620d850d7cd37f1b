// Which attention runs: the flash kernel where it has the head size, else scores, softmax and mix over blocks of queries.
#include <algorithm>

#include "backend/cuda/fastest.h"
#include "backend/cuda/matmul.h"
#include "backend/cuda/tile_attention.h"

namespace hayate::cuda {

namespace {
void* row_of(const TensorView& t, int64_t row) { return static_cast<std::byte*>(t.data) + row * t.row_stride * size_of(t.dtype); }

// The products of one image, all heads in one batch; scores and weights are (heads, queries, keys).
struct Heads {
  int heads;
  int64_t head, queries, keys;  // head: columns of one
  bool tf32;

  MatmulProblem scores(const TensorView& q, const TensorView& k, float scale, Dtype type) const {  // q k^T
    return {.x = q.data,
            .w = k.data,
            .m = queries,
            .n = keys,
            .k = head,
            .x_stride = q.row_stride,
            .w_stride = k.row_stride,
            .y_stride = keys,
            .dtype = q.dtype,
            .y_dtype = type,
            .alpha = scale,
            .tf32 = tf32,
            .batch = heads,
            .x_batch = head,
            .w_batch = head,
            .y_batch = queries * keys};
  }
  MatmulProblem mix(const TensorView& v, const TensorView& y) const {  // weights v
    return {.w = v.data,
            .y = y.data,
            .m = queries,
            .n = head,
            .k = keys,
            .x_stride = keys,
            .w_stride = v.row_stride,
            .y_stride = y.row_stride,
            .w_by_input = true,
            .dtype = v.dtype,
            .y_dtype = y.dtype,
            .tf32 = tf32,
            .batch = heads,
            .x_batch = queries * keys,
            .w_batch = head,
            .y_batch = head};
  }
};

bool flash_takes(const Operands& o, const AttentionAttr& a) {
  int head = int(o.in[0].shape.c / a.heads);
  return o.out.dtype != Dtype::f32 && head % 8 == 0 && head <= kLargestFlashHead && o.in[2].shape.c == o.in[0].shape.c &&
         std::all_of(o.in.begin(), o.in.end(), has_vectors) && has_vectors(o.out);
}

Launch bind_flash(const Operands& o, const AttentionAttr& a, const Context& context) {
  const TensorView &q = o.in[0], &k = o.in[1], &v = o.in[2], &y = o.out;
  AttentionArgs args{.q = q.data,
                     .k = k.data,
                     .v = v.data,
                     .y = y.data,
                     .dtype = y.dtype,
                     .images = int(q.shape.n),
                     .heads = a.heads,
                     .head = int(q.shape.c / a.heads),
                     .queries = int(q.shape.tokens()),
                     .keys = int(k.shape.tokens()),
                     .q_stride = q.row_stride,
                     .k_stride = k.row_stride,
                     .v_stride = v.row_stride,
                     .y_stride = y.row_stride,
                     .scale = a.scale,
                     .causal = a.causal};
  return {[=, s = context.stream()](void*) { launch_attention(s, args); }};
}

// The scores of a block of queries at a time, in float32, in the workspace: scores, weights, then what the products need.
Launch bind_blocks(const Operands& o, const AttentionAttr& a, const Context& context, BindOptions options) {
  constexpr int64_t kMostBytes = 256 << 20;
  TensorView q = o.in[0], k = o.in[1], v = o.in[2], y = o.out;
  int64_t tokens = q.shape.tokens(), keys = k.shape.tokens(), row_bytes = a.heads * keys * (4 + size_of(v.dtype));
  // A causal mask counts queries from the first; such sequences are short.
  int64_t block = a.causal ? tokens : std::min(tokens, std::max<int64_t>(kMostBytes / row_bytes / 64 * 64, 64));
  auto product_of = [&](int64_t queries) {
    Heads h{a.heads, q.shape.c / a.heads, queries, keys, options.tf32};
    return std::pair{bind_product(h.scores(q, k, a.scale, Dtype::f32), context), bind_product(h.mix(v, y), context)};
  };
  auto whole = product_of(block), rest = tokens % block ? product_of(tokens % block) : whole;
  int64_t scores_bytes = (a.heads * block * keys * 4 + 255) / 256 * 256,
          weights_bytes = (a.heads * block * keys * size_of(v.dtype) + 255) / 256 * 256;
  auto run = [=, heads = a.heads, causal = a.causal, s = context.stream()](void* workspace) {
    auto* scores = static_cast<std::byte*>(workspace);
    auto* weights = scores + scores_bytes;
    void* inner = weights + weights_bytes;
    for (int64_t image = 0; image < q.shape.n; ++image)
      for (int64_t first = 0; first < tokens; first += block) {
        int64_t queries = std::min(block, tokens - first);
        const auto& [score, mix] = queries == block ? whole : rest;
        score.enqueue({row_of(q, image * tokens + first), row_of(k, image * keys), scores}, inner);
        Matrix rows{scores, heads * queries, keys, int(keys), Dtype::f32};
        if (causal) launch_causal_mask(s, rows, int(queries));
        launch_softmax(s, {weights, rows.rows, keys, int(keys), v.dtype}, rows);
        mix.enqueue({weights, row_of(v, image * keys), row_of(y, image * tokens + first)}, inner);
      }
  };
  int64_t inner = std::max({whole.first.workspace, whole.second.workspace, rest.first.workspace, rest.second.workspace});
  return {std::move(run), scores_bytes + weights_bytes + inner};
}
}  // namespace

Launch bind_attention(const Operands& o, const Context& context, BindOptions options) {
  const auto& a = o.node.as<AttentionAttr>();
  const bool narrow = is_quantized(o.out.dtype);  // which only tiles make
  if (!narrow && !flash_takes(o, a)) return bind_blocks(o, a, context, options);
  std::vector<Way> ways;
  if (!narrow) ways.push_back([&](const Operands& at) { return bind_flash(at, a, context); });
  const bool wide = o.in[0].shape.c / a.heads > 128;  // where little of a head fits into shared memory, storing the scores may be faster
  if (!narrow && wide) ways.push_back([&](const Operands& at) { return bind_blocks(at, a, context, options); });
  if (narrow || tiles_take_attention(o, context)) add_attention_tile_ways(ways, o, context);
  return bind_fastest(o, context, ways);
}

Launch bind_attention_scores(const Operands& o, const Context& context, BindOptions options) {
  const auto& a = o.node.as<AttentionAttr>();
  TensorView q = o.in[0], k = o.in[1], y = o.out;
  Heads h{a.heads, q.shape.c / a.heads, q.shape.tokens(), k.shape.tokens(), options.tf32};
  MatmulProblem problem = h.scores(q, k, a.scale, y.dtype);
  problem.y = y.data;
  Product product = bind_product(problem, context);
  auto run = [=, causal = a.causal, s = context.stream()](void* workspace) {
    for (int64_t image = 0; image < q.shape.n; ++image)
      product.enqueue({row_of(q, image * h.queries), row_of(k, image * h.keys), row_of(y, image * h.heads * h.queries)}, workspace);
    if (causal) launch_causal_mask(s, matrix_of(y), int(h.queries));
  };
  return {std::move(run), product.workspace};
}

Launch bind_attention_mix(const Operands& o, const Context& context, BindOptions options) {
  TensorView weights = o.in[0], v = o.in[1], y = o.out;
  Heads h{int(weights.shape.h), y.shape.c / weights.shape.h, y.shape.tokens(), v.shape.tokens(), options.tf32};
  MatmulProblem problem = h.mix(v, y);
  problem.x = weights.data;
  Product product = bind_product(problem, context);
  auto run = [=](void* workspace) {
    for (int64_t image = 0; image < y.shape.n; ++image)
      product.enqueue({row_of(weights, image * h.heads * h.queries), row_of(v, image * h.keys), row_of(y, image * h.queries)}, workspace);
  };
  return {std::move(run), product.workspace};
}

}  // namespace hayate::cuda
