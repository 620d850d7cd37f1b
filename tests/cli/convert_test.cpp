// hayate convert, and naming a model.
#include <gtest/gtest.h>

#include "cli/run_program.h"
#include "core/scratch_folder.h"

namespace hayate {
namespace {

const std::string tiny = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sd15";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Convert, ThereAndBack) {
  ScratchFolder scratch;
  Outcome o = run_program({"convert", tiny, scratch / "one.safetensors", "--dtype", "bf16"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(o.out, scratch / "one.safetensors" + "\n");
  std::filesystem::create_symlink(tiny + "/tokenizer", scratch / "tokenizer");
  o = run_program({"convert", scratch / "one.safetensors", scratch / "folder", "--vae", tiny + "/vae"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(slurp(scratch / "folder/vae/diffusion_pytorch_model.safetensors").size(),
            slurp(tiny + "/vae/diffusion_pytorch_model.safetensors").size());
  o = run_program({"generate", "a fox", "-m", scratch / "folder", "--steps", "1", "-W", "16", "-H", "16", "-o", scratch / "fox.png"});
  EXPECT_EQ(o.status, 0) << o.err;
}

TEST(Convert, OnlyATerminalSeesHowFarItIs) {
  ScratchFolder scratch;
  EXPECT_EQ(run_program({"convert", tiny, scratch / "piped"}).err, "");
  const auto o = run_on_terminal({"convert", tiny, "folder"}, scratch / "");
  if (!o) GTEST_SKIP() << "no pseudoterminal to be had";
  EXPECT_EQ(o->status, 0);
  EXPECT_TRUE(contains(o->out, "\r\x1b[Kwriting: ") && o->out.ends_with("\r\x1b[Kfolder\r\n")) << o->out;
  const size_t last = o->out.rfind("writing: ");
  const std::string end = o->out.substr(last + 9, o->out.find('\r', last) - last - 9);
  EXPECT_EQ(end.substr(0, end.find(" of ")), end.substr(end.find(" of ") + 4));
}

TEST(Convert, WhatIsWrongIsNamed) {
  ScratchFolder scratch;
  scratch.write("there", "");
  Outcome o = run_program({"convert", tiny, scratch / "there"});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "there: exists already")) << o.err;
  o = run_program({"convert", tiny, scratch / "new", "--dtype", "int8"});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "--dtype: expected one of f16, bf16, f32")) << o.err;
  o = run_program({"convert", tiny});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "OUTPUT")) << o.err;
  o = run_program({"generate", "x", "-m", "some-org/some-name"});
  EXPECT_NE(o.status, 0);
  EXPECT_TRUE(contains(o.err, "hf download some-org/some-name")) << o.err;
}

}  // namespace
}  // namespace hayate
