// Pictures that others wrote (tools/dump_pictures.py), and what is left of them when they are cut, damaged or hostile.
#include <algorithm>
#include <cmath>

#include "core/expect_error.h"
#include "core/json.h"
#include "core/scratch_folder.h"
#include "image/opacity.h"

namespace hayate {
namespace {

const std::string folder = HAYATE_SOURCE_DIR "/tests/data/pictures/";
const Json& expected() {
  static const Json all = read_json_file(folder + "expected.json");
  return all;
}
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, entry] : expected().items()) all.push_back(name);
  return all;
}

class Foreign : public testing::TestWithParam<std::string> {
 protected:
  const std::string path = folder + GetParam();
  const Json entry = expected().at(GetParam());
};

TEST_P(Foreign, is_read_as_pillow_reads_it) {
  if (entry.contains("refused")) {
    expect_error(ErrorKind::unsupported, {path.c_str(), entry["refused"].get<std::string>().c_str()}, [&] { read_image(path); });
    return;
  }
  const ImageFile file = read_image(path);
  EXPECT_EQ(file.image.width, entry["width"]);
  EXPECT_EQ(file.image.height, entry["height"]);
  EXPECT_EQ(file.infotext, entry["infotext"]);
  const auto rgb = entry["rgb"].get<std::vector<int>>();
  ASSERT_EQ(file.image.rgb.size(), rgb.size());
  for (size_t i = 0; i < rgb.size(); ++i) EXPECT_LE(std::abs(file.image.rgb[i] - rgb[i]), entry["tolerance"].get<int>()) << "at " << i;
  EXPECT_EQ(decode_with_opacity(slurp(path), path).opacity, entry["opacity"].get<std::vector<uint8_t>>());
}

TEST_P(Foreign, is_refused_wherever_it_is_cut) {
  if (entry.contains("refused")) return;
  const std::string whole = slurp(path);
  ScratchFolder scratch;
  for (size_t length = 0; length < whole.size(); length += 1 + whole.size() / 400)
    expect_error(ErrorKind::bad_file, {"cut"}, [&] { read_image(scratch.write("cut", whole.substr(0, length))); });
}

// A changed byte may be an error or go unnoticed. Sanitizers see the rest.
TEST_P(Foreign, does_no_harm_when_damaged) {
  const std::string whole = slurp(path);
  ScratchFolder scratch;
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 400)
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ flip);
      try {
        const Image image = read_image(scratch.write("damaged", damaged)).image;
        EXPECT_EQ(image.rgb.size(), size_t(image.width) * size_t(image.height) * 3);
      } catch (const Error& error) {
        EXPECT_TRUE(error.kind() == ErrorKind::bad_file || error.kind() == ErrorKind::unsupported) << error.what();
        ++refused;
      }
    }
  EXPECT_GT(refused, 0u);
}

INSTANTIATE_TEST_SUITE_P(Pictures, Foreign, testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '.', '_');
  return name;
});

TEST(ReadImage, what_is_no_picture_is_named) {
  ScratchFolder scratch;
  for (const char* content : {"", "RIFF", "<html>", "GIF89a", "\x89PNG\r\n", "RIFF\x10\0\0\0WAVE"})
    expect_error(ErrorKind::bad_file, {"x.png", "not a picture in PNG, JPEG or WebP"}, [&] { read_image(scratch.write("x.png", content)); });
  expect_error(ErrorKind::not_found, {"none.png"}, [&] { read_image(scratch / "none.png"); });
  expect_error(ErrorKind::bad_file, {"folder"}, [&] { read_image(scratch / ""); });
}

// The size in the header is all that changes, so what is refused is the size.
TEST(ReadImage, sizes_beyond_the_limits_are_refused_by_the_header) {
  ScratchFolder scratch;
  std::string jpeg = slurp(folder + "smooth.jpg");
  size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, jpeg.npos);
  jpeg.replace(frame + 5, 4, "\xfd\xe8\xfd\xe8");
  expect_error(ErrorKind::unsupported, {"65000x65000"}, [&] { read_image(scratch.write("a.jpg", jpeg)); });
  jpeg.replace(frame + 5, 4, "\x30\x00\x30\x00", 4);
  expect_error(ErrorKind::unsupported, {"12288x12288", "134217728 in all"}, [&] { read_image(scratch.write("a.jpg", jpeg)); });
}

TEST(ReadImage, a_progressive_jpeg_of_endless_scans_is_refused) {
  std::string jpeg = slurp(folder + "progressive.jpg");
  const size_t begin = jpeg.find("\xff\xda"), end = jpeg.find("\xff\xc4", begin);
  std::string many = jpeg.substr(0, begin);
  for (int i = 0; i < 600; ++i) many += jpeg.substr(begin, end - begin);
  ScratchFolder scratch;
  expect_error(ErrorKind::bad_file, {"more than 500 scans"}, [&] { read_image(scratch.write("a.jpg", many + jpeg.substr(end))); });
}

}  // namespace
}  // namespace hayate
