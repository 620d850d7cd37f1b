// Sizes as people write them, and what the kernel's files say is left.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/scratch_folder.h"
#include "core/system_memory.h"
#include "hayate/byte_size.h"

namespace hayate {
namespace {

TEST(ByteSize, IsParsed) {
  constexpr int64_t gib = int64_t{1} << 30;
  for (auto [text, bytes] : {std::pair{"8GiB", 8 * gib}, {"8G", 8 * gib}, {"8GB", 8 * gib}, {"8gib", 8 * gib}, {"512MiB", gib / 2}, {"3k", 3072},
                             {"8589934592", 8 * gib}, {"17B", 17}, {"1T", 1024 * gib}, {"8589934591G", (INT64_MAX >> 30) * gib}})
    EXPECT_EQ(parse_size(text), bytes) << text;
}

TEST(ByteSize, NonsenseIsRefused) {
  for (const char* text : {"", "0", "0G", "-1", "-8G", "+8G", "1.5G", "8 G", " 8G", "G", "8X", "8GiBs", "8iB", "8GG", "nan", "inf", "0x10", "1e9",
                           "8589934592G", "9223372036854775808", "99999999999999999999999"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(ByteSize, IsWritten) {
  EXPECT_EQ(size_text(0), "0 bytes");
  EXPECT_EQ(size_text(128), "128 bytes");
  EXPECT_EQ(size_text(1020 << 10), "1020 KiB");
  EXPECT_EQ(size_text(int64_t{7} << 30), "7 GiB");
  EXPECT_EQ(size_text(1536 << 20), "1.5 GiB");
}

class SystemMemory : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  int64_t available() { return available_memory(folder_ / "proc", folder_ / "cgroup"); }

 private:
  ScratchFolder folder_;
};

TEST_F(SystemMemory, IsWhatTheMachineHas) {
  EXPECT_EQ(available(), INT64_MAX);
  write("proc/meminfo", "MemTotal:       24000000 kB\nMemAvailable:   1000 kB\nBuffers: 5 kB\n");
  EXPECT_EQ(available(), 1000 * 1024);
}

TEST_F(SystemMemory, IsLimitedByEveryGroupAbove) {
  write("proc/meminfo", "MemAvailable:   1000 kB\n");
  write("proc/self/cgroup", "0::/service/worker\n");
  write("cgroup/service/worker/memory.max", "max\n");
  write("cgroup/service/worker/memory.current", "5\n");
  EXPECT_EQ(available(), 1000 * 1024);
  write("cgroup/service/memory.max", "90000\n");
  write("cgroup/service/memory.current", "50000\n");
  EXPECT_EQ(available(), 40000);
  write("cgroup/service/memory.stat", "anon 3\ninactive_file 7000\nactive_file 1000\n");  // can be dropped
  EXPECT_EQ(available(), 48000);
  write("cgroup/service/memory.current", "100000\n");
  EXPECT_EQ(available(), 0);
}

TEST_F(SystemMemory, KnowsTheFirstVersionOfControlGroups) {
  write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/outside/of/the/container\n");
  write("cgroup/memory/memory.limit_in_bytes", "70000\n");
  write("cgroup/memory/memory.usage_in_bytes", "30000\n");
  write("cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
  EXPECT_EQ(available(), 40500);
}

TEST(ThisMachine, HasMemory) { EXPECT_GT(available_memory(), 0); }

}  // namespace
}  // namespace hayate
