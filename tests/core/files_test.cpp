// Reading what may be anything, and writing whole files or none.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "core/atomic_file.h"
#include "core/expect_error.h"
#include "core/file_reader.h"
#include "core/scratch_folder.h"
#include "hayate/text_file.h"

namespace hayate {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(FileReader, reads_pieces) {
  ScratchFolder folder;
  FileReader file(folder.write("f", "0123456789"));
  EXPECT_EQ(file.size(), 10);
  std::string piece(4, ' ');
  file.read(3, std::as_writable_bytes(std::span(piece)));
  EXPECT_EQ(piece, "3456");
  EXPECT_NO_THROW(file.read(10, {}));
  expect_error(ErrorKind::bad_file, {"/f", "4 bytes", "byte 7"}, [&] { file.read(7, std::as_writable_bytes(std::span(piece))); });
  EXPECT_THROW(file.read(INT64_MAX, std::as_writable_bytes(std::span(piece))), Error);
  EXPECT_THROW(file.read(-1, std::as_writable_bytes(std::span(piece))), Error);
  EXPECT_EQ(read_text_file(file.path(), 10), "0123456789");
  expect_error(ErrorKind::bad_file, {"/f", "at most 9"}, [&] { read_text_file(file.path(), 9); });
}

TEST(FileReader, opens_regular_files_only) {
  ScratchFolder folder;
  expect_error(ErrorKind::not_found, {"absent"}, [&] { FileReader(folder / "absent"); });
  expect_error(ErrorKind::not_found, {"f/under"}, [&] { FileReader(folder.write("f", "x") + "/under"); });
  expect_error(ErrorKind::bad_file, {"folder"}, [&] { FileReader(folder / "."); });
  expect_error(ErrorKind::bad_file, {"/dev/zero", "device"}, [] { FileReader("/dev/zero"); });
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  expect_error(ErrorKind::bad_file, {"fifo", "pipe"}, [&] { FileReader(folder / "fifo"); });
  std::filesystem::create_symlink("loop", folder / "loop");
  expect_error(ErrorKind::io, {"loop"}, [&] { FileReader(folder / "loop"); });
  expect_error(ErrorKind::usage, {"zero byte"}, [&] { FileReader(folder / std::string("f\0g", 3)); });
}

TEST(FileReader, a_link_to_a_file_is_followed) {
  ScratchFolder folder;
  folder.write("f", "abc");
  std::filesystem::create_symlink("f", folder / "link");
  EXPECT_EQ(read_text_file(folder / "link", 100), "abc");
}

TEST(FileReader, a_file_that_changes_is_an_error) {
  ScratchFolder folder;
  const std::string path = folder.write("f", std::string(100000, 'a'));
  std::string out(100000, ' ');
  auto read = [&](FileReader& file) { file.read(0, std::as_writable_bytes(std::span(out))); };
  auto expect_change = [&](FileReader& file) { expect_error(ErrorKind::bad_file, {"/f", "changed"}, [&] { read(file); }); };

  FileReader shrunk(path);
  read(shrunk);
  std::filesystem::resize_file(path, 50000);
  expect_change(shrunk);

  FileReader grown(path);
  std::filesystem::resize_file(path, 100000);
  out.resize(50000);
  expect_change(grown);

  FileReader rewritten(path);
  timespec times[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  expect_change(rewritten);

  FileReader replaced(path);  // the open file is still whole, so this is no error
  std::filesystem::rename(folder.write("g", "new"), path);
  EXPECT_NO_THROW(read(replaced));
}

TEST(FileReader, a_sparse_terabyte_costs_nothing) {
  ScratchFolder folder;
  const std::string path = folder.write("f", "");
  std::error_code unsupported;
  std::filesystem::resize_file(path, uintmax_t{1} << 40, unsupported);
  if (unsupported) GTEST_SKIP() << "this file system has no files of 1 TB";
  EXPECT_EQ(FileReader(path).size(), int64_t{1} << 40);
  EXPECT_THROW(read_text_file(path, 1 << 20), Error);
}

TEST(TextFile, replaces_what_was_there_and_nothing_else) {
  ScratchFolder folder;
  write_text_file(folder.write("out", "a longer text that was there"), "new\n");
  EXPECT_EQ(slurp(folder / "out"), "new\n");
  EXPECT_EQ(folder.entries(), std::vector<std::string>{"out"});
  EXPECT_THROW(write_text_file(folder / "missing/out", "x"), Error);
  EXPECT_THROW(write_text_file("/dev/null", "x"), Error);
}

TEST(AtomicFile, appears_on_commit) {
  ScratchFolder folder;
  AtomicFile file(folder / "out");
  file.write(bytes_of("hello "));
  file.write(bytes_of("world"));
  file.write_at(1, bytes_of("E"));
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  file.commit();
  EXPECT_EQ(slurp(folder / "out"), "hEllo world");
  EXPECT_EQ(folder.entries(), std::vector<std::string>{"out"});
}

TEST(AtomicFile, without_commit_nothing_remains) {
  ScratchFolder folder;
  folder.write("out", "old");
  {
    AtomicFile file(folder / "out");
    file.write(bytes_of("new"));
    EXPECT_EQ(folder.entries().size(), 2u);
  }
  EXPECT_EQ(slurp(folder / "out"), "old");
  EXPECT_EQ(folder.entries().size(), 1u);
}

TEST(AtomicFile, permissions_follow_the_umask) {
  ScratchFolder folder;
  mode_t before = ::umask(027);
  AtomicFile(folder / "out").commit();
  ::umask(before);
  EXPECT_EQ(int(std::filesystem::status(folder / "out").permissions()), 0640);
}

TEST(AtomicFile, replaces_the_file_behind_a_link) {
  ScratchFolder folder;
  folder.write("sub/target", "old");
  std::filesystem::create_symlink("sub/target", folder / "link");
  AtomicFile file(folder / "link");
  file.write(bytes_of("new"));
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(folder / "sub/target"), "new");
}

TEST(AtomicFile, refuses_what_is_not_a_regular_file) {
  ScratchFolder folder;
  expect_error(ErrorKind::usage, {"/dev/null", "regular"}, [] { AtomicFile("/dev/null"); });
  expect_error(ErrorKind::usage, {"regular"}, [&] { AtomicFile(folder / "."); });
  expect_error(ErrorKind::usage, {"file name"}, [] { AtomicFile(""); });
  expect_error(ErrorKind::not_found, {"absent/out"}, [&] { AtomicFile(folder / "absent/out"); });
  EXPECT_TRUE(folder.entries().empty());
}

TEST(AtomicFile, a_disk_that_refuses_is_an_io_error_and_leaves_nothing) {
  ScratchFolder folder;
  auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{}, small{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  small = {1000, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(ErrorKind::io, {"cannot write", "/out", "File too large"}, [&] {
    AtomicFile file(folder / "out");
    file.write(bytes_of(std::string(2000, 'x')));
    file.commit();
  });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  EXPECT_TRUE(folder.entries().empty());
}

}  // namespace
}  // namespace hayate
