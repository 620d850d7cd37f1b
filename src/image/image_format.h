// A picture format, and what the files of this folder share: one format is one file.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

// A decoded file, before it is turned upright.
struct Decoded {
  Image image{};
  std::string infotext{};
  int orientation = 1;  // EXIF's
  std::vector<uint8_t> opacity{};  // a byte a pixel; empty where the format or the file has none
};

struct ImageFormat {
  const char* name;
  std::vector<std::string_view> extensions;  // lower case, with the dot
  int most_side;                             // pixels
  size_t most_exif_bytes;                    // of EXIF that holds the infotext; 0: it is held elsewhere, at any length
  bool (*recognises)(std::string_view file);
  // `image` has sides from 1 to most_side and as many bytes as they say, the infotext fits, quality is 1..100.
  Bytes (*encode)(const Image&, const std::string& infotext, int quality);
  // `what` names the file in errors: Error(bad_file), or Error(unsupported) for a kind of picture that cannot be read.
  Decoded (*decode)(ByteSpan file, const std::string& what);
};

extern const ImageFormat png_format, jpeg_format, webp_format;

}  // namespace hayate
