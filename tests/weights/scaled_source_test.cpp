// Weights with a scale each: the products, in every type and piece, and files that contradict themselves.
#include "weights/scaled_source.h"

#include <gmock/gmock.h>

#include <limits>

#include "core/expect_error.h"
#include "core/float8.h"
#include "core/scratch_folder.h"
#include "weights/mapped_source.h"
#include "weights/safetensors.h"
#include "weights/safetensors_writer.h"

namespace hayate {
namespace {

const std::vector<float> eights = {1, -3, 0.0625f, 448, -0.001953125f, 13};  // what e4m3 holds exactly

std::string float8_of(const std::vector<float>& values) {
  std::string bytes;
  for (float v : values) bytes += char(from_float<f8_e4m3>(v).bits);
  return bytes;
}

struct Stored {
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> dims = {};
  std::string bytes;
};
Stored number(float v) { return {.bytes = std::string(reinterpret_cast<const char*>(&v), sizeof v)}; }
Stored matrix() { return {Dtype::f8, {2, 3}, float8_of(eights)}; }

std::shared_ptr<const TensorSource> open(const ScratchFolder& folder, const std::map<std::string, Stored>& tensors) {
  std::vector<TensorInfo> infos;
  for (const auto& [name, t] : tensors) infos.push_back({name, t.dtype, t.dims});
  std::filesystem::remove(folder / "f.safetensors");
  SafetensorsWriter writer(folder / "f.safetensors", infos);
  for (const auto& [name, t] : tensors) writer.write(name, std::as_bytes(std::span(t.bytes)));
  writer.commit();
  return with_scales(std::make_shared<SafetensorsFile>(folder / "f.safetensors"), folder / "f.safetensors");
}

std::vector<float> read(const TensorSource& source, const std::string& name) {
  std::vector<float> values(size_t(element_count(source.dims(name))));
  source.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
  return values;
}

TEST(ScaledSource, MultipliesTheWeightOfBothNames) {
  ScratchFolder folder;
  const auto source = open(folder, {{"a.weight", matrix()},
                                    {"a.scale_weight", number(0.3f)},
                                    {"a.scale_input", number(7)},
                                    {"scaled_fp8", {Dtype::f8, {0}, ""}},
                                    {"b.weight", matrix()},
                                    {"b.weight_scale", number(-2)},
                                    {"b.input_scale", number(7)},
                                    {"b.bias", number(5)},
                                    {"model.scaled_fp8", {Dtype::f8, {2}, float8_of({1, 1})}},
                                    {"b.comfy_quant", {Dtype::i8, {2}, "{}"}}});
  EXPECT_THAT(source->names(), ::testing::UnorderedElementsAre("a.weight", "b.weight", "b.bias"));
  for (const char* gone : {"a.scale_weight", "a.scale_input", "scaled_fp8", "b.comfy_quant", "c"}) EXPECT_FALSE(source->has(gone)) << gone;
  EXPECT_TRUE(source->has("a.weight"));
  std::vector<float> of_a, of_b;
  for (float v : eights) of_a.push_back(v * 0.3f), of_b.push_back(v * -2);
  EXPECT_EQ(read(*source, "a.weight"), of_a);
  EXPECT_EQ(read(*source, "b.weight"), of_b);
  EXPECT_EQ(read(*source, "b.bias"), std::vector<float>{5});
  bf16 two[2];
  source->read("a.weight", Dtype::bf16, std::as_writable_bytes(std::span(two)), 1);  // rounded once, from the product
  EXPECT_EQ(two[0].bits, from_float<bf16>(of_a[1]).bits);
  EXPECT_EQ(two[1].bits, from_float<bf16>(of_a[2]).bits);
}

TEST(ScaledSource, TellsTypes) {
  ScratchFolder folder;
  const auto source = open(folder, {{"a.weight", matrix()}, {"a.scale_weight", number(3)}, {"b.weight", matrix()}, {"b.bias", number(1)}});
  EXPECT_EQ(source->stored_as("a.weight"), "f8_e4m3 scaled");
  EXPECT_EQ(source->stored_as("b.weight"), "f8_e4m3");
  EXPECT_EQ(source->stored_as("b.bias"), "f32");
  EXPECT_EQ(source->dtype("a.weight"), Dtype::f32);  // which has bits enough for the product
  EXPECT_EQ(source->dtype("b.weight"), Dtype::f16);
}

TEST(ScaledSource, AFileWithoutScalesIsItself) {
  ScratchFolder folder;
  EXPECT_NE(dynamic_cast<const SafetensorsFile*>(open(folder, {{"a.weight", matrix()}}).get()), nullptr);
}

TEST(ScaledSource, WhatContradictsItselfIsRefused) {
  ScratchFolder folder;
  expect_error(ErrorKind::bad_model, {"f.safetensors", "\"a.scale_weight\"", "\"a.weight\"", "missing"}, [&] {
    open(folder, {{"a.scale_weight", number(1)}});
  });
  expect_error(ErrorKind::bad_model, {"f.safetensors", "\"a.weight\"", "not the only one"}, [&] {
    open(folder, {{"a.weight", matrix()}, {"a.scale_weight", number(1)}, {"a.weight_scale", number(1)}});
  });
  expect_error(ErrorKind::unsupported, {"f.safetensors", "\"a.weight_scale\"", "(2, 1)", "one number"}, [&] {
    open(folder, {{"a.weight", matrix()}, {"a.weight_scale", {Dtype::f32, {2, 1}, std::string(8, 'x')}}});
  });
  expect_error(ErrorKind::unsupported, {"\"a.weight_scale\"", "(0)"}, [&] {
    open(folder, {{"a.weight", matrix()}, {"a.weight_scale", {Dtype::f32, {0}, ""}}});
  });
  expect_error(ErrorKind::unsupported, {"f.safetensors", "\"a.weight_scale\"", "I8"}, [&] {
    open(folder, {{"a.weight", matrix()}, {"a.weight_scale", {Dtype::i8, {}, "x"}}});
  });
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()})
    expect_error(ErrorKind::not_finite, {"f.safetensors", "\"a.scale_weight\"", "finite"}, [&] {
      open(folder, {{"a.weight", matrix()}, {"a.scale_weight", number(bad)}});
    });
  // Weights that are integers stay refused.
  const auto integers = open(folder, {{"a.weight", {Dtype::i8, {2}, "xy"}}, {"a.weight_scale", number(1)}});
  expect_error(ErrorKind::unsupported, {"\"a.weight\"", "I8"}, [&] { integers->dtype("a.weight"); });
}

}  // namespace
}  // namespace hayate
