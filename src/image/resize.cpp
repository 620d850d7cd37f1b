// libwebp's rescaler: areas averaged when a picture gets smaller, bilinear when it gets larger.
#include <webp/encode.h>

#include "core/error.h"
#include "hayate/hayate.h"

namespace hayate {

Image resized(const Image& image, int width, int height) {
  if (image.width == width && image.height == height) return image;
  for (int side : {image.width, image.height, width, height})
    require(side <= WEBP_MAX_DIMENSION, ErrorKind::unsupported, "a picture of {}x{} cannot be resized to {}x{}: at most {} pixels a side are possible", image.width, image.height,
            width, height, WEBP_MAX_DIMENSION);
  struct Picture : WebPPicture {
    Picture() : WebPPicture{} { WebPPictureInit(this); }
    Picture(const Picture&) = delete;
    ~Picture() { WebPPictureFree(this); }
  } picture;
  picture.use_argb = 1;
  picture.width = image.width, picture.height = image.height;
  const bool done = WebPPictureImportRGB(&picture, image.rgb.data(), image.width * 3) && WebPPictureRescale(&picture, width, height);
  require(done, ErrorKind::out_of_memory, "not enough memory to turn a picture of {}x{} into one of {}x{}", image.width, image.height, width, height);
  Image result{.width = width, .height = height, .rgb = {}};
  result.rgb.reserve(size_t(width) * size_t(height) * 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const uint32_t pixel = picture.argb[y * picture.argb_stride + x];
      result.rgb.insert(result.rgb.end(), {uint8_t(pixel >> 16), uint8_t(pixel >> 8), uint8_t(pixel)});
    }
  return result;
}

}  // namespace hayate
