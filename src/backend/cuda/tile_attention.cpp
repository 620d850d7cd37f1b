// What the kernel is given for an op: tensor maps and sizes.
#include "backend/cuda/tile_attention.h"

#include <algorithm>

#include "backend/cuda/kernels/attention_sm90.h"
#include "backend/cuda/tensor_map.h"

namespace hayate::cuda {

bool tiles_take_attention(const Operands& o, const Context& context) {
  const auto& a = o.node.as<AttentionAttr>();
  return context.capability / 10 == 9 && size_of(o.in[0].dtype) == 2 && o.in[0].shape.c == a.heads * kTileHead && o.in[2].shape.c == o.in[0].shape.c &&
         !a.causal && has_vectors(o.out) && std::ranges::all_of(o.in.begin(), o.in.begin() + 3, has_vectors);
}

Launch bind_tile_attention(const Operands& o, const Context& context, int tile) {
  const auto& a = o.node.as<AttentionAttr>();
  const TensorView &q = o.in[0], &k = o.in[1], &v = o.in[2], &y = o.out;
  auto map = [](const TensorView& t, int tokens) {
    return tensor_map(
        {t.data, t.dtype, {t.shape.c, t.shape.tokens(), t.shape.n}, {t.row_stride, t.shape.tokens() * t.row_stride}, {kTileHead, tokens, 1}});
  };
  TileAttention args{.q = map(q, 64),
                     .k = map(k, tile),
                     .v = map(v, tile),
                     .y = map(y, 64),
                     .y_scale = nullptr,
                     .y_scales = nullptr,
                     .images = int(q.shape.n),
                     .heads = a.heads,
                     .queries = int(q.shape.tokens()),
                     .keys = int(k.shape.tokens()),
                     .scale = a.scale,
                     .tile = tile};
  if (is_quantized(y.dtype)) args.y_scale = o.in[3].row<float>(0), args.y_scales = y.scales();
  return {[=, s = context.stream(), type = q.dtype](void*) { launch_tile_attention(s, args, type); }};
}

void add_attention_tile_ways(std::vector<Way>& ways, const Operands& o, const Context& context) {
  for (int tile : kAttentionTiles)
    if (tile == std::ranges::min(kAttentionTiles) || o.in[1].shape.tokens() > tile / 2)
      ways.push_back([&context, tile](const Operands& at) { return bind_tile_attention(at, context, tile); });
}

}  // namespace hayate::cuda
