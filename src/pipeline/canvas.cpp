// As the inpainting pipelines of diffusers see mask and picture; what the mask keeps is then pasted back, as their apply_overlay does.
#include "pipeline/canvas.h"

#include <algorithm>

#include "core/error.h"
#include "image/pixels.h"
#include "image/surroundings.h"
#include "pipeline/picture_encoder.h"

namespace hayate {

namespace {
constexpr uint8_t kWhite = 128;  // from here on

// The brightness of each pixel in all three channels, blurred.
Image grey(const Image& image, double deviation) {
  std::vector<float> map;
  map.reserve(image.rgb.size() / 3);
  for (size_t i = 0; i < image.rgb.size(); i += 3)
    map.push_back(0.299f * float(image.rgb[i]) + 0.587f * float(image.rgb[i + 1]) + 0.114f * float(image.rgb[i + 2]));
  blur(map, image.width, image.height, deviation);
  Image result{.width = image.width, .height = image.height, .rgb = {}};
  result.rgb.reserve(image.rgb.size());
  for (float v : map) result.rgb.insert(result.rgb.end(), 3, uint8_t(std::clamp(v + 0.5f, 0.0f, 255.0f)));
  return result;
}

struct Span {
  int begin, end;
  int size() const { return end - begin; }
};

// By `more`, on both sides as far as there is room.
Span widened(Span s, int more, int limit) {
  const int size = std::min(s.size() + more, limit), begin = std::clamp(s.begin - more / 2, 0, limit - size);
  return {begin, begin + size};
}

// `over`, put at a place of `under`, where the mask is white.
void blend(Image& under, const Image& over, const Image& mask, int left, int top) {
  size_t from = 0;
  for (int y = top; y < top + over.height; ++y)
    for (int x = left * 3; x < (left + over.width) * 3; ++x) {
      const size_t at = size_t(y) * size_t(under.width) * 3 + size_t(x);
      const int m = mask.rgb[at];
      under.rgb[at] = uint8_t((under.rgb[at] * (255 - m) + over.rgb[from++] * m + 127) / 255);
    }
}
}  // namespace

Area area_around(const Image& mask, int padding, int to_width, int to_height) {
  Span x{mask.width, 0}, y{mask.height, 0};
  for (int row = 0; row < mask.height; ++row)
    for (int column = 0; column < mask.width; ++column) {
      const uint8_t* pixel = &mask.rgb[(size_t(row) * size_t(mask.width) + size_t(column)) * 3];
      if (!(pixel[0] | pixel[1] | pixel[2])) continue;
      x = {std::min(x.begin, column), std::max(x.end, column + 1)};
      y = {std::min(y.begin, row), std::max(y.end, row + 1)};
    }
  if (x.size() <= 0) return {};
  x = {std::max(x.begin - padding, 0), int(std::min<int64_t>(int64_t{x.end} + padding, mask.width))};
  y = {std::max(y.begin - padding, 0), int(std::min<int64_t>(int64_t{y.end} + padding, mask.height))};
  const int64_t tall = int64_t{x.size()} * to_height / to_width, wide = int64_t{y.size()} * to_width / to_height;
  if (tall > y.size()) y = widened(y, int(std::min<int64_t>(tall, mask.height)) - y.size(), mask.height);
  if (wide > x.size()) x = widened(x, int(std::min<int64_t>(wide, mask.width)) - x.size(), mask.width);
  return {x.begin, y.begin, x.size(), y.size()};
}

Canvas::Canvas(const Request& r, int width, int height, int downscale) : picture_(*r.init_image), mask_{} {
  if (!r.mask) {
    picture_ = fitted(picture_, width, height, r.fit);
    return;
  }
  mask_ = grey(resized(*r.mask, picture_.width, picture_.height), r.mask_blur);
  Fit fit = r.fit;
  if (r.mask_area) {
    area_ = area_around(mask_, *r.mask_area, width, height);
    kept_ = std::move(picture_), kept_mask_ = std::move(mask_);
    picture_ = window(kept_, area_.left, area_.top, area_.width, area_.height);
    mask_ = window(kept_mask_, area_.left, area_.top, area_.width, area_.height);
    fit = Fit::fill;
  }
  const bool white = std::ranges::any_of(mask_.rgb, [](uint8_t v) { return v >= kWhite; });
  require(white, ErrorKind::usage, "the mask has no white in it: nothing would be drawn anew");
  picture_ = fitted(picture_, width, height, fit);
  mask_ = fitted(mask_, width, height, fit);
  fills_ = r.mask_content != MaskContent::original;  // under noise and nothing too, as in AUTOMATIC1111's web UI: the latent of the rest sees it
  for (int y = 0; y < height; y += downscale)
    for (int x = 0; x < width; x += downscale)
      latent_mask_.push_back(mask_.rgb[(size_t(y) * size_t(width) + size_t(x)) * 3] >= kWhite ? 1.0f : 0.0f);
}

Image Canvas::picture() const { return fills_ ? filled_from_around(picture_, mask_) : picture_; }

std::vector<float> Canvas::masked_pixels() const {
  std::vector<float> pixels = pixels_of(picture_);
  for (size_t i = 0; i < pixels.size(); ++i)
    if (mask_.rgb[i] >= kWhite) pixels[i] = 0;
  return pixels;
}

Image Canvas::finished(Image drawn) const {
  if (latent_mask_.empty()) return drawn;
  const bool part = area_.width > 0;
  Image whole = part ? kept_ : picture_;
  if (part) drawn = fitted(drawn, area_.width, area_.height, Fit::crop);
  blend(whole, drawn, part ? kept_mask_ : mask_, area_.left, area_.top);
  return whole;
}

}  // namespace hayate
