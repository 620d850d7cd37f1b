// A .safetensors file that is cut while its tensors are read: an error or the right numbers, never a crash.
#include <gtest/gtest.h>

#include <cstring>
#include <cstring>
#include <filesystem>
#include <thread>

#include "core/error.h"
#include "core/scratch_folder.h"
#include "weights/safetensors.h"
#include "weights/safetensors_cases.h"

namespace hayate {
namespace {

TEST(ChangingFile, CutWhileItIsRead) {
  const size_t count = 1 << 20;
  const std::string bytes =
      safetensors_bytes(R"({"a":{"dtype":"F32","shape":[1048576],"data_offsets":[0,4194304]}})", count * sizeof(float));
  ScratchFolder folder;
  std::vector<float> whole(count), values(count);
  auto read = [&](const SafetensorsFile& file, std::vector<float>& to) {
    file.read("a", Dtype::f32, std::as_writable_bytes(std::span(to)));
  };
  read(SafetensorsFile(folder.write("whole", bytes)), whole);
  int refused = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string path = folder.write("cut", bytes);
    SafetensorsFile file(path);
    std::thread cutter([&] { std::filesystem::resize_file(path, bytes.size() / 2); });
    if (round % 2) cutter.join();  // half of the rounds for sure before, the others at any time
    try {
      read(file, values);
      EXPECT_EQ(0, std::memcmp(values.data(), whole.data(), count * sizeof(float))) << round;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_file) << e.what();
      ++refused;
    }
    if (cutter.joinable()) cutter.join();
  }
  EXPECT_GE(refused, 10);
}

}  // namespace
}  // namespace hayate
