// Pictures that come with requests.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "hayate/hayate.h"

namespace hayate::server {

// The bytes that base64 stands for, alone or in a data URL. Error(usage) that names the key.
std::string file_of_base64(std::string_view text, const std::string& key);

// What of a mask is drawn anew: what is white; what is transparent, as OpenAI has it; what is opaque, or white where all is, as AUTOMATIC1111 has it.
enum class MaskShows { white, transparent, opaque };

// A picture to start from, and its mask if it has one.
struct StartFiles {
  std::string picture_key{};
  std::string_view picture{};
  std::optional<std::string_view> mask{};  // of what is drawn anew; without one a picture that is transparent in part is its own, where MaskShows says so
  MaskShows shows = MaskShows::white;
  bool inverted = false;                   // the mask is the other way round
};
struct StartPicture {
  Image picture{};
  std::optional<Image> mask{};  // of its size, white where it is drawn anew
};
// PNG, JPEG or WebP, upright. Error(bad_file) or Error(unsupported) that names the key, for pictures that are too large too; Error(usage) for a picture of more than `most_pixels` that has a mask, and for a mask without transparent pixels where these count.
StartPicture upload_start(const StartFiles&, int64_t most_pixels);

// The size of a drawing of the picture's shape with about as many pixels as the model's own, in multiples of 8.
void size_like(const Image&, int64_t pixels, int64_t& width, int64_t& height);

}  // namespace hayate::server
