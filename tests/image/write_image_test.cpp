// What write_image writes, read back; and PNG chunk by chunk, where other programs are particular.
#include <cmath>
#include <random>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

Image noise(int width, int height) {
  std::mt19937 random{unsigned(width * 1000 + height)};
  Image image{.width = width, .height = height, .rgb = std::vector<uint8_t>(size_t(width) * size_t(height) * 3)};
  for (uint8_t& byte : image.rgb) byte = uint8_t(random());
  return image;
}

Image smooth(int side) {
  Image image{.width = side, .height = side, .rgb = {}};
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) image.rgb.insert(image.rgb.end(), {uint8_t(x * 200 / side), uint8_t(y * 200 / side), 128});
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  int largest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  return largest;
}

// The content of each PNG chunk of a type.
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

class WriteImage : public testing::Test {
 protected:
  ScratchFolder folder;

  std::string written(const std::string& name, const Image& image, const std::string& infotext, int quality = 90) {
    write_image(folder / name, image, infotext, quality);
    return slurp(folder / name);
  }
  ImageFile again(const std::string& name, const Image& image, const std::string& infotext, int quality = 90) {
    written(name, image, infotext, quality);
    return read_image(folder / name);
  }
};

TEST_F(WriteImage, the_extension_chooses_the_format) {
  for (auto [name, format] : {std::pair{"a.png", "PNG"}, {"b.jpg", "JPEG"}, {"c.jpeg", "JPEG"}, {"d.webp", "WebP"}, {"e.PnG", "PNG"}})
    EXPECT_EQ(again(name, noise(4, 4), "").format, format);
  expect_error(ErrorKind::usage, {"a.gif", ".png, .jpg, .jpeg, .webp"}, [&] { write_image(folder / "a.gif", noise(4, 4)); });
  expect_error(ErrorKind::usage, {"png"}, [&] { write_image(folder / "png", noise(4, 4)); });
  EXPECT_EQ(folder.entries().size(), 5u) << "temporary files were left";
}

TEST_F(WriteImage, lossless_formats_keep_every_pixel) {
  for (auto [width, height] : {std::pair{1, 1}, {3, 2}, {64, 33}})
    for (const char* name : {"a.png", "a.webp"}) {
      const Image image = noise(width, height);
      const ImageFile file = again(name, image, "text", 100);
      EXPECT_EQ(file.image.width, width);
      EXPECT_EQ(file.image.height, height);
      EXPECT_EQ(file.image.rgb, image.rgb) << name;
    }
}

TEST_F(WriteImage, lossy_formats_come_close_and_quality_says_how_close) {
  for (const char* name : {"a.jpg", "a.webp"}) {
    EXPECT_LE(largest_difference(again(name, smooth(64), "", 95).image, smooth(64)), 10) << name;
    EXPECT_LT(written(name, noise(64, 64), "", 40).size() * 3, written(name, noise(64, 64), "", 97).size() * 2) << name;
  }
  for (int quality : {0, 101, -1}) expect_error(ErrorKind::usage, {"quality"}, [&] { write_image(folder / "a.jpg", smooth(8), "", quality); });
}

TEST_F(WriteImage, settings_survive_in_every_format) {
  for (const char* name : {"a.png", "a.jpg", "a.webp"})
    for (std::string text :
         {"", "a", "caf\xc3\xa9\nSteps: 30", "\xe7\x96\xbe\xe9\xa2\xa8 \xf0\x9f\x8c\x80\nSteps: 30", "<!-- \x01\x7f %s\\\" \t", "\xfe\xff"}) {
      const std::string read = again(name, noise(4, 4), text).infotext;
      EXPECT_EQ(read, text == "\xfe\xff" ? "\xc3\xbe\xc3\xbf" : text) << name << ": what is not UTF-8 counts as Latin-1";
    }
  const std::string longer(60000, 'x');
  EXPECT_EQ(again("a.png", noise(4, 4), longer).infotext, longer);
  EXPECT_EQ(again("a.webp", noise(4, 4), longer).infotext, longer);
}

TEST_F(WriteImage, a_jpeg_holds_all_settings_or_refuses_them) {
  std::string wide = "x", narrow(65475, 'x');
  for (int i = 0; i < 16368; ++i) wide += "\xf0\x9f\x8c\x80";  // two units each
  for (const std::string& longest : {wide, narrow}) EXPECT_EQ(again("a.jpg", noise(4, 4), longest).infotext, longest);
  for (const std::string& longer : {wide + "x", narrow + "x"})
    expect_error(ErrorKind::unsupported, {"b.jpg", std::to_string(longer.size()).c_str(), "32737", "twice"},
                 [&] { write_image(folder / "b.jpg", noise(4, 4), longer); });
  EXPECT_EQ(folder.entries().size(), 1u);
}

TEST_F(WriteImage, latin1_settings_are_a_text_chunk_of_a_png) {
  std::string file = written("a.png", noise(2, 1), "caf\xc3\xa9\nSteps: 30");
  EXPECT_EQ(chunks(file, "tEXt"), std::vector<std::string>{std::string("parameters\0caf\xe9\nSteps: 30", 25)});
  EXPECT_TRUE(chunks(file, "iTXt").empty());
}

TEST_F(WriteImage, other_settings_are_an_international_text_chunk_of_a_png) {
  std::string text = "\xe7\x96\xbe\xe9\xa2\xa8 \xf0\x9f\x8c\x80\nSteps: 30", file = written("a.png", noise(2, 1), text);
  EXPECT_EQ(chunks(file, "iTXt"), std::vector<std::string>{std::string("parameters\0\0\0\0\0", 15) + text});
  EXPECT_TRUE(chunks(file, "tEXt").empty());
}

TEST_F(WriteImage, settings_that_are_not_utf8_are_kept_byte_for_byte_in_a_png) {
  for (const std::string& text : {std::string("a\xff"), std::string("\xc3"), std::string("\xed\xa0\x80"), std::string("\xe7\x96\xbe\xe9")})
    EXPECT_EQ(chunks(written("a.png", noise(2, 1), text), "tEXt"), std::vector<std::string>{std::string("parameters\0", 11) + text});
}

TEST_F(WriteImage, no_settings_no_chunk) {
  const std::string file = written("a.png", noise(2, 1), "");
  EXPECT_TRUE(chunks(file, "tEXt").empty());
  EXPECT_TRUE(chunks(file, "iTXt").empty());
}

TEST_F(WriteImage, impossible_sizes_are_errors_and_leave_nothing) {
  Image wrong{.width = 2, .height = 2, .rgb = std::vector<uint8_t>(11)}, none{.width = 0, .height = 2, .rgb = {}};
  for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
    expect_error(ErrorKind::usage, {"2x2", "11"}, [&] { write_image(folder / name, wrong); });
    expect_error(ErrorKind::usage, {"0x2"}, [&] { write_image(folder / name, none); });
    expect_error(ErrorKind::unsupported, {"2000000x1"}, [&] { write_image(folder / name, noise(2000000, 1)); });
  }
  for (auto [name, most, limit] : {std::tuple("a.webp", 16383, "16383"), {"a.jpg", 65500, "65500"}, {"a.png", 1000000, "1000000"}})
    for (bool wide : {true, false}) {
      expect_error(ErrorKind::unsupported, {name, limit}, [&] { write_image(folder / name, wide ? noise(most + 1, 1) : noise(1, most + 1)); });
      write_image(folder / name, wide ? noise(most, 1) : noise(1, most));
      std::filesystem::remove(folder / name);
    }
  EXPECT_TRUE(folder.entries().empty());
}

}  // namespace
}  // namespace hayate
