// Fuzz target: a PNG, JPEG or WebP file, its pixels and its settings.
#include "hayate/hayate.h"
#include "input.h"

using namespace hayate;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::MemoryFile file(fuzz::text_of(data, size));
  fuzz::tolerate([&] {
    is_image_file(file.path());
    ImageFile image = read_image(file.path());
    if (image.image.rgb.size() != size_t(image.image.width) * size_t(image.image.height) * 3) fail(ErrorKind::internal, "pixels are missing");
  });
  return 0;
}
