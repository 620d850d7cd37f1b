// PNG files read back with libpng's simple interface and by walking the chunks.
#include "core/image_file.h"

#include <png.h>

#include "core/expect_error.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

std::vector<uint8_t> ramp(int width, int height) {
  std::vector<uint8_t> rgb(size_t(width) * size_t(height) * 3);
  for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = uint8_t(i * 7 + i / 50);
  return rgb;
}

// The content of each chunk of a type.
std::vector<std::string> chunks(const std::string& file, const std::string& type) {
  std::vector<std::string> found;
  for (size_t at = 8; at + 12 <= file.size();) {
    auto byte = [&](size_t i) { return size_t(uint8_t(file[at + i])); };
    size_t length = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    if (file.substr(at + 4, 4) == type) found.push_back(file.substr(at + 8, length));
    at += length + 12;
  }
  return found;
}

std::string encoded(const std::string& infotext) {
  std::vector<std::byte> file = encode_png(2, 1, ramp(2, 1), infotext);
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

TEST(ImageFile, pixels_survive) {
  ScratchFolder folder;
  for (auto [width, height] : {std::pair{1, 1}, {3, 2}, {64, 33}}) {
    std::vector<uint8_t> rgb = ramp(width, height);
    write_png_file(folder / "a.png", width, height, rgb, "text");
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_TRUE(png_image_begin_read_from_file(&image, (folder / "a.png").c_str())) << image.message;
    EXPECT_EQ(int(image.width), width);
    EXPECT_EQ(int(image.height), height);
    EXPECT_EQ(image.format, png_uint_32(PNG_FORMAT_RGB));
    std::vector<uint8_t> back(PNG_IMAGE_SIZE(image));
    ASSERT_TRUE(png_image_finish_read(&image, nullptr, back.data(), 0, nullptr)) << image.message;
    EXPECT_EQ(back, rgb);
  }
  EXPECT_EQ(folder.entries(), std::vector<std::string>{"a.png"});
}

TEST(ImageFile, latin1_settings_are_a_text_chunk) {
  std::string file = encoded("caf\xc3\xa9\nSteps: 30");
  EXPECT_EQ(chunks(file, "tEXt"), std::vector<std::string>{std::string("parameters\0caf\xe9\nSteps: 30", 25)});
  EXPECT_TRUE(chunks(file, "iTXt").empty());
}

TEST(ImageFile, other_settings_are_an_international_text_chunk) {
  std::string text = "\xe7\x96\xbe\xe9\xa2\xa8 \xf0\x9f\x8c\x80\nSteps: 30", file = encoded(text);
  EXPECT_EQ(chunks(file, "iTXt"), std::vector<std::string>{std::string("parameters\0\0\0\0\0", 15) + text});
  EXPECT_TRUE(chunks(file, "tEXt").empty());
}

TEST(ImageFile, settings_that_are_not_utf8_are_kept_byte_for_byte) {
  for (const std::string& text : {std::string("a\xff"), std::string("\xc3"), std::string("\xed\xa0\x80"), std::string("\xe7\x96\xbe\xe9")})
    EXPECT_EQ(chunks(encoded(text), "tEXt"), std::vector<std::string>{std::string("parameters\0", 11) + text});
}

TEST(ImageFile, no_settings_no_chunk) {
  EXPECT_TRUE(chunks(encoded(""), "tEXt").empty());
  EXPECT_TRUE(chunks(encoded(""), "iTXt").empty());
}

TEST(ImageFile, impossible_sizes_are_errors) {
  expect_error(ErrorKind::usage, {"2x2", "11"}, [] { encode_png(2, 2, std::vector<uint8_t>(11), ""); });
  expect_error(ErrorKind::usage, {"0x2"}, [] { encode_png(0, 2, {}, ""); });
  expect_error(ErrorKind::unsupported, {"2000000x1", "IHDR"}, [] { encode_png(2000000, 1, std::vector<uint8_t>(6000000), ""); });
  ScratchFolder folder;
  EXPECT_THROW(write_png_file(folder / "a.png", 2, 2, std::vector<uint8_t>(11), ""), Error);
  EXPECT_TRUE(folder.entries().empty());
}

}  // namespace
}  // namespace hayate
