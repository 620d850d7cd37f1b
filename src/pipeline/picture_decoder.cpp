// What both ways of decoding share: pictures, progress, and what is done about values that are not finite.
#include "pipeline/picture_decoder.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <iterator>

#include "core/convert.h"
#include "core/error.h"
#include "core/finite.h"
#include "core/parallel.h"
#include "pipeline/not_finite.h"

namespace hayate {

namespace {
constexpr size_t kExecutables = 36;  // a decoder in tiles has up to 30 programs; all of them for the next picture, and some sizes whole

Compiler in_float32(Compiler c) {
  c.climb.dtype = Dtype::f32;
  c.print_program = "";
  return c;
}

// A picture as it was decoded.
struct Pixels {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
  Dtype dtype;
};
Pixels read_pixels(Executable& exec, const Node& n) {
  auto bytes = std::make_shared<std::vector<std::byte>>(size_t(byte_size(n)));
  exec.read(n.name, *bytes);
  return {bytes, *bytes, n.dtype};
}

// (x / 2 + 0.5) clamped to 0..1, times 255, halves to even: as diffusers turns tensors into pictures. Adding 2^23 rounds so, and leaves the
// whole number in the lowest bits; without a call, the loop becomes vectors.
void to_bytes(std::span<const float> from, uint8_t* to) {
  for (size_t i = 0; i < from.size(); ++i) to[i] = uint8_t(std::bit_cast<uint32_t>(std::clamp(from[i] / 2 + 0.5f, 0.0f, 1.0f) * 255 + 0x1p23f));
}

// False where a value is not finite. All is done to a piece while it is in the cache.
bool to_bytes(const Pixels& pixels, std::vector<uint8_t>& rgb) {
  constexpr int64_t kPiece = 4096;
  const int64_t count = int64_t(rgb.size()), size = size_of(pixels.dtype);
  std::atomic<bool> finite = true;
  parallel_for((count + kPiece - 1) / kPiece, 16, [&](int64_t begin, int64_t end) {
    std::array<float, kPiece> piece;
    for (int64_t at = begin * kPiece; at < std::min(end * kPiece, count); at += kPiece) {
      const std::span<float> floats(piece.data(), size_t(std::min(kPiece, count - at)));
      const std::span<const std::byte> stored = pixels.bytes.subspan(size_t(at * size), floats.size() * size_t(size));
      if (!all_finite(stored, pixels.dtype)) finite = false;
      convert(pixels.dtype, stored, Dtype::f32, std::as_writable_bytes(floats));
      to_bytes(floats, rgb.data() + at);
    }
  });
  return finite;
}
}  // namespace

PictureDecoder::PictureDecoder(OpenedDecoder opened, const Compiler& compiler, VaeTiling allowed, Warn warn)
    : network_(std::move(opened.network)), compiler_(compiler), exact_compiler_(in_float32(compiler)), allowed_(allowed), warn_(std::move(warn)),
      vae_("vae", opened.tensors, compiler_, kExecutables), exact_("vae", opened.tensors, exact_compiler_, kExecutables) {}

Recording PictureDecoder::recording(const Decoding& d) const {
  return {fmt::format("decode {}x{}, wrap {} {}", d.w, d.h, d.wrap.x, d.wrap.y),
          [&network = network_, h = d.h, w = d.w, wrap = d.wrap] { return network.whole(1, h, w, wrap); }};
}

std::shared_ptr<Executable> PictureDecoder::whole(Component& vae, const Decoding& d, bool keep_all, CompileSeconds& seconds) {
  return vae.executable(recording(d), keep_all, seconds);
}
std::shared_ptr<Executable> PictureDecoder::whole(const Decoding& d, CompileSeconds& seconds) { return whole(vae_, d, false, seconds); }

TiledDecoder PictureDecoder::tiled(const Decoding& d, const Rung& rung, Dtype dtype) const {
  return {network_, d.h, d.w, is_lowered(rung) ? dtype : Dtype::f32};
}

Component::Need PictureDecoder::need(const std::vector<Decoding>& sizes, const Rung& rung, bool keep_all) {
  std::vector<Component::Held> programs;
  std::vector<std::unique_ptr<TiledDecoder>> in_tiles;  // to which their programs refer
  for (const Decoding& d : sizes) {
    if (!d.tiled) {
      programs.push_back({recording(d), 0});
      continue;
    }
    in_tiles.push_back(std::make_unique<TiledDecoder>(tiled(d, rung, compiler_.climb.dtype)));
    std::ranges::move(in_tiles.back()->programs(compiler_.backend->is_host()), std::back_inserter(programs));
  }
  return vae_.need(programs, rung, keep_all);
}

// Whether the picture is decoded tile by tile in float32: the forecast was of 16 bits.
bool PictureDecoder::tiles_in_float32(const Decoding& d) {
  if (d.tiled || allowed_ == VaeTiling::off || d.wrap != Wrap{}) return d.tiled;
  const Component::Need need = exact_.need(recording(d), *compiler_.rung, false);
  const MemoryBudget& memory = compiler_.backend->memory();
  return need.weights - exact_.loaded_bytes() + std::max(need.loading, need.running.total()) > memory.limit() - memory.used();
}

struct PictureDecoder::Picture {
  int64_t number;  // from 1
  std::vector<float> latent;
  const Decoding& how;
  std::function<void(int64_t done, int64_t of)> report;  // may throw
  Dump& dump;
  CompileSeconds& seconds;
};

std::shared_ptr<Executable> PictureDecoder::run_whole(Component& vae, const Picture& picture, bool keep_all) {
  auto exec = whole(vae, picture.how, keep_all, picture.seconds);
  exec->write("latents", std::as_bytes(std::span(picture.latent)));
  exec->run(Rate::prompt);
  return exec;
}

// False where a value is not finite.
bool PictureDecoder::decode(Component& vae, const Picture& picture, Dtype dtype, bool in_tiles, Image& image) {
  const Decoding& d = picture.how;
  Pixels pixels{nullptr, {}, Dtype::f32};
  image.width = int(d.w * network_.downscale), image.height = int(d.h * network_.downscale);
  auto make_room = [&] { image.rgb.resize(size_t(image.width) * size_t(image.height) * 3); };
  if (in_tiles) {
    const TiledDecoder decoder = tiled(d, *compiler_.rung, dtype);
    auto after_run = [&, done = 0]() mutable { picture.report(++done, decoder.runs()); };
    auto floats = std::make_shared<std::vector<float>>(decoder.decode(vae, *compiler_.backend, picture.latent, after_run, picture.seconds));
    pixels = {floats, std::as_bytes(std::span(*floats)), Dtype::f32};
    make_room();
  } else {
    auto exec = run_whole(vae, picture, picture.dump.active());
    make_room();  // while the device computes: new memory costs a millisecond
    if (picture.dump.active()) picture.dump.take(fmt::format("vae/picture{}", picture.number), *exec, Rate::prompt);
    pixels = read_pixels(*exec, exec->program()[exec->program().outputs[0]]);
    picture.report(1, 1);
  }
  return to_bytes(pixels, image.rgb);
}

Image PictureDecoder::decode(const Picture& picture) {
  Image image;
  const Dtype dtype = compiler_.climb.dtype;
  bool in_tiles = picture.how.tiled;
  bool finite = decode(vae_, picture, dtype, in_tiles, image);
  const bool retry = !finite && is_lowered(*compiler_.rung) && dtype != Dtype::f32 && !picture.dump.active();
  if (retry) {
    warn(warn_, fmt::format("picture {} is not finite in {}: decoded again in f32", picture.number, name_of(dtype)));
    in_tiles = tiles_in_float32(picture.how);
    finite = decode(exact_, picture, Dtype::f32, in_tiles, image);
  }
  std::function<std::shared_ptr<Executable>()> repeat;  // a picture that was decoded in tiles has no room for all values
  if (!in_tiles) repeat = [&] { return run_whole(retry ? exact_ : vae_, picture, /*keep_all=*/true); };
  if (!finite) fail_not_finite(fmt::format("picture {}", picture.number), repeat);
  return image;
}

std::vector<Image> PictureDecoder::decode(const std::vector<float>& latents, const Decoding& d, const OnDecode& on_decode, Dump& dump,
                                          CompileSeconds& seconds) {
  std::vector<Image> images;
  const int64_t each = int64_t(latents.size()) / d.pictures;
  for (int64_t i = 0; i < d.pictures; ++i) {
    auto report = [&](int64_t done, int64_t of) {
      if (on_decode && !on_decode(int(i * of + done), int(d.pictures * of)))
        fail(ErrorKind::cancelled, "cancelled while picture {} of {} was decoded", i + 1, d.pictures);
    };
    Picture picture{i + 1, {latents.begin() + i * each, latents.begin() + (i + 1) * each}, d, report, dump, seconds};
    if (network_.prepare) network_.prepare(picture.latent);
    images.push_back(decode(picture));
  }
  return images;
}

}  // namespace hayate
