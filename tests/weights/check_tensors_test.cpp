// What is missing, mis-shaped or too much is listed.
#include "weights/check_tensors.h"

#include "core/expect_error.h"
#include "program/builder.h"
#include "weights/shape_source.h"

namespace hayate {
namespace {

Program linear(const std::string& name, int64_t out) {
  Program p;
  Builder b(p);
  b.linear(name, b.input("x", {1, 1, 4, 3}, Rate::step), out);
  return p;
}

const ShapeSource tensors({{"a.weight", {2, 3}}, {"a.bias", {2}}, {"b.weight", {2, 3, 1, 1}}, {"b.bias", {2}}});

TEST(CheckTensors, WhatFitsPasses) {
  check_tensors(tensors, {linear("a", 2), linear("b", 2)}, {}, "the unet");
  check_tensors(tensors, {linear("a", 2)}, {linear("b", 7)}, "the unet");  // shapes of what is allowed do not matter
}

TEST(CheckTensors, EverythingWrongIsListedOnce) {
  expect_error(ErrorKind::bad_model,
               {"the unet: 4 tensors", "a.weight is (2, 3), expected (5, 3)", "a.bias is (2), expected (5)", "missing.weight is missing",
                "missing.bias is missing", "The tensors look like something else: 4 tensors"},
               [] {
                 check_tensors(tensors, {linear("a", 5), linear("missing", 5)}, {linear("b", 2)}, "the unet");
               });
  expect_error(ErrorKind::bad_model, {"2 tensors", "\"b.weight\" is unknown", "\"b.bias\" is unknown"},
               [] { check_tensors(tensors, {linear("a", 2)}, {}, "the unet"); });
}

TEST(CheckTensors, TheListEnds) {
  Shapes many;
  for (int i = 0; i < 1000; ++i) many["lora_unet_" + std::to_string(i) + ".lora_up.weight"] = {1};
  expect_error(ErrorKind::bad_model, {"1002 tensors", "... and 982 more", "look like a LoRA"},
               [&] { check_tensors(ShapeSource(many), {linear("a", 2)}, {}, "the unet"); });
}

TEST(CheckTensors, FitsOnlyWhatHasTheSameOrder) {
  EXPECT_TRUE(fits({4, 3, 2, 1}, {4, 2, 1, 3}));
  EXPECT_FALSE(fits({4, 3, 2, 1}, {4, 3, 2, 1}));
  EXPECT_TRUE(fits({4, 3, 1, 1}, {1, 1, 4, 3}));
  EXPECT_FALSE(fits({3, 4}, {1, 1, 4, 3}));
  EXPECT_FALSE(fits({4, 3, 1}, {1, 1, 4, 3}));
  EXPECT_FALSE(fits({}, {1, 1, 1, 1}));
}

}  // namespace
}  // namespace hayate
