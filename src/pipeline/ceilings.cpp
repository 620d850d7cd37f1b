// One large product and one large copy, run like any other program.
#include "pipeline/ceilings.h"

#include "pipeline/random_model.h"
#include "program/builder.h"
#include "program/work.h"

namespace hayate {

namespace {
constexpr int64_t kDeviceSide = 8192, kHostSide = 2048;  // of the product's matrices: enough to keep every core busy
constexpr Shape kCopied{1, 1, 8192, 8192};               // larger than caches
constexpr int kRuns = 3;

Program record(const Shape& x) {
  Program p;
  Builder b(p);
  Value product = b.linear("product", b.input("x", x, Rate::step), x.c, /*bias=*/false);
  p.outputs = {product, b.repeat("copy", b.input("copied", kCopied, Rate::step), 1)};
  return p;
}

// On the compiler's rung.
Ceilings measure(const Compiler& like) {
  Compiler compiler = like;
  compiler.print_program.clear();
  compiler.stream_weights = false;
  const int64_t side = compiler.backend->is_host() ? kHostSide : kDeviceSide;
  const Shape matrix{1, 1, side, side};
  // Random numbers: multiplying zeros takes less power, and so runs at a higher clock.
  auto source = random_tensors({{"x", matrix}, {"copied", kCopied}, {"product.weight", matrix}});
  Component component("ceilings", source, compiler);
  CompileSeconds seconds;
  auto exec = component.executable({"", [&] { return record(matrix); }}, /*keep_all=*/false, seconds);
  for (const auto& [input, shape] : {std::pair{"x", matrix}, {"copied", kCopied}}) {
    std::vector<float> values(size_t(shape.count()));
    source->read(input, Dtype::f32, std::as_writable_bytes(std::span(values)));
    exec->write(input, std::as_bytes(std::span(values)));
  }
  const Program& p = exec->program();
  const std::vector<double> times = exec->profile(Rate::step, kRuns);
  const Value product = p.find("product"), copy = p.find("copy");
  return {.flops = flops_of(p, p[product]) / times[size_t(product)], .bytes = bytes_of(p, p[copy]) / times[size_t(copy)]};
}
}  // namespace

Ceilings measure_ceilings(const Compiler& like) {
  if (like.rung->quantized.empty()) return measure(like);
  Compiler wide = like, narrow = like;
  wide.rung = &find_rung("projections");
  narrow.climb.quantization = {.layers = Quantization::Layers::all};
  Ceilings ceilings = measure(wide);
  ceilings.narrow_flops = measure(narrow).flops;
  return ceilings;
}

}  // namespace hayate
