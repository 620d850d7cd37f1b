// The public Pipeline on a tiny random SDXL: what a caller may rely on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/scratch_folder.h"
#include "backend/backend.h"
#include "hayate/hayate.h"

namespace hayate {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::string kModel = HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl";

Request request(std::vector<Picture> pictures, int steps = 3) {
  Request r;
  r.pictures = std::move(pictures);
  r.width = 48;
  r.height = 64;
  r.steps = steps;
  return r;
}
Picture picture(const std::string& prompt, uint64_t seed) {
  Picture p;
  p.prompt = prompt;
  p.seed = seed;
  return p;
}

Pipeline& shared_pipeline() {
  static Pipeline pipeline({.model = kModel});
  return pipeline;
}

int largest_difference(const Image& a, const Image& b) {
  if (a.rgb.size() != b.rgb.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(int(a.rgb[i]) - int(b.rgb[i])));
  return largest;
}

double mean_difference(const Image& a, const Image& b) {
  if (a.rgb.size() != b.rgb.size()) return 256;
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int(a.rgb[i]) - int(b.rgb[i]));
  return sum / double(a.rgb.size());
}

TEST(Pipeline, PictureHasTheAskedSizeAndSettings) {
  Result r = shared_pipeline().generate(request({picture("a castle", 7)}));
  ASSERT_EQ(r.images.size(), 1u);
  EXPECT_EQ(r.images[0].width, 48);
  EXPECT_EQ(r.images[0].height, 64);
  EXPECT_EQ(r.images[0].rgb.size(), 48u * 64 * 3);
  EXPECT_EQ(r.latents.size(), 6u * 8 * 4);
  EXPECT_THAT(r.infotext[0], HasSubstr("a castle\nSteps: 3, Sampler: Euler, CFG scale: 5, Seed: 7, Size: 48x64"));
}

TEST(Pipeline, SameRequestSameBytesAlsoAfterOthers) {
  Pipeline& p = shared_pipeline();
  Result first = p.generate(request({picture("a castle", 7)}));
  p.generate(request({picture("a boat", 8), picture("a tree", 9)}));
  Result again = p.generate(request({picture("a castle", 7)}));
  EXPECT_EQ(first.images[0].rgb, again.images[0].rgb);
}

// The same algorithms for every request, and no sum whose order depends on who else is there.
TEST(Pipeline, OnAGpuBytesDependNeitherOnEarlierRequestsNorOnThePlaceInABatch) {
  if (std::string why; cuda_devices(why).empty()) GTEST_SKIP() << "no NVIDIA GPU: " << why;
  Pipeline p({.model = std::string(HAYATE_SOURCE_DIR) + "/models/builtin", .device = "cuda"});
  const Picture castle = picture("a castle on a hill at night", 7), boat = picture("a sailboat at sea", 8);
  auto both = [&](const Picture& first, const Picture& second) {
    Request r = request({first, second}, 8);
    r.width = r.height = 256;
    return p.generate(r);
  };
  const Result one = both(castle, boat), other = both(boat, castle);
  EXPECT_EQ(one.images[0].rgb, other.images[1].rgb);
  EXPECT_EQ(one.images[1].rgb, other.images[0].rgb);
  p.generate(request({castle}));
  EXPECT_EQ(both(castle, boat).images[0].rgb, one.images[0].rgb);
}

TEST(Pipeline, SeedAndPromptMatter) {
  Pipeline& p = shared_pipeline();
  Result a = p.generate(request({picture("a castle", 7)}));
  EXPECT_GT(largest_difference(a.images[0], p.generate(request({picture("a castle", 8)})).images[0]), 5);
  EXPECT_GT(largest_difference(a.images[0], p.generate(request({picture("a boat at night", 7)})).images[0]), 2);
}

// In float32: products of another batch size may be summed in another order, and random weights blow up bf16's rounding of that.
TEST(Pipeline, APictureDoesNotDependOnItsNeighbours) {
  Pipeline p({.model = kModel, .rung = "fp32"});
  Picture one = picture("a castle", 7), two = picture("a boat", 8);
  two.guidance = 3;
  two.guidance_rescale = 0.7f;
  two.negative_prompt = "fog";
  Result both = p.generate(request({one, two}));
  EXPECT_LE(largest_difference(both.images[0], p.generate(request({one})).images[0]), 1);
  EXPECT_LE(largest_difference(both.images[1], p.generate(request({two})).images[0]), 1);
}

TEST(Pipeline, RungsAndDevicesAgree) {
  Result fp32 = Pipeline({.model = kModel, .device = "reference", .rung = "fp32"}).generate(request({picture("a castle", 7)}));
  Result cpu = Pipeline({.model = kModel, .rung = "fp32"}).generate(request({picture("a castle", 7)}));
  EXPECT_LE(largest_difference(fp32.images[0], cpu.images[0]), 1);
  for (const RungInfo& rung : rungs("cpu")) {
    Result r = Pipeline({.model = kModel, .rung = rung.name}).generate(request({picture("a castle", 7)}));
    EXPECT_LE(mean_difference(fp32.images[0], r.images[0]), rung.name == "fp32" ? 0.1 : 6) << rung.name;
  }
}

TEST(Pipeline, GivenLatentsReplaceTheNoise) {
  Pipeline& p = shared_pipeline();
  Request drawn = request({picture("a castle", 7)}), given = drawn;
  given.latents.assign(6 * 8 * 4, 0.25f);
  Result r = p.generate(given);
  EXPECT_GT(largest_difference(p.generate(drawn).images[0], r.images[0]), 5);
  given.pictures[0].seed = 1234;
  EXPECT_EQ(p.generate(given).images[0].rgb, r.images[0].rgb);
}

TEST(Pipeline, NoisePerPictureOrShared) {
  Pipeline& p = shared_pipeline();
  Request r = request({picture("a castle", 7), picture("a castle", 7)});
  Result own = p.generate(r);
  EXPECT_LE(largest_difference(own.images[0], own.images[1]), 1);
  r.shared_noise = true;
  Result shared = p.generate(r);
  EXPECT_LE(largest_difference(shared.images[0], own.images[0]), 1);   // the first picture's numbers come first
  EXPECT_GT(largest_difference(shared.images[0], shared.images[1]), 5);
  for (Noise kind : {Noise::torch_cpu_fp16, Noise::torch_cpu_bf16, Noise::torch_cuda}) {
    r.noise = kind;
    EXPECT_EQ(p.generate(r).images.size(), 2u);
  }
  EXPECT_GT(largest_difference(p.generate(r).images[0], shared.images[0]), 5);
}

TEST(Pipeline, ProgressAndCancelling) {
  Request r = request({picture("a castle", 7)}, 4);
  std::vector<int> steps;
  r.on_step = [&](const Progress& progress) {
    EXPECT_EQ(progress.steps, 4);
    EXPECT_EQ(progress.latent.size(), 6u * 8 * 4);
    steps.push_back(progress.step);
    return progress.step < 2;
  };
  try {
    shared_pipeline().generate(r);
    FAIL() << "not cancelled";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::cancelled);
  }
  EXPECT_THAT(steps, ::testing::ElementsAre(1, 2));
}

TEST(Pipeline, DecodingIsReportedAndCanBeCancelled) {
  Request r = request({picture("a castle", 7), picture("a lake", 8)}, 1);
  std::vector<std::pair<int, int>> reports;
  r.on_decode = [&](int done, int all) {
    reports.push_back({done, all});
    return true;
  };
  shared_pipeline().generate(r);
  EXPECT_THAT(reports, ::testing::ElementsAre(std::pair(1, 2), std::pair(2, 2)));

  r.width = 512, r.height = 192;  // a tile has 256 x 256 pixels at most
  reports.clear();
  Pipeline tiled({.model = kModel, .vae_tiling = VaeTiling::on});
  const Result whole = tiled.generate(r);
  ASSERT_GT(reports.size(), 10u);
  for (size_t i = 0; i < reports.size(); ++i) EXPECT_EQ(reports[i], std::pair(int(i) + 1, int(reports.size())));

  r.on_decode = [](int done, int) { return done < 3; };
  try {
    tiled.generate(r);
    FAIL() << "not cancelled";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::cancelled);
  }
  r.on_decode = {};
  const Result again = tiled.generate(r);
  EXPECT_EQ(again.images[1].rgb, whole.images[1].rgb);
  EXPECT_GT(whole.timings.load, 0);
  EXPECT_EQ(again.timings.load, 0);  // every program of the decoder is still there
}

TEST(Pipeline, VaeTilingAndADumpDoNotGoTogether) {
  Request r = request({picture("a castle", 7)}, 1);
  r.dump_pattern = "*", r.dump_file = "never-written.safetensors";
  try {
    Pipeline({.model = kModel, .vae_tiling = VaeTiling::on}).generate(r);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
  }
}

TEST(Pipeline, DumpsAreNamedAndComparable) {
  ScratchFolder folder;
  Request r = request({picture("a castle", 7)}, 2);
  r.dump_pattern = "*conv_out";
  auto dump = [&](const std::string& rung) {
    r.dump_file = folder / (rung + ".safetensors");
    Pipeline({.model = kModel, .rung = rung}).generate(r);
    return r.dump_file;
  };
  std::string fp32 = dump("fp32"), bf16 = dump("bf16");
  std::vector<Difference> same = compare_dumps(fp32, fp32), differ = compare_dumps(bf16, fp32);
  std::vector<std::string> names;
  for (const Difference& d : same) {
    names.push_back(d.name);
    EXPECT_EQ(d.relative_l2, 0) << d.name;
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("unet/step1/conv_out", "unet/step2/conv_out", "vae/picture1/decoder.conv_out"));
  for (const Difference& d : differ) {
    EXPECT_GT(d.relative_l2, 1e-5) << d.name;
    EXPECT_LT(d.relative_l2, 0.1) << d.name;
  }
  r.dump_pattern = "no such value";
  EXPECT_THAT([&] { dump("fp32"); }, ThrowsMessage<Error>(HasSubstr("no such value")));
}

TEST(Pipeline, ADumpTellsPromptAndNegativePromptApart) {
  ScratchFolder folder;
  Request r = request({picture("a castle", 7)}, 1);
  r.pictures[0].negative_prompt = "fog";
  r.dump_pattern = "*embeddings";
  r.dump_file = folder / "dump.safetensors";
  shared_pipeline().generate(r);
  std::vector<std::string> names;
  for (const Difference& d : compare_dumps(r.dump_file, r.dump_file)) names.push_back(d.name);
  EXPECT_THAT(names, Contains("text_encoder/negative/text_model.embeddings"));
  EXPECT_THAT(names, Contains("text_encoder_2/prompt/text_model.embeddings"));
}

TEST(Pipeline, ProgramsArePrintedAfterEachPass) {
  ScratchFolder folder;
  Pipeline({.model = kModel, .rung = "attention", .print_program = folder / ""}).generate(request({picture("a castle", 7)}, 1));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "unet")) files.push_back(entry.path().filename());
  EXPECT_THAT(files, Contains("00-record.txt"));
  EXPECT_THAT(files, Contains("02-fuse_attention.txt"));
  std::ifstream text(folder / "unet/02-fuse_attention.txt");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(text), {}), HasSubstr("attention bf16"));
}

TEST(Pipeline, GuidanceOfOneRunsNoUnconditionalHalf) {
  ScratchFolder folder;
  Picture p = picture("a castle", 7);
  p.guidance = 1;
  Pipeline({.model = kModel, .print_program = folder / ""}).generate(request({p}, 1));
  std::ifstream text(folder / "unet/00-record.txt");
  std::string program(std::istreambuf_iterator<char>(text), {});
  EXPECT_THAT(program, HasSubstr("conv_in"));
  EXPECT_THAT(program, ::testing::Not(HasSubstr("= guidance")));
}

TEST(Pipeline, ALongPromptIsCutWithAWarning) {
  std::vector<std::string> warnings;
  Options o{.model = kModel};
  o.warn = [&](const std::string& w) { warnings.push_back(w); };
  std::string prompt;
  for (int i = 0; i < 60; ++i) prompt += "castle ";
  Pipeline(o).generate(request({picture(prompt + prompt + "the very end", 7)}, 1));
  ASSERT_FALSE(warnings.empty());
  EXPECT_THAT(warnings[0], HasSubstr("the very end"));
}

TEST(Pipeline, FloorOfAStepIsTheSlowerCeilingOfEachOp) {
  Pipeline p({.model = kModel, .rung = "compile"});
  const Request r = request({picture("a castle", 7)}, 1);
  const double flops = p.generate(r).work.step_flops, none = std::numeric_limits<double>::infinity();
  const double computing = p.step_floor(r, {.flops = 1e9, .bytes = none}), moving = p.step_floor(r, {.flops = none, .bytes = 1e9});
  EXPECT_NEAR(computing, flops / 1e9, 1e-9 * computing);
  EXPECT_GT(moving, 0);
  const double both = p.step_floor(r, {.flops = 1e9, .bytes = 1e9});
  EXPECT_GT(both, std::max(computing, moving));  // of some ops the one, of others the other
  EXPECT_LT(both, computing + moving);
}

struct Bad { const char* expected; std::function<void(Request&)> change; };
class BadRequest : public ::testing::TestWithParam<Bad> {};
TEST_P(BadRequest, IsAnErrorThatNamesIt) {
  Request r = request({picture("a castle", 7)});
  GetParam().change(r);
  EXPECT_THAT([&] { shared_pipeline().generate(r); }, ThrowsMessage<Error>(HasSubstr(GetParam().expected)));
}
INSTANTIATE_TEST_SUITE_P(
    Requests, BadRequest,
    ::testing::Values(Bad{"0 pictures", [](Request& r) { r.pictures.clear(); }}, Bad{"width is 47", [](Request& r) { r.width = 47; }},
                      Bad{"height is -8", [](Request& r) { r.height = -8; }}, Bad{"width is 1000000", [](Request& r) { r.width = 1000000; }},
                      Bad{"steps is 0", [](Request& r) { r.steps = 0; }}, Bad{"steps", [](Request& r) { r.steps = 1001; }},
                      Bad{"guidance is nan", [](Request& r) { r.pictures[0].guidance = NAN; }},
                      Bad{"guidance is -1", [](Request& r) { r.pictures[0].guidance = -1; }},
                      Bad{"guidance_rescale is 2", [](Request& r) { r.pictures[0].guidance_rescale = 2; }},
                      Bad{"clip_skip is -1", [](Request& r) { r.clip_skip = -1; }}, Bad{"clip_skip", [](Request& r) { r.clip_skip = 99; }},
                      Bad{"nosuch", [](Request& r) { r.scheduler = "nosuch"; }}, Bad{"sideways", [](Request& r) { r.spacing = "sideways"; }},
                      Bad{"latents hold 5", [](Request& r) { r.latents.assign(5, 0.0f); }},
                      Bad{"not finite", [](Request& r) { r.latents.assign(6 * 8 * 4, INFINITY); }}));

TEST(Pipeline, BadOptionsAreErrorsThatNameThem) {
  EXPECT_THAT([] { Pipeline({.model = "/nonexistent"}); }, ThrowsMessage<Error>(HasSubstr("/nonexistent")));
  EXPECT_THAT([] { Pipeline({.model = kModel, .device = "abacus"}); }, ThrowsMessage<Error>(HasSubstr("abacus")));
  EXPECT_THAT([] { Pipeline({.model = kModel, .rung = "fp99"}); }, ThrowsMessage<Error>(HasSubstr("fp99")));
}

// SDXL makes zeros of the first picture's negative prompt, which is empty.
TEST(Pipeline, EncodedPromptsDrawWhatTheTextDraws) {
  Request text = request({picture("a castle on a hill", 7), picture("two boats", 8)});
  text.pictures[1].negative_prompt = "night";
  const std::vector<EncodedPrompt> prompts = shared_pipeline().encode_prompts(text);
  ASSERT_EQ(prompts.size(), 2u);
  const std::vector<float> expected = shared_pipeline().generate(text).latents;
  Request encoded;
  for (size_t i = 0; i < 2; ++i) {
    encoded = text;
    encoded.pictures[i].prompt = encoded.pictures[i].negative_prompt = "";
    encoded.pictures[i].prompt_embeds = prompts[i].prompt;
    encoded.pictures[i].negative_prompt_embeds = prompts[i].negative;
    EXPECT_EQ(shared_pipeline().generate(encoded).latents, expected) << "picture " << i;
  }
  encoded.pictures[1].prompt_embeds->hidden[5] += 1;
  EXPECT_NE(shared_pipeline().generate(encoded).latents, expected);
}

TEST(Pipeline, RefusesPromptEmbeddingsThatTheModelCannotRead) {
  Request r = request({picture("a castle", 7), picture("a boat BREAK by night", 8)});
  r.pictures[0].prompt_embeds = shared_pipeline().encode_prompts(r)[0].prompt;
  auto refused = [&](auto spoil, const char* why) {
    Request bad = r;
    spoil(bad, *bad.pictures[0].prompt_embeds);
    EXPECT_THAT([&] { shared_pipeline().generate(bad); }, ThrowsMessage<Error>(HasSubstr(why)));
  };
  refused([](Request&, PromptEmbeds& e) { e.hidden.pop_back(); }, "numbers");
  refused([](Request&, PromptEmbeds& e) { e.pooled.clear(); }, "pooled 0");
  refused([](Request&, PromptEmbeds& e) { e.tokens = 0; }, "0 tokens");
  refused([](Request&, PromptEmbeds& e) { e.tokens = 77 << 20; }, "up to");
  refused([](Request&, PromptEmbeds& e) { e.pooled[0] = std::numeric_limits<float>::quiet_NaN(); }, "not finite");
  refused([](Request& b, PromptEmbeds&) { b.prompt_syntax = PromptSyntax::a1111; }, "cannot be made longer");
}

}  // namespace
}  // namespace hayate
