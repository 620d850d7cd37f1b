// The op list: one row per op. Shape rules are in ops.cpp, meaning in backend/reference.
#pragma once
#include <cstdint>
#include <string>
#include <variant>

namespace hayate {

// What the precision pass does with an op.
enum class Precision : uint8_t {
  rung,    // computes and stores in the rung's type
  follow,  // keeps the type of what it reads
  exact,   // always float32 (or integers): schedules, guidance, time embeddings
};

#define HAYATE_OPS(X)                                                                                              \
  /* name              precision  inputs                                                                        */ \
  X(input,              exact)  /* {}                          written by the pipeline                          */ \
  X(weight,             rung)   /* {}                          read from the checkpoint                         */ \
  X(cast,               follow) /* {x}                         another dtype                                    */ \
  X(stack,              follow) /* {w...}                      weights one below the other (rows)               */ \
  X(pack,               follow) /* {w}                         same matrix in the backend's own layout          */ \
  X(fold_nearest,       follow) /* {w}                         (out, 3, 3, in) to (4 out, 2, 2, in)             */ \
  X(scale_columns,      follow) /* {w, factors}                of a matrix: column k times factors[k]           */ \
  X(row_dots,           exact)  /* {w, v, b}                   w v + b                                          */ \
  X(row_sums,           exact)  /* {w}                         of each row of a matrix                          */ \
  X(quantize,           exact)  /* {x}                         rows in 8 bits with a scale each: program/quantized.h */ \
  X(bound,              exact)  /* {x, b}                      scale for 8 bits with which no result overflows  */ \
  X(linear,             rung)   /* {x, weight, bias, residual, row sums of the packed weight, scale} act(x w^T + b) + residual */ \
  X(conv2d,             rung)   /* {x, weight, bias, residual} weight (out, kh, kw, in)                         */ \
  X(group_norm,         rung)   /* {x, gamma, beta, statistics, scale} act(norm); its own statistics if none are given */ \
  X(group_statistics,   exact)  /* {x, region}                 mean and variance: float32 (n, 1, groups, 2)     */ \
  X(layer_norm,         rung)   /* {x, gamma, beta}            over c                                           */ \
  X(silu,               follow) /* {x}                                                                          */ \
  X(gelu,               follow) /* {x}                         erf form                                         */ \
  X(quick_gelu,         follow) /* {x}                         x sigmoid(1.702 x)                               */ \
  X(relu,               follow) /* {x}                         max(x, 0)                                        */ \
  X(add,                follow) /* {a, b}                      b broadcasts where its dimension is 1            */ \
  X(mul,                follow) /* {a, b}                      likewise                                         */ \
  X(affine,             follow) /* {x}                         x * scale + shift                                */ \
  X(concat,             follow) /* {a, b}                      columns                                          */ \
  X(slice,              follow) /* {x}                         columns [begin, begin + c): the only view        */ \
  X(repeat,             follow) /* {x}                         whole batch, `times` times                       */ \
  X(upsample_nearest,   follow) /* {x}                         to the result's h and w                          */ \
  X(pad,                follow) /* {x}                         rows and columns around each image               */ \
  X(embedding,          rung)   /* {ids, table}                rows of table                                    */ \
  X(take_token,         follow) /* {x, index}                  one token of each image of the batch             */ \
  X(timestep_embedding, exact)  /* {t}                         sinusoids of each column                         */ \
  X(attention_scores,   rung)   /* {q, k}                      (n, heads, q tokens, k tokens), scaled, masked   */ \
  X(softmax,            rung)   /* {x}                         over c                                           */ \
  X(attention_mix,      rung)   /* {weights, v}                                                                 */ \
  X(attention,          rung)   /* {q, k, v, scale}            scores, softmax and mix in one                   */ \
  X(geglu,              follow) /* {x}                         left half * gelu(right half)                     */ \
  X(guidance,           exact)  /* {prediction, scale, rescale} (2n) -> (n); unconditional half first           */ \
  X(mimic,              exact)  /* {prediction, other, x, clean} with the contrast that the other's clean latent has */ \
  X(scheduler_row,      exact)  /* {state, prediction, noise, matrix} -> next state                             */

enum class Op : uint8_t {
#define X(name, precision) name,
  HAYATE_OPS(X)
#undef X
};

const char* name_of(Op);
Precision precision_of(Op);

enum class Activation : uint8_t { none, silu, gelu, quick_gelu, geglu, relu };  // geglu: linear only; left half * gelu(right half)
const char* name_of(Activation);

// Attributes, one struct per kind of op; everything else has none.
struct LinearAttr {                     // normalise > 0: of x each row, less its mean, over its deviation; that is the eps of a layer norm
  Activation activation = Activation::none;
  float normalise = 0;
  bool operator==(const LinearAttr&) const = default;
};
// A linear, group_norm or attention with a result in eight bits is given the scale, one for all of it.
struct QuantizeAttr {                   // normalise > 0: of each row, less its mean, over its deviation, as above
  float normalise = 0;
  bool whole = false;                   // one scale for all rows of an image or filter (n), for convolutions: a row's does not factor out of taps
  bool operator==(const QuantizeAttr&) const = default;
};
struct BoundAttr {                      // (norm times the largest |x| + largest |b|) / largest_of(f8), where x is, by `of`,
  enum class Of : uint8_t {
    elements,
    rows,      // the Euclidean norms of the rows from `begin` on, `count` of them: what a product makes of a row as long as `norm`
    gated      // rows likewise; the product of the bounds of upper and lower half
  } of = Of::elements;
  float norm = 1;
  int64_t begin = 0, count = 0;
  bool operator==(const BoundAttr&) const = default;
};
struct ConvAttr {                       // padding before and after, the same for both axes
  int stride = 1, pad_begin = 0, pad_end = 0;
  Activation activation = Activation::none;
  // 2: pixel (2 i + p, 2 j + q) of the result is pixel (i + p, j + q) of the convolution with filters [2 p + q] of the weight (4, out, 2, 2, in),
  // padded by one; so that, with what fold_nearest makes, it convolves the image enlarged by nearest-2x.
  int upsample = 1;
  bool operator==(const ConvAttr&) const = default;
};
struct NormAttr {                       // groups: of group_norm and group_statistics, which has nothing else
  int groups = 0;
  float eps = 0;
  Activation activation = Activation::none;
  bool operator==(const NormAttr&) const = default;
};
struct AttentionAttr {                  // scale multiplies q k^T; causal: token i sees tokens <= i
  int heads = 0;
  float scale = 0;
  bool causal = false;
  bool operator==(const AttentionAttr&) const = default;
};
struct AffineAttr { float scale = 1, shift = 0; bool operator==(const AffineAttr&) const = default; };
struct SliceAttr { int64_t begin = 0; bool operator==(const SliceAttr&) const = default; };
struct PadAttr {                        // `size` lines above and below, columns left and right: those of the opposite edge, else zeros
  int size = 0;
  bool wrap_x = false, wrap_y = false;
  bool operator==(const PadAttr&) const = default;
};
struct RepeatAttr { int times = 1; bool operator==(const RepeatAttr&) const = default; };
struct TimestepAttr {                   // each input column becomes `dim` columns
  int dim = 0;
  bool flip_sin_to_cos = true;          // cosines first
  float freq_shift = 0;
  bool operator==(const TimestepAttr&) const = default;
};
using Attributes = std::variant<std::monostate, LinearAttr, QuantizeAttr, BoundAttr, ConvAttr, NormAttr, AttentionAttr, AffineAttr, SliceAttr,
                                PadAttr, RepeatAttr, TimestepAttr>;
Activation activation_of(const Attributes&);  // that the op does itself; none for an op that cannot
std::string to_string(const Attributes&);

}  // namespace hayate
