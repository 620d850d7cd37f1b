// THE TABLE. A rung is everything above it plus its own passes.
#include "passes/ladder.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"

namespace hayate {

const std::vector<Rung>& ladder() {
  static const std::vector<Rung> rungs = {
      {.name = "fp32", .what = "every op as recorded, in strict float32", .adds = {}},
      {.name = "tf32", .what = "float32 with TF32 matrix products (NVIDIA only)", .adds = {}, .tf32 = true},
      {.name = "bf16", .what = "weights and activations in 16 bits (bfloat16, or float16 by --dtype), sums in float32", .adds = {{"lower_precision", lower_precision}}},
      {.name = "attention", .what = "attention that never stores its score matrix", .adds = {{"fuse_attention", fuse_attention}}},
      {.name = "compile",
       .what = "fused kernels, and everything that only depends on the prompt computed once",
       .adds = {{"fuse_activation", fuse_activation},
                {"fuse_geglu", fuse_geglu},
                {"fuse_residual", fuse_residual},
                {"fuse_layer_norm", fuse_layer_norm},
                {"merge_duplicates", merge_duplicates},
                {"fold_upsample", fold_upsample}},
       .hoists = true},
      {.name = "projections", .what = "linears that read one value become one linear", .adds = {{"fuse_projections", fuse_projections}}, .hoists = true},
      {.name = "int8",
       .what = "linears in int8, quantized as the program runs, where that is faster",
       .adds = {{"quantize_linears", quantize_linears}, {"quantize_convolutions", quantize_convolutions}},
       .hoists = true,
       .quantized = {Dtype::i8}},
      {.name = "fp8",
       .what = "linears in float8 (e4m3) likewise (NVIDIA, Hopper)",
       .adds = {{"quantize_linears", quantize_linears}, {"quantize_convolutions", quantize_convolutions}, {"fuse_quantize", fuse_quantize}},
       .hoists = true,
       .quantized = {Dtype::f8}},
      {.name = "auto",
       .what = "each linear in 16 bits, float8 or int8, whichever measures fastest",
       .adds = {{"quantize_linears", quantize_linears}, {"quantize_convolutions", quantize_convolutions}, {"fuse_quantize", fuse_quantize}},
       .hoists = true,
       .quantized = {Dtype::f8, Dtype::i8}},
  };
  return rungs;
}

const Rung& find_rung(const std::string& name) {
  std::string names;
  for (const Rung& r : ladder()) {
    if (r.name == name) return r;
    names += (names.empty() ? "" : ", ") + std::string(r.name);
  }
  fail(ErrorKind::usage, "there is no rung named '{}'; the rungs are {}", name, names);
}

bool is_lowered(const Rung& rung) {
  auto begin = ladder().begin(), end = std::ranges::find(ladder(), std::string_view(rung.name), &Rung::name);
  return std::any_of(begin, end + 1, [](const Rung& r) { return std::ranges::any_of(r.adds, [](const Pass& p) { return p.apply == lower_precision; }); });
}

Program climb(Program p, const Rung& rung, const Target& target, const ClimbOptions& how, const PassObserver& observe) {
  PassOptions options{.target = target, .dtype = how.dtype,  .quantized = rung.quantized, .quantization = how.quantization};
  if (observe) observe("record", p);
  auto run = [&](const Pass& pass) {
    p = pass.apply(p, options);
    verify(p);
    if (observe) observe(pass.name, p);
  };
  for (const Rung& step : ladder()) {
    const bool own = step.name == rung.name;
    if (own || step.quantized.empty())
      for (const Pass& pass : step.adds) run(pass);
    if (own) break;
  }
  run({"pack_weights", pack_weights});
  verify(p, &target);
  return p;
}

}  // namespace hayate
