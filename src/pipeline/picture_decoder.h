// Latents to pictures: the decoder in one piece or tile by tile, and once more in float32 where a picture is not finite.
#pragma once
#include <memory>
#include <vector>

#include "core/log.h"
#include "hayate/hayate.h"
#include "pipeline/component.h"
#include "pipeline/dump.h"
#include "pipeline/open_decoder.h"
#include "pipeline/tiled_decoder.h"
#include "program/builder.h"

namespace hayate {

// How the pictures of a request are decoded.
struct Decoding {
  int64_t pictures = 1, h = 0, w = 0;  // h x w: of a latent
  bool tiled = false;
  Wrap wrap{};                         // not together with tiles
};

class PictureDecoder {
 public:
  PictureDecoder(OpenedDecoder, const Compiler&, VaeTiling allowed, Warn);
  PictureDecoder(const PictureDecoder&) = delete;

  // One picture at a time: pictures do not depend on their neighbours, and the decoder's memory does not grow with the batch. `on_decode`
  // may be empty.
  std::vector<Image> decode(const std::vector<float>& latents, const Decoding&, const OnDecode& on_decode, Dump&, CompileSeconds&);

  Component::Need need(const std::vector<Decoding>&, const Rung&, bool keep_all);  // of several sizes, of which the last one is now and needs most
  Component& component() { return vae_; }
  std::shared_ptr<Executable> whole(const Decoding&, CompileSeconds&);

 private:
  struct Picture;  // one that is being decoded
  Image decode(const Picture&);
  bool decode(Component&, const Picture&, Dtype, bool in_tiles, Image&);
  std::shared_ptr<Executable> run_whole(Component&, const Picture&, bool keep_all);
  std::shared_ptr<Executable> whole(Component&, const Decoding&, bool keep_all, CompileSeconds&);
  TiledDecoder tiled(const Decoding&, const Rung&, Dtype) const;
  bool tiles_in_float32(const Decoding&);
  Recording recording(const Decoding&) const;

  LatentDecoder network_;
  Compiler compiler_, exact_compiler_;
  VaeTiling allowed_;
  Warn warn_;
  Component vae_, exact_;  // exact_: float32
};

}  // namespace hayate
