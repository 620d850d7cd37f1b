// What is left to the picture's decoder, which looks at sizes before it takes memory.
#include "server/upload.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "server/base64.h"

namespace hayate::server {

std::string file_of_base64(std::string_view text, const std::string& key) {
  if (const size_t comma = text.find(','); text.starts_with("data:") && comma != text.npos) text.remove_prefix(comma + 1);
  std::optional<std::string> file = from_base64(text);
  require(file.has_value(), ErrorKind::usage, "\"{}\" is not base64", key);
  return std::move(*file);
}

Image upload(std::string_view file, const std::string& key) { return decode_image(file, "\"" + key + "\"").image; }

void size_like(const Image& image, int64_t pixels, int64_t& width, int64_t& height) {
  constexpr int64_t unit = 8;
  const double root = std::sqrt(double(pixels) / (double(image.width) * image.height));
  auto side = [&](int own) { return std::max<int64_t>(unit, std::llround(own * root / unit) * unit); };
  width = side(image.width), height = side(image.height);
}

}  // namespace hayate::server
