// The decoder in tiles against the decoder in one piece: the same pixels, memory that does not grow, and a halo that is just wide enough.
#include "pipeline/tiled_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/tiny_decoder.h"
#include "models/vae.h"
#include "pipeline/random_model.h"
#include "pipeline/read_floats.h"
#include "support/random_weights.h"
#include "weights/checkpoint.h"
#include "weights/tiny_decoder_file.h"

namespace hayate {
namespace {

using testing::random_floats;
using testing::relative_l2;

const std::string kTiny = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl", kBuiltin = HAYATE_SOURCE_DIR "/models/builtin",
                  kTaesd = HAYATE_SOURCE_DIR "/tests/data/tiny_decoder/tiny";

std::vector<std::pair<std::string, std::shared_ptr<Backend>>> devices() {
  std::vector<std::pair<std::string, std::shared_ptr<Backend>>> all{{"cpu", make_cpu_backend()}};
  if (std::string why; !cuda_devices(why).empty()) all.push_back({"cuda", make_cuda_backend({})});
  return all;
}

struct Decoder {
  Decoder(const std::unique_ptr<Checkpoint>& model, std::shared_ptr<Backend> backend, const std::string& rung)
      : Decoder(vae_decoder(parse_vae_config(model->config("vae"))), model->tensors("vae"), std::move(backend), rung) {}
  Decoder(const TinyDecoderFile& file, std::shared_ptr<Backend> backend, const std::string& rung)
      : Decoder(tiny_decoder(parse_tiny_decoder_config(file.config)), file.tensors, std::move(backend), rung) {}
  Decoder(LatentDecoder decoder, std::shared_ptr<const TensorSource> tensors, std::shared_ptr<Backend> backend, const std::string& rung)
      : network(std::move(decoder)), compiler{.backend = std::move(backend), .rung = &find_rung(rung), .print_program = ""},
        vae("vae", std::move(tensors), compiler) {}

  Dtype stored() const { return is_lowered(*compiler.rung) ? compiler.climb.dtype : Dtype::f32; }
  static std::vector<float> latent(int64_t h, int64_t w) { return random_floats("latent", h * w * 4, 0.1f, 1); }

  std::vector<float> whole(int64_t h, int64_t w) {
    auto exec = vae.executable({fmt::format("{}x{}", w, h), [&] { return network.whole(1, h, w); }}, false, seconds);
    const std::vector<float> x = latent(h, w);
    exec->write("latents", std::as_bytes(std::span(x)));
    exec->run(Rate::prompt);
    return read_floats(*exec, exec->program().outputs[0]);
  }
  std::vector<float> tiled(int64_t h, int64_t w, int64_t tile) {
    TiledDecoder decoder(network, h, w, stored(), tile);
    int runs = 0;
    std::vector<float> pixels = decoder.decode(vae, *compiler.backend, latent(h, w), [&] { ++runs; }, seconds);
    EXPECT_EQ(runs, decoder.runs());
    return pixels;
  }

  LatentDecoder network;
  Compiler compiler;
  Component vae;
  CompileSeconds seconds;
};

Decoder open(const std::string& model, std::shared_ptr<Backend> backend, const std::string& rung) {
  return model == kTaesd ? Decoder(open_tiny_decoder(model), std::move(backend), rung) : Decoder(open_checkpoint(model, ""), std::move(backend), rung);
}

// In steps of 1/255 of a picture's range; infinite where something is not finite.
double steps_apart(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i)
    if (double d = std::abs(double(a[i]) - double(b[i])); !(d <= most)) most = std::isfinite(d) ? d : INFINITY;
  return most * 255 / 2;
}

TEST(TiledDecoder, GivesThePixelsOfTheDecoderInOnePiece) {
  struct Size { int64_t h, w, tile; };
  for (const auto& [device, backend] : devices())
    for (const std::string& model : {kTiny, kBuiltin, kTaesd})
      for (const Size& s : {Size{25, 41, 64}, {9, 2, 16}, {16, 16, 100}, {5, 7, 16384}}) {
        const std::string what = fmt::format("{} {} {}x{} in {}", device, model, s.w, s.h, s.tile);
        Decoder exact = open(model, backend, "fp32"), lowered = open(model, backend, "projections");
        const std::vector<float> whole = exact.whole(s.h, s.w);
        const double apart = steps_apart(exact.tiled(s.h, s.w, s.tile), whole);
        EXPECT_LE(apart, 0.01) << what;
        RecordProperty(what, std::to_string(apart));
        // In 16 bits no further from float32 than in one piece.
        EXPECT_LE(relative_l2(lowered.tiled(s.h, s.w, s.tile), whole), 1.1 * relative_l2(lowered.whole(s.h, s.w), whole)) << what;
      }
}

// Only what is computed whole grows with the picture: the first part.
TEST(TiledDecoder, TakesMemoryForATile) {
  Decoder sdxl(random_model("sdxl", open_checkpoint(kBuiltin, "")), make_cpu_backend(), "projections");
  auto need = [&](const char* name, const Program& p) { return sdxl.vae.need(Recording{name, [&] { return p; }}, *sdxl.compiler.rung, false); };
  auto tiled = [&](int64_t side, bool on_host) {
    return TiledDecoder(sdxl.network, side / 8, side / 8, Dtype::bf16).need(sdxl.vae, *sdxl.compiler.rung, on_host).running;
  };
  EXPECT_LT(tiled(2048, false).total() * 8, need("whole", sdxl.network.whole(1, 256, 256)).running.total());
  const Component::Need first = need("first", sdxl.network.record(0, 1, {1, 512, 512, 4}, {}));
  EXPECT_LT(double(tiled(4096, false).total()), 1.02 * double(first.running.total()));
  // The first resnet with full resolution reads 256 channels and makes 128.
  const int64_t maps = int64_t{2048} * 2048 * (256 + 128) * 2;
  EXPECT_GT(tiled(2048, true).activations, maps);
  EXPECT_LT(double(tiled(2048, true).activations), 1.15 * double(maps));
}

// Changes one pixel of what a part reads: how far away does the result change?
TEST(TiledDecoder, HaloIsAsFarAsAPixelReaches) {
  for (const std::string& model : {kTiny, kTaesd}) {
  Decoder decoder = open(model, make_cpu_backend(), "fp32");
  Shape x{1, 12, 12, model == kTiny ? 16 : 8};
  for (int part = 1; part < decoder.network.parts; ++part) {
    const Program recorded = decoder.network.record(part, part + 1, x, {});
    const WindowPass pass = window_passes(recorded, {}).back();
    auto exec = decoder.vae.executable({std::to_string(part), [&] { return pass.program; }}, false, decoder.seconds);
    for (const Node& n : exec->program().nodes())
      if (const std::vector<float> ones(size_t(n.shape.count()), 1); n.name.ends_with(kStatistics)) exec->write(n.name, std::as_bytes(std::span(ones)));
    std::vector<float> input = random_floats("input", x.count(), 0, 1);
    auto run = [&] {
      exec->write("x", std::as_bytes(std::span(input)));
      exec->run(Rate::prompt);
      return read_floats(*exec, exec->program().outputs[0]);
    };
    const std::vector<float> before = run();
    for (int64_t c = 0; c < x.c; ++c) input[size_t((6 * x.w + 6) * x.c + c)] += 3;
    const std::vector<float> after = run();
    const Shape result = exec->program()[exec->program().outputs[0]].shape;
    int64_t reach = 0;
    for (int64_t i = 0; i < result.count(); ++i)
      if (before[size_t(i)] != after[size_t(i)]) {
        const int64_t line = i / result.c / result.w / pass.scale, column = i / result.c % result.w / pass.scale;
        reach = std::max({reach, std::abs(line - 6), std::abs(column - 6)});
      }
    EXPECT_EQ(halo_of(recorded), reach) << model << " part " << part;
    x = {1, 12, 12, result.c};
  }
  }
}

}  // namespace
}  // namespace hayate
