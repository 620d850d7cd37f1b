// Ops in the order of program/ops.h.
#include "backend/reference/ops.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>

#include "core/error.h"
#include "core/parallel.h"
#include "program/fold_nearest.h"
#include "program/region.h"
#include "program/row_dot.h"

namespace hayate::reference {

namespace {
using Inputs = const std::vector<Tensor>&;

float activate(float x, Activation a) {
  switch (a) {
    case Activation::none: return x;
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::gelu: return 0.5f * x * (1 + std::erf(x * 0.70710678118654752f));
    case Activation::quick_gelu: return x / (1 + std::exp(-1.702f * x));
    case Activation::relu: return std::max(x, 0.0f);
    case Activation::geglu: break;  // of two numbers: see linear
  }
  return x;
}

template <class F>
Tensor map(const Tensor& x, F f) {
  Tensor y{x.shape, std::vector<float>(x.data.size())};
  std::transform(x.data.begin(), x.data.end(), y.data.begin(), f);
  return y;
}

// f(a, b) with b repeated along each dimension where it is 1.
template <class F>
Tensor broadcast(const Tensor& a, const Tensor& b, F f) {
  Tensor y{a.shape, std::vector<float>(a.data.size())};
  auto pick = [](int64_t i, int64_t size) { return size == 1 ? 0 : i; };
  const Shape &s = a.shape, &t = b.shape;
  size_t at = 0;
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t h = 0; h < s.h; ++h)
      for (int64_t w = 0; w < s.w; ++w)
        for (int64_t c = 0; c < s.c; ++c, ++at)
          y.data[at] = f(a.data[at], b.data[size_t(((pick(n, t.n) * t.h + pick(h, t.h)) * t.w + pick(w, t.w)) * t.c + pick(c, t.c))]);
  return y;
}

// Left half * gelu(right half).
Tensor gate(const Tensor& x) {
  Shape half = x.shape;
  half.c /= 2;
  Tensor y{half, std::vector<float>(size_t(half.count()))};
  for (int64_t r = 0; r < half.rows(); ++r)
    for (int64_t c = 0; c < half.c; ++c) y.row(r)[c] = x.row(r)[c] * activate(x.row(r)[half.c + c], Activation::gelu);
  return y;
}

Tensor epilogue(Tensor y, Inputs in, Activation a) {
  if (in.size() > 2 && !in[2].data.empty()) y = broadcast(y, in[2], std::plus<>());
  if (a == Activation::geglu) return gate(y);
  if (a != Activation::none) y = map(y, [&](float x) { return activate(x, a); });
  if (in.size() > 3 && !in[3].data.empty()) y = broadcast(y, in[3], std::plus<>());
  return y;
}

double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += double(a[i]) * b[i];
  return sum;
}

Tensor stack(const Node& n, Inputs in) {
  Tensor y{n.shape, {}};
  for (const Tensor& t : in) y.data.insert(y.data.end(), t.data.begin(), t.data.end());
  return y;
}

Tensor scale_columns(const Node& n, Inputs in) {
  Tensor y{n.shape, in[0].data};
  for (size_t i = 0; i < y.data.size(); ++i) y.data[i] *= in[1].data[i % in[1].data.size()];
  return y;
}
Tensor row_dots(const Node& n, Inputs in) {
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.c))};
  for (int64_t r = 0; r < n.shape.c; ++r)
    y.data[size_t(r)] = float(row_dot(in[0].row(r), in[1].row(0), in[0].shape.c) + (in[2].data.empty() ? 0 : in[2].data[size_t(r)]));
  return y;
}
Tensor row_sums(const Node& n, Inputs in) {
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.c))};
  for (int64_t r = 0; r < n.shape.c; ++r) y.data[size_t(r)] = float(std::accumulate(in[0].row(r), in[0].row(r) + in[0].shape.c, 0.0));
  return y;
}

Tensor bound(const Node& n, Inputs in) {
  const auto& a = n.as<BoundAttr>();
  const Tensor& x = in[0];
  const bool has_b = in.size() > 1 && !in[1].data.empty();
  auto magnitude = [](float v) { return std::abs(v); };
  auto scale = [&](double most) { return Tensor{n.shape, {float((most == 0 ? 1 : most) / largest_of(Dtype::f8))}}; };  // zeros have any scale but none
  auto largest = [&](const std::vector<float>& v) { return std::ranges::max(v | std::views::transform(magnitude)); };
  if (a.of == BoundAttr::Of::elements) return scale(a.norm * largest(x.data) + (has_b ? largest(in[1].data) : 0));
  auto of_rows = [&](int64_t begin, int64_t end) {
    double most = 0;
    for (int64_t r = begin; r < end; ++r)
      most = std::max(most, a.norm * std::sqrt(dot(x.row(r), x.row(r), x.shape.c)) + (has_b ? std::abs(in[1].data[size_t(r)]) : 0));
    return most;
  };
  const int64_t end = a.count ? a.begin + a.count : x.shape.rows(), middle = (a.begin + end) / 2;
  const double most = a.of == BoundAttr::Of::gated ? of_rows(a.begin, middle) * of_rows(middle, end) : of_rows(a.begin, end);
  return scale(most);
}

Tensor normalise_rows(const Tensor& x, float eps) {
  Tensor y{x.shape, std::vector<float>(x.data.size())};
  const int64_t c = x.shape.c;
  for (int64_t r = 0; r < x.shape.rows(); ++r) {
    const float* from = x.row(r);
    double mean = std::accumulate(from, from + c, 0.0) / double(c), square = 0;
    for (int64_t i = 0; i < c; ++i) square += (from[i] - mean) * (from[i] - mean);
    for (int64_t i = 0; i < c; ++i) y.row(r)[i] = float((from[i] - mean) / std::sqrt(square / double(c) + eps));
  }
  return y;
}

Tensor fold_nearest(const Node& n, Inputs in) {
  const Shape& w = in[0].shape;
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  for (int64_t o = 0; o < w.n; ++o)
    for (int phase = 0; phase < 4; ++phase) hayate::fold_nearest(in[0].row(o * 9), w.c, phase, y.row((phase * w.n + o) * 4));
  return y;
}

Tensor linear(const Node& n, Inputs in) {
  const auto& a = n.as<LinearAttr>();
  const Tensor x = a.normalise > 0 ? normalise_rows(in[0], a.normalise) : in[0];
  Shape all = n.shape;
  all.c = in[1].shape.w;  // twice as many where they are gated
  Tensor y{all, std::vector<float>(size_t(all.count()))};
  parallel_for(all.rows(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t o = 0; o < all.c; ++o) y.row(r)[o] = float(dot(x.row(r), in[1].row(o), x.shape.c));
  });
  return epilogue(std::move(y), in, a.activation);
}

Tensor conv2d(const Node& n, Inputs in) {
  const Shape &s = n.shape, &x = in[0].shape, &k = in[1].shape;
  const auto& a = n.as<ConvAttr>();
  Tensor y{s, std::vector<float>(size_t(s.count()))};
  parallel_for(s.rows(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t col = r % s.w, line = r / s.w % s.h, image = r / (s.w * s.h);
      int64_t phase = line % a.upsample * a.upsample + col % a.upsample;
      for (int64_t o = 0; o < s.c; ++o) {
        double sum = 0;
        for (int64_t i = 0; i < k.h; ++i)
          for (int64_t j = 0; j < k.w; ++j) {
            int64_t at_line = line / a.upsample * a.stride + line % a.upsample + i - a.pad_begin;
            int64_t at_col = col / a.upsample * a.stride + col % a.upsample + j - a.pad_begin;
            if (at_line < 0 || at_col < 0 || at_line >= x.h || at_col >= x.w) continue;
            sum += dot(in[0].row((image * x.h + at_line) * x.w + at_col), in[1].row(((phase * s.c + o) * k.h + i) * k.w + j), x.c);
          }
        y.row(r)[o] = float(sum);
      }
    }
  });
  return epilogue(std::move(y), in, a.activation);
}

struct Statistics { double mean, variance; };

// Of `width` columns from `begin` over some rows.
Statistics statistics_of(const Tensor& x, const std::vector<int64_t>& rows, int64_t begin, int64_t width) {
  double count = double(rows.size()) * double(width), sum = 0, square = 0;
  for (int64_t r : rows)
    for (int64_t c = begin; c < begin + width; ++c) sum += x.row(r)[c];
  double mean = sum / count;
  for (int64_t r : rows)
    for (int64_t c = begin; c < begin + width; ++c) square += (x.row(r)[c] - mean) * (x.row(r)[c] - mean);
  return {mean, square / count};
}

std::vector<int64_t> rows_between(int64_t first, int64_t last) {
  std::vector<int64_t> rows(size_t(last - first));
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

// Normalises `width` columns from `begin` over rows [first, last), then gamma, beta and the activation.
void normalise(Tensor& y, Inputs in, int64_t first, int64_t last, int64_t begin, int64_t width, const NormAttr& a, const Statistics& s) {
  double inverse = 1 / std::sqrt(s.variance + a.eps);
  for (int64_t r = first; r < last; ++r)
    for (int64_t c = begin; c < begin + width; ++c)
      y.row(r)[c] = activate(float((in[0].row(r)[c] - s.mean) * inverse * in[1].data[size_t(c)] + in[2].data[size_t(c)]), a.activation);
}

Tensor group_norm(const Node& n, Inputs in) {
  const auto& a = n.as<NormAttr>();
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  int64_t width = n.shape.c / a.groups, area = n.shape.tokens();
  for (int64_t image = 0; image < n.shape.n; ++image)
    for (int64_t g = 0; g < a.groups; ++g) {
      const float* given = in.size() > 3 && !in[3].data.empty() ? in[3].row(image * a.groups + g) : nullptr;
      const int64_t first = image * area, last = first + area;
      normalise(y, in, first, last, g * width, width, a,
                given ? Statistics{given[0], given[1]} : statistics_of(in[0], rows_between(first, last), g * width, width));
    }
  return y;
}

Tensor group_statistics(const Node& n, Inputs in) {
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  const Shape& x = in[0].shape;
  const int64_t groups = n.as<NormAttr>().groups, width = x.c / groups;
  const std::vector<float>& r = in[1].data;
  const Region region = r.empty() ? whole(x) : Region{int32_t(r[0]), int32_t(r[1]), int32_t(r[2]), int32_t(r[3])};
  check(region, x, n.name);
  for (int64_t image = 0; image < x.n; ++image) {
    std::vector<int64_t> rows;
    for (int64_t line = region.top; line < region.top + region.height; ++line)
      for (int64_t column = region.left; column < region.left + region.width; ++column) rows.push_back((image * x.h + line) * x.w + column);
    for (int64_t g = 0; g < groups; ++g) {
      Statistics s = statistics_of(in[0], rows, g * width, width);
      float* out = y.row(image * groups + g);
      out[0] = float(s.mean), out[1] = float(s.variance);
    }
  }
  return y;
}

Tensor layer_norm(const Node& n, Inputs in) {
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  for (int64_t r = 0; r < n.shape.rows(); ++r)
    normalise(y, in, r, r + 1, 0, n.shape.c, n.as<NormAttr>(), statistics_of(in[0], {r}, 0, n.shape.c));
  return y;
}

Tensor concat(const Node& n, Inputs in) {
  Tensor y{n.shape, {}};
  for (int64_t r = 0; r < n.shape.rows(); ++r)
    for (const Tensor& t : in) y.data.insert(y.data.end(), t.row(r), t.row(r) + t.shape.c);
  return y;
}

Tensor repeat(const Node& n, Inputs in) {
  Tensor y{n.shape, {}};
  for (int i = 0; i < n.as<RepeatAttr>().times; ++i) y.data.insert(y.data.end(), in[0].data.begin(), in[0].data.end());
  return y;
}

// Source of target i as torch's 'nearest' mode chooses it: floor(i * source size / target size).
Tensor upsample_nearest(const Node& n, Inputs in) {
  Tensor y{n.shape, {}};
  const Shape& x = in[0].shape;
  for (int64_t image = 0; image < n.shape.n; ++image)
    for (int64_t h = 0; h < n.shape.h; ++h)
      for (int64_t w = 0; w < n.shape.w; ++w) {
        const float* from = in[0].row((image * x.h + h * x.h / n.shape.h) * x.w + w * x.w / n.shape.w);
        y.data.insert(y.data.end(), from, from + x.c);
      }
  return y;
}

Tensor pad(const Node& n, const Tensor& x) {
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  const auto& a = n.as<PadAttr>();
  const int64_t tall = x.shape.h, wide = x.shape.w;
  for (int64_t image = 0; image < n.shape.n; ++image)
    for (int64_t h = 0; h < n.shape.h; ++h)
      for (int64_t w = 0; w < n.shape.w; ++w) {
        int64_t line = h - a.size, column = w - a.size;
        if (a.wrap_y) line = (line + tall) % tall;
        if (a.wrap_x) column = (column + wide) % wide;
        if (line < 0 || line >= tall || column < 0 || column >= wide) continue;
        std::copy_n(x.row((image * tall + line) * wide + column), x.shape.c, y.row((image * n.shape.h + h) * n.shape.w + w));
      }
  return y;
}

Tensor gather(const Node& n, const Tensor& table, const Tensor& index, int64_t rows_per_image) {
  Tensor y{n.shape, {}};
  for (int64_t i = 0; i < int64_t(index.data.size()); ++i) {
    int64_t limit = rows_per_image ? rows_per_image : table.shape.rows(), at = int64_t(index.data[size_t(i)]);
    require(at >= 0 && at < limit, ErrorKind::usage, "{}: index {} is outside 0..{}", n.name, at, limit - 1);
    const float* from = table.row(i * rows_per_image + at);
    y.data.insert(y.data.end(), from, from + table.shape.c);
  }
  return y;
}

Tensor timestep_embedding(const Node& n, Inputs in) {
  const auto& a = n.as<TimestepAttr>();
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  int64_t half = a.dim / 2;
  for (size_t k = 0; k < in[0].data.size(); ++k)
    for (int64_t d = 0; d < half; ++d) {
      // diffusers' get_timestep_embedding: the frequencies are float32
      float frequency = std::exp(-std::log(10000.f) * float(d) / (float(half) - a.freq_shift));
      float angle = in[0].data[k] * frequency;
      float* out = &y.data[k * size_t(a.dim)];
      out[a.flip_sin_to_cos ? half + d : d] = std::sin(angle);
      out[a.flip_sin_to_cos ? d : half + d] = std::cos(angle);
    }
  return y;
}

Tensor attention_scores(const Node& n, Inputs in) {
  const auto& a = n.as<AttentionAttr>();
  const Shape &q = in[0].shape, &k = in[1].shape;
  int64_t width = q.c / a.heads;
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  parallel_for(n.shape.rows(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t i = r % q.tokens(), head = r / q.tokens() % a.heads, image = r / (q.tokens() * a.heads);
      for (int64_t j = 0; j < k.tokens(); ++j)
        y.row(r)[j] = a.causal && j > i ? -INFINITY
                                        : float(a.scale * dot(in[0].row(image * q.tokens() + i) + head * width,
                                                              in[1].row(image * k.tokens() + j) + head * width, width));
    }
  });
  return y;
}

Tensor softmax(const Tensor& x) {
  Tensor y = x;
  for (int64_t r = 0; r < x.shape.rows(); ++r) {
    float largest = *std::max_element(x.row(r), x.row(r) + x.shape.c);
    double sum = 0;
    for (int64_t c = 0; c < x.shape.c; ++c) sum += y.row(r)[c] = std::exp(x.row(r)[c] - largest);
    for (int64_t c = 0; c < x.shape.c; ++c) y.row(r)[c] = float(y.row(r)[c] / sum);
  }
  return y;
}

Tensor attention_mix(const Shape& shape, const Tensor& weights, const Tensor& v) {
  Tensor y{shape, std::vector<float>(size_t(shape.count()))};
  int64_t heads = weights.shape.h, width = shape.c / heads, tokens = shape.tokens(), keys = v.shape.tokens();
  parallel_for(shape.rows(), 1, [&](int64_t begin, int64_t end) {
    std::vector<double> sum(size_t(shape.c));
    for (int64_t r = begin; r < end; ++r) {
      std::fill(sum.begin(), sum.end(), 0.0);
      int64_t image = r / tokens, i = r % tokens;
      for (int64_t head = 0; head < heads; ++head)
        for (int64_t j = 0; j < keys; ++j) {
          double w = weights.row((image * heads + head) * tokens + i)[j];
          const float* value = v.row(image * keys + j) + head * width;
          for (int64_t e = 0; e < width; ++e) sum[size_t(head * width + e)] += w * value[e];
        }
      std::copy(sum.begin(), sum.end(), y.row(r));
    }
  });
  return y;
}

Tensor attention(const Node& n, Inputs in) {
  Node scores = n;
  scores.shape = {in[0].shape.n, n.as<AttentionAttr>().heads, in[0].shape.tokens(), in[1].shape.tokens()};
  return attention_mix(n.shape, softmax(attention_scores(scores, in)), in[2]);
}

double deviation(const float* x, int64_t count) {  // torch.std: unbiased
  double sum = 0, square = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i];
  for (int64_t i = 0; i < count; ++i) square += (x[i] - sum / double(count)) * (x[i] - sum / double(count));
  return std::sqrt(square / double(count - 1));
}

// uncond + scale (cond - uncond), then rescaled towards the deviation of cond (diffusers' rescale_noise_cfg).
Tensor guidance(const Node& n, Inputs in) {
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  int64_t each = n.shape.tokens() * n.shape.c;
  for (int64_t image = 0; image < n.shape.n; ++image) {
    const float* uncond = &in[0].data[size_t(image * each)];
    const float* cond = &in[0].data[size_t((n.shape.n + image) * each)];
    float* out = &y.data[size_t(image * each)];
    float scale = in[1].data[size_t(image)], rescale = in[2].data[size_t(image)];
    for (int64_t i = 0; i < each; ++i) out[i] = uncond[i] + scale * (cond[i] - uncond[i]);
    if (rescale == 0) continue;
    float factor = float(rescale * (deviation(cond, each) / deviation(out, each)) + (1 - rescale));
    for (int64_t i = 0; i < each; ++i) out[i] *= factor;
  }
  return y;
}

// Dynamic thresholding (github.com/mcmonkeyprojects/sd-dynamic-thresholding) with its defaults: each channel of the clean latent keeps its mean, and the largest distance from
// it becomes that of the other prediction, if it is smaller. clean = clean[0] x + clean[1] prediction; nothing is done where clean[1] is 0.
Tensor mimic(const Node& n, Inputs in) {
  Tensor y = in[0];
  const int64_t tokens = n.shape.tokens();
  for (int64_t image = 0; image < n.shape.n; ++image)
    for (int64_t c = 0; c < n.shape.c; ++c) {
      const float of_x = in[3].row(image)[0], of_prediction = in[3].row(image)[1];
      auto clean = [&](const Tensor& prediction, int64_t r) { return double(of_x) * in[2].row(r)[c] + double(of_prediction) * prediction.row(r)[c]; };
      const int64_t first = image * tokens, last = first + tokens;
      if (of_prediction == 0) continue;
      double mean = 0, other_mean = 0, spread = 0, other_spread = 0;
      for (int64_t r = first; r < last; ++r) mean += clean(in[0], r) / double(tokens), other_mean += clean(in[1], r) / double(tokens);
      for (int64_t r = first; r < last; ++r) {
        spread = std::max(spread, std::abs(clean(in[0], r) - mean));
        other_spread = std::max(other_spread, std::abs(clean(in[1], r) - other_mean));
      }
      if (!(spread > other_spread)) continue;
      for (int64_t r = first; r < last; ++r) y.row(r)[c] += float((clean(in[0], r) - mean) * (other_spread / spread - 1) / of_prediction);
    }
  return y;
}

// Per image: (x, saved..) <- matrix (x, prediction, saved.., noise), element by element.
Tensor scheduler_row(const Node& n, Inputs in) {
  const Tensor &state = in[0], &prediction = in[1], &noise = in[2], &matrix = in[3];
  int64_t width = prediction.shape.c, parts = n.shape.c / width, columns = parts + 2;
  Tensor y{n.shape, std::vector<float>(size_t(n.shape.count()))};
  for (int64_t r = 0; r < n.shape.rows(); ++r) {
    const float* m = matrix.row(r / n.shape.tokens());
    for (int64_t c = 0; c < width; ++c)
      for (int64_t part = 0; part < parts; ++part) {
        const float* coefficient = m + part * columns;
        double sum = double(coefficient[0]) * state.row(r)[c] + double(coefficient[1]) * prediction.row(r)[c];
        for (int64_t k = 1; k < parts; ++k) sum += double(coefficient[1 + k]) * state.row(r)[k * width + c];
        if (coefficient[columns - 1] != 0) sum += double(coefficient[columns - 1]) * noise.row(r)[c];
        y.row(r)[part * width + c] = float(sum);
      }
  }
  return y;
}
}  // namespace

Tensor compute(const Node& n, const std::vector<Tensor>& in) {
  switch (n.op) {
    case Op::input: case Op::weight: case Op::slice: break;
    case Op::cast: case Op::pack: return in[0];
    case Op::stack: return stack(n, in);
    case Op::scale_columns: return scale_columns(n, in);
    case Op::row_dots: return row_dots(n, in);
    case Op::row_sums: return row_sums(n, in);
    case Op::fold_nearest: return fold_nearest(n, in);
    case Op::quantize: return n.as<QuantizeAttr>().normalise > 0 ? normalise_rows(in[0], n.as<QuantizeAttr>().normalise) : in[0];
    case Op::bound: return bound(n, in);
    case Op::linear: return linear(n, in);
    case Op::conv2d: return conv2d(n, in);
    case Op::group_norm: return group_norm(n, in);
    case Op::group_statistics: return group_statistics(n, in);
    case Op::layer_norm: return layer_norm(n, in);
    case Op::silu: return map(in[0], [](float x) { return activate(x, Activation::silu); });
    case Op::gelu: return map(in[0], [](float x) { return activate(x, Activation::gelu); });
    case Op::quick_gelu: return map(in[0], [](float x) { return activate(x, Activation::quick_gelu); });
    case Op::relu: return map(in[0], [](float x) { return activate(x, Activation::relu); });
    case Op::add: return broadcast(in[0], in[1], std::plus<>());
    case Op::mul: return broadcast(in[0], in[1], std::multiplies<>());
    case Op::affine: return map(in[0], [&a = n.as<AffineAttr>()](float x) { return x * a.scale + a.shift; });
    case Op::concat: return concat(n, in);
    case Op::repeat: return repeat(n, in);
    case Op::upsample_nearest: return upsample_nearest(n, in);
    case Op::pad: return pad(n, in[0]);
    case Op::embedding: return gather(n, in[1], in[0], 0);
    case Op::take_token: return gather(n, in[0], in[1], in[0].shape.tokens());
    case Op::timestep_embedding: return timestep_embedding(n, in);
    case Op::attention_scores: return attention_scores(n, in);
    case Op::softmax: return softmax(in[0]);
    case Op::attention_mix: return attention_mix(n.shape, in[0], in[1]);
    case Op::attention: return attention(n, in);
    case Op::geglu: return gate(in[0]);
    case Op::guidance: return guidance(n, in);
    case Op::mimic: return mimic(n, in);
    case Op::scheduler_row: return scheduler_row(n, in);
  }
  fail(ErrorKind::internal, "{} {}: not computed by an op", name_of(n.op), n.name);
}

}  // namespace hayate::reference
