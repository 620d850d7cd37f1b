// The format's rules, reading with conversion, and writing.
#include "weights/safetensors.h"

#include <filesystem>
#include <random>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "weights/safetensors_cases.h"
#include "weights/safetensors_writer.h"

namespace hayate {
namespace {

TEST(Safetensors, corpus) {
  ScratchFolder folder;
  std::vector<SafetensorsCase> cases = safetensors_cases();
  EXPECT_GE(cases.size(), 150u);
  for (const SafetensorsCase& c : cases) {
    SCOPED_TRACE(c.name.substr(0, 100));
    const std::string path = folder.write("case.safetensors", c.file);
    if (c.reason.empty())
      EXPECT_NO_THROW(SafetensorsFile{path});
    else
      expect_error(ErrorKind::bad_file, {"case.safetensors", c.reason.c_str()}, [&] { SafetensorsFile{path}; });
  }
}

TEST(Safetensors, any_flipped_header_byte_is_an_error_or_still_a_consistent_file) {
  ScratchFolder folder;
  const std::string good =
      safetensors_bytes(R"({"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16);
  std::mt19937 random(3);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int flips = 1 + i % 3; flips > 0; --flips) bad[random() % (good.size() - 16)] = char(random());
    const std::string path = folder.write("flipped.safetensors", bad);
    try {
      SafetensorsFile file(path);
      ++accepted;
      int64_t covered = 0;
      for (const StoredTensor& tensor : file.tensors()) covered += tensor.end - tensor.begin;
      EXPECT_EQ(covered, 16);
    } catch (const Error& error) { EXPECT_EQ(int(error.kind()), int(ErrorKind::bad_file)) << error.what(); }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 1000);
}

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

template <class T>
std::vector<T> read_as(const TensorSource& source, const std::string& name, Dtype as, size_t count) {
  std::vector<T> out(count);
  source.read(name, as, std::as_writable_bytes(std::span(out)));
  return out;
}

TEST(Safetensors, reads_what_was_stored_in_every_type) {
  ScratchFolder folder;
  const size_t count = 1300007;  // several pieces per thread, and an odd rest
  std::vector<float> f32(count);
  std::vector<f16> half(count);
  std::vector<bf16> brain(count);
  for (size_t i = 0; i < count; ++i) {
    f32[i] = std::ldexp(std::sin(float(i)), int(i % 30) - 20);
    half[i] = from_float<f16>(f32[i]);
    brain[i] = from_float<bf16>(f32[i]);
  }
  const std::vector<int64_t> dims = {int64_t(count)};
  SafetensorsWriter writer(folder / "all.safetensors", {{"half", Dtype::f16, dims}, {"f32", Dtype::f32, dims}, {"brain", Dtype::bf16, dims}},
                           {{"k", "v\n"}});
  writer.write("brain", std::as_bytes(std::span(brain)));
  writer.write("half", std::as_bytes(std::span(half)));
  writer.write("f32", std::as_bytes(std::span(f32)));
  writer.commit();

  const SafetensorsFile file(folder / "all.safetensors");
  EXPECT_EQ(file.names(), (std::vector<std::string>{"f32", "half", "brain"}));
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"k", "v\n"}}));
  EXPECT_EQ(file.tensors().front().begin % 8, 0);
  EXPECT_EQ(file.dims("half"), dims);

  EXPECT_EQ(read_as<float>(file, "f32", Dtype::f32, count), f32);
  auto f32_as_half = read_as<f16>(file, "f32", Dtype::f16, count), half_as_half = read_as<f16>(file, "half", Dtype::f16, count);
  auto half_as_brain = read_as<bf16>(file, "half", Dtype::bf16, count), brain_as_brain = read_as<bf16>(file, "brain", Dtype::bf16, count);
  auto half_as_f32 = read_as<float>(file, "half", Dtype::f32, count), brain_as_f32 = read_as<float>(file, "brain", Dtype::f32, count);
  for (size_t i = 0; i < count; ++i) {
    ASSERT_EQ(f32_as_half[i].bits, half[i].bits) << i;
    ASSERT_EQ(half_as_half[i].bits, half[i].bits) << i;
    ASSERT_EQ(half_as_brain[i].bits, from_float<bf16>(to_float(half[i])).bits) << i;
    ASSERT_EQ(brain_as_brain[i].bits, brain[i].bits) << i;
    ASSERT_EQ(half_as_f32[i], to_float(half[i])) << i;
    ASSERT_EQ(brain_as_f32[i], to_float(brain[i])) << i;
  }
}

TEST(Safetensors, reads_parts) {
  ScratchFolder folder;
  std::vector<float> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i);
  SafetensorsWriter writer(folder / "f.safetensors", {{"t", Dtype::f32, {10, 100}}});
  writer.write("t", std::as_bytes(std::span(values)));
  writer.commit();
  const SafetensorsFile file(folder / "f.safetensors");
  std::vector<float> rows(200);
  file.read("t", Dtype::f32, std::as_writable_bytes(std::span(rows)), 300);
  EXPECT_EQ(rows, std::vector<float>(values.begin() + 300, values.begin() + 500));
  bf16 last{};
  file.read("t", Dtype::bf16, std::as_writable_bytes(std::span(&last, 1)), 999);
  EXPECT_EQ(last.bits, from_float<bf16>(999).bits);
}

TEST(Safetensors, reads_doubles_and_eight_bit_floats) {
  ScratchFolder folder;
  const double doubles[] = {0.1, -1e300};
  const std::string data = std::string(reinterpret_cast<const char*>(doubles), sizeof doubles) + "\x38\xc4\x3c\xc4";
  const std::string path = folder.write("f.safetensors", safetensors_bytes(R"({"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},
      "e4":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[16,18]},"e5":{"dtype":"F8_E5M2","shape":[2],"data_offsets":[18,20]}})",
                                                                           0) +
                                                             data);
  const SafetensorsFile file(path);
  EXPECT_EQ(read_as<float>(file, "d", Dtype::f32, 2), (std::vector<float>{0.1f, -HUGE_VALF}));
  EXPECT_EQ(read_as<float>(file, "e4", Dtype::f32, 2), (std::vector<float>{1, -3}));
  EXPECT_EQ(read_as<float>(file, "e5", Dtype::f32, 2), (std::vector<float>{1, -4}));
  EXPECT_EQ(read_as<bf16>(file, "e4", Dtype::bf16, 2)[1].bits, from_float<bf16>(-3).bits);
  EXPECT_EQ(file.dtype("d"), Dtype::f32);
  EXPECT_EQ(file.dtype("e4"), Dtype::f16);
}

TEST(Safetensors, data_at_an_odd_offset) {
  ScratchFolder folder;
  std::string header = R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  if (header.size() % 2 == 0) header += ' ';
  const std::vector<float> values = {1.5f, -3.25f};
  const std::string file = safetensors_bytes(header, 0) + std::string(reinterpret_cast<const char*>(values.data()), 8);
  SafetensorsFile source(folder.write("odd.safetensors", file));
  ASSERT_EQ(source.tensors()[0].begin % 2, 1);
  EXPECT_EQ(read_as<float>(source, "t", Dtype::f32, 2), values);
  EXPECT_EQ(read_as<bf16>(source, "t", Dtype::bf16, 2)[1].bits, from_float<bf16>(-3.25f).bits);
}

TEST(Safetensors, reading_errors) {
  ScratchFolder folder;
  const std::string path = folder.write("f.safetensors", safetensors_bytes(R"({"d":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},
      "i":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},"w":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})",
                                                                           16));
  const SafetensorsFile file(path);
  expect_error(ErrorKind::unsupported, {"f.safetensors", "\"d\"", "I64", "BF16"}, [&] { read_as<float>(file, "d", Dtype::f32, 1); });
  expect_error(ErrorKind::unsupported, {"\"i\"", "I32"}, [&] { read_as<float>(file, "i", Dtype::f32, 1); });
  expect_error(ErrorKind::unsupported, {"\"i\"", "I32", "Quantized"}, [&] { file.dtype("i"); });
  expect_error(ErrorKind::bad_model, {"f.safetensors", "\"x\""}, [&] { file.dims("x"); });
  expect_error(ErrorKind::internal, {"\"w\"", "from element 1"}, [&] {
    float value;
    file.read("w", Dtype::f32, std::as_writable_bytes(std::span(&value, 1)), 1);
  });
  expect_error(ErrorKind::internal, {"\"w\"", "8 bytes"}, [&] { read_as<float>(file, "w", Dtype::f32, 2); });
  EXPECT_FALSE(file.has("x"));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  expect_error(ErrorKind::bad_file, {"f.safetensors", "changed"}, [&] { read_as<float>(file, "w", Dtype::f32, 1); });
}

TEST(SafetensorsWriter, names_and_metadata_survive) {
  ScratchFolder folder;
  std::vector<std::string> names = {"z", "a.b", "", "\xe7\x96\xbe", "q\"\\\n"};
  std::vector<TensorInfo> tensors;
  for (const std::string& name : names) tensors.push_back({name, Dtype::f32, {1}});
  tensors.push_back({"scalar", Dtype::f32, {}});
  tensors.push_back({"nothing", Dtype::f32, {3, 0}});
  tensors.push_back({"ids", Dtype::i32, {2, 1}});
  SafetensorsWriter writer(folder / "f.safetensors", tensors);
  for (size_t i = 0; i < names.size(); ++i) writer.write(names[i], bytes_of({float(i)}));
  writer.write("scalar", bytes_of({-1}));
  writer.write("ids", bytes_of({1, 2}));
  writer.commit();
  SafetensorsFile file(folder / "f.safetensors");
  EXPECT_EQ(file.tensors().size(), names.size() + 3);
  EXPECT_EQ(file.names()[0], "z");
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(read_as<float>(file, names[i], Dtype::f32, 1)[0], float(i));
  EXPECT_EQ(file.dims("scalar"), std::vector<int64_t>{});
  EXPECT_EQ(file.dims("nothing"), (std::vector<int64_t>{3, 0}));
  EXPECT_EQ(read_as<float>(file, "nothing", Dtype::f32, 0).size(), 0u);
}

TEST(SafetensorsWriter, misuse_is_an_error_and_leaves_no_file) {
  ScratchFolder folder;
  const std::string path = folder / "f.safetensors";
  auto open = [&] { return std::make_unique<SafetensorsWriter>(path, std::vector<TensorInfo>{{"a", Dtype::f32, {2}}, {"b", Dtype::f32, {1}}}); };
  expect_error(ErrorKind::internal, {"\"c\"", "announced"}, [&] { open()->write("c", {}); });
  expect_error(ErrorKind::internal, {"\"a\"", "4 bytes", "8"}, [&] { open()->write("a", bytes_of({1})); });
  expect_error(ErrorKind::internal, {"\"b\"", "of its 4 bytes"}, [&] {
    auto writer = open();
    writer->write("a", bytes_of({1, 2}));
    writer->commit();
  });
  expect_error(ErrorKind::internal, {"\"a\"", "twice"}, [&] { SafetensorsWriter(path, {{"a", Dtype::f32, {2}}, {"a", Dtype::f32, {1}}}); });
  expect_error(ErrorKind::internal, {"__metadata__"}, [&] { SafetensorsWriter(path, {{"__metadata__", Dtype::f32, {2}}}); });
  EXPECT_TRUE(folder.entries().empty());
}

}  // namespace
}  // namespace hayate
