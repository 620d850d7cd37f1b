// What both ways of decoding share: pictures, progress, and what is done about values that are not finite.
#include "pipeline/picture_decoder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"
#include "pipeline/not_finite.h"
#include "pipeline/read_floats.h"

namespace hayate {

namespace {
constexpr size_t kExecutables = 36;  // a decoder in tiles has up to 30 programs; all of them for the next picture, and some sizes whole

Compiler in_float32(Compiler c) {
  c.climb.dtype = Dtype::f32;
  c.print_program = "";
  return c;
}

// (x / 2 + 0.5) clamped to 0..1, times 255, halves to even: as diffusers turns tensors into pictures. Adding 2^23 rounds so, and leaves the
// whole number in the lowest bits; without a call, the loop becomes vectors.
Image to_image(const std::vector<float>& pixels, int width, int height) {
  Image image{.width = width, .height = height, .rgb = std::vector<uint8_t>(pixels.size())};
  parallel_for(int64_t(pixels.size()), 1 << 16, [&](int64_t begin, int64_t end) {
    const float* from = pixels.data();
    uint8_t* to = image.rgb.data();
    for (int64_t i = begin; i < end; ++i) to[i] = uint8_t(std::bit_cast<uint32_t>(std::clamp(from[i] / 2 + 0.5f, 0.0f, 1.0f) * 255 + 0x1p23f));
  });
  return image;
}
}  // namespace

PictureDecoder::PictureDecoder(const std::shared_ptr<const TensorSource>& tensors, const VaeConfig& config, const Compiler& compiler, VaeTiling allowed,
                               Warn warn)
    : config_(config), compiler_(compiler), exact_compiler_(in_float32(compiler)), allowed_(allowed), warn_(std::move(warn)),
      vae_("vae", tensors, compiler_, kExecutables), exact_("vae", tensors, exact_compiler_, kExecutables) {}

Recording PictureDecoder::recording(const Decoding& d) const {
  return {fmt::format("decode {}x{}", d.w, d.h), [&config = config_, h = d.h, w = d.w] { return record_vae_decoder(config, 1, h, w); }};
}

std::shared_ptr<Executable> PictureDecoder::whole(Component& vae, const Decoding& d, bool keep_all, CompileSeconds& seconds) {
  return vae.executable(recording(d), keep_all, seconds);
}
std::shared_ptr<Executable> PictureDecoder::whole(const Decoding& d, CompileSeconds& seconds) { return whole(vae_, d, false, seconds); }

TiledDecoder PictureDecoder::tiled(const Decoding& d, const Rung& rung, Dtype dtype) const {
  return {config_, d.h, d.w, is_lowered(rung) ? dtype : Dtype::f32};
}

Component::Need PictureDecoder::need(const Decoding& d, const Rung& rung, bool keep_all) {
  if (d.tiled) return tiled(d, rung, compiler_.climb.dtype).need(vae_, rung, compiler_.backend->is_host());
  return vae_.need(recording(d), rung, keep_all);
}

// Whether the picture is decoded tile by tile in float32: the forecast was of 16 bits.
bool PictureDecoder::tiles_in_float32(const Decoding& d) {
  if (d.tiled || allowed_ == VaeTiling::off) return d.tiled;
  const Component::Need need = exact_.need(recording(d), *compiler_.rung, false);
  const MemoryBudget& memory = compiler_.backend->memory();
  return need.weights - exact_.loaded_bytes() + std::max(need.loading, need.running.total()) > memory.limit() - memory.used();
}

std::vector<Image> PictureDecoder::decode(const std::vector<float>& latents, const Decoding& d, const OnDecode& on_decode, Dump& dump,
                                          CompileSeconds& seconds) {
  std::vector<Image> images;
  const size_t each = latents.size() / size_t(d.pictures);
  for (int64_t i = 0; i < d.pictures; ++i) {
    const std::span<const float> latent = std::span(latents).subspan(size_t(i) * each, each);
    auto report = [&](int64_t done, int64_t of_each) {
      if (on_decode && !on_decode(int(i * of_each + done), int(d.pictures * of_each)))
        fail(ErrorKind::cancelled, "cancelled while picture {} of {} was decoded", i + 1, d.pictures);
    };
    auto run_whole = [&](Component& with, bool keep_all) {
      auto exec = whole(with, d, keep_all, seconds);
      exec->write("latents", std::as_bytes(latent));
      exec->run(Rate::prompt);
      return exec;
    };
    auto pixels_of = [&](Component& with, Dtype dtype, bool in_tiles) {
      if (in_tiles) {
        const TiledDecoder decoder = tiled(d, *compiler_.rung, dtype);
        return decoder.decode(with, *compiler_.backend, latent, [&, done = 0]() mutable { report(++done, decoder.runs()); }, seconds);
      }
      auto exec = run_whole(with, dump.active());
      if (dump.active()) dump.take(fmt::format("vae/picture{}", i + 1), *exec, Rate::prompt);
      std::vector<float> pixels = read_floats(*exec, exec->program().outputs[0]);
      report(1, 1);
      return pixels;
    };
    bool in_tiles = d.tiled;
    std::vector<float> pixels = pixels_of(vae_, compiler_.climb.dtype, in_tiles);
    const bool retry = !all_finite(pixels) && is_lowered(*compiler_.rung) && compiler_.climb.dtype != Dtype::f32 && !dump.active();
    if (retry) {
      warn(warn_, fmt::format("picture {} is not finite in {}: decoded again in f32", i + 1, name_of(compiler_.climb.dtype)));
      in_tiles = tiles_in_float32(d);
      pixels = pixels_of(exact_, Dtype::f32, in_tiles);
    }
    std::function<std::shared_ptr<Executable>()> repeat;  // a picture that was decoded in tiles has no room for all values
    if (!in_tiles) repeat = [&] { return run_whole(retry ? exact_ : vae_, /*keep_all=*/true); };
    require_finite(pixels, fmt::format("picture {}", i + 1), repeat);
    const int64_t down = config_.downscale();
    images.push_back(to_image(pixels, int(d.w * down), int(d.h * down)));
  }
  return images;
}

}  // namespace hayate
