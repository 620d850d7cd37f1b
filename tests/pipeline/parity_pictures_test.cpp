// Whole requests: pictures equal diffusers' float32 pictures, and bfloat16 rungs are no further from them than diffusers'
// own bfloat16 is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/file_reader.h"
#include "core/json.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "pipeline/parity.h"
#include "support/random_weights.h"
#include "weights/safetensors.h"

namespace hayate::testing {
namespace {

const Json& manifest() {
  static const Json cases = read_json_file(kParityFolder + "manifest.json").at("cases");
  return cases;
}
const Json& find_case(const std::string& name) {
  return *std::ranges::find_if(manifest(), [&](const Json& c) { return c.at("name") == name; });
}

MicroConditioning micro_of(const Json& m) {
  return {.original_size = m.at("original_size"), .crop_top_left = m.at("crop_top_left"), .target_size = m.at("target_size")};
}

// A tensor of the case's file.
template <class T>
std::vector<T> stored(const Json& c, const std::string& name) {
  SafetensorsFile file(kParityFolder + c.at("name").get<std::string>() + ".safetensors");
  for (const StoredTensor& t : file.tensors()) {
    if (t.name != name) continue;
    std::vector<T> values(size_t(t.end - t.begin) / sizeof(T));
    FileReader(file.path()).read(t.begin, std::as_writable_bytes(std::span(values)));
    return values;
  }
  fail(ErrorKind::internal, "{}: no tensor {}", file.path(), name);
}

Request request_of(const Json& c) {
  Request r;
  if (c.contains("strength")) {
    r.strength = c.at("strength");
    const std::vector<int> size = c.value("init_size", std::vector<int>{c.at("width"), c.at("height")});
    r.init_image = Image{.width = size[0], .height = size[1], .rgb = stored<uint8_t>(c, "init")};
    if (c.contains("mask")) r.mask = Image{.width = size[0], .height = size[1], .rgb = stored<uint8_t>(c, "mask")};
    if (c.contains("mask_area")) r.mask_area = c.at("mask_area").get<int>();
  }
  r.width = c.at("width");
  r.height = c.at("height");
  r.steps = c.at("steps");
  r.clip_skip = c.at("clip_skip");
  r.handover = c.value("handover", r.handover);
  if (c.contains("guidance_end")) r.guidance_interval = {0, c.at("guidance_end")};
  if (c.contains("hires")) {
    const Json& h = c.at("hires");
    const std::map<std::string, Upscaler> upscalers = {
        {"latent", Upscaler::latent}, {"latent-bicubic", Upscaler::latent_bicubic}, {"latent-nearest", Upscaler::latent_nearest}, {"lanczos", Upscaler::lanczos}};
    r.hires = {.scale = h.at("scale"), .upscaler = upscalers.at(h.at("upscaler")), .strength = h.at("strength"), .steps = h.at("steps")};
  }
  const std::string seamless = c.value("seamless", "");
  r.seamless_x = seamless == "x" || seamless == "both", r.seamless_y = seamless == "y" || seamless == "both";
  if (c.contains("deepcache")) {
    const Json& d = c.at("deepcache");
    r.deepcache = {.interval = d.at("interval"), .branch = d.at("branch")};
    if (d.contains("center")) r.deepcache.center = d.at("center").get<int>(), r.deepcache.power = d.at("power");
  }
  for (const Json& p : c.at("pictures")) {
    Picture picture;
    picture.prompt = p.at("prompt");
    picture.seed = p.at("seed");
    picture.guidance = p.at("guidance");
    picture.guidance_rescale = p.at("guidance_rescale");
    picture.aesthetic_score = p.value("aesthetic_score", picture.aesthetic_score);
    picture.negative_aesthetic_score = p.value("negative_aesthetic_score", picture.negative_aesthetic_score);
    picture.negative_prompt = p.value("negative_prompt", "");
    if (p.contains("prompt_2")) picture.prompt_2 = p.at("prompt_2").get<std::string>();
    if (p.contains("negative_prompt_2")) picture.negative_prompt_2 = p.at("negative_prompt_2").get<std::string>();
    if (p.contains("micro")) picture.micro = micro_of(p.at("micro"));
    if (p.contains("negative_micro")) picture.negative_micro = micro_of(p.at("negative_micro"));
    r.pictures.push_back(std::move(picture));
  }
  return r;
}

// The case's model, with another scheduler_config.json where the case asks for one.
class CaseModel {
 public:
  explicit CaseModel(const Json& c, Json scheduler_changes = Json::object()) {
    namespace fs = std::filesystem;
    fs::path model = kParityFolder + c.at("model").get<std::string>();
    for (const auto& entry : fs::directory_iterator(model))
      if (entry.path().filename() != "scheduler") fs::create_symlink(entry.path(), folder_ / entry.path().filename());
    Json config = read_json_file(model / "scheduler/scheduler_config.json");
    config.update(c.at("scheduler_config"));
    config.update(scheduler_changes);
    folder_.write("scheduler/scheduler_config.json", config.dump());
  }
  std::string path() const { return folder_ / ""; }

 private:
  ScratchFolder folder_;
};

std::vector<std::string> embeddings_of(const Json& c) {
  std::vector<std::string> paths;
  for (const std::string& name : c.value("embeddings", std::vector<std::string>{})) paths.push_back(kParityFolder + "embeddings/" + name + ".safetensors");
  return paths;
}

struct Expected {
  std::vector<float> latents;
  std::vector<uint8_t> pictures;
};
Expected expected_of(const Json& c) { return {stored<float>(c, "latents"), stored<uint8_t>(c, "pictures")}; }

struct Compared {
  double latents;   // relative L2
  int largest = 0;  // of 255
  double rms = 0;   // of 255
};
Compared compare(const Result& r, const Expected& e) {
  Compared c{.latents = relative_l2(r.latents, e.latents)};
  size_t at = 0;
  for (const Image& image : r.images)
    for (uint8_t v : image.rgb) {
      int difference = at < e.pictures.size() ? std::abs(int(v) - int(e.pictures[at])) : 255;
      c.largest = std::max(c.largest, difference);
      c.rms += double(difference) * difference;
      ++at;
    }
  c.rms = at == e.pictures.size() ? std::sqrt(c.rms / double(at)) : INFINITY;
  return c;
}

Compared run_case(const Json& c, const std::string& device, const std::string& rung, const Json& scheduler_changes = Json::object()) {
  CaseModel model(c, scheduler_changes);
  auto path = [&](const char* key) { return c.contains(key) ? kParityFolder + c.at(key).get<std::string>() : ""; };
  return compare(Pipeline({.model = model.path(), .refiner = path("refiner"), .unet = path("unet"), .embeddings = embeddings_of(c), .device = device, .rung = rung}).generate(request_of(c)), expected_of(c));
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Json& c : manifest()) all.push_back(c.at("name"));
  return all;
}

class Pictures : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Parity, Pictures, ::testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(Pictures, EqualDiffusersInFloat32) {
  const Json& c = find_case(GetParam());
  std::vector<std::string> devices = fast_devices();
  devices.push_back("reference");
  for (const std::string& device : devices) {
    if (device == "reference" && c.at("steps") > 8) continue;  // slow
    Compared found = run_case(c, device, "fp32");
    RecordProperty(device, fmt::format("{:.1e}", found.latents));
    EXPECT_LE(found.largest, 1) << device;
    EXPECT_LE(found.latents, 1e-4) << device;  // after all steps: the end of the longest chain
  }
}

// Each case is one draw of rounding errors, so the bound is on all of them together.
TEST(Parity, Bfloat16PicturesAreNoFurtherThanDiffusers) {
  for (const std::string& device : fast_devices())
    for (const char* rung : {"bf16", "attention", "compile", "projections"}) {
      double ours_latents = 0, theirs_latents = 0, ours_pictures = 0, theirs_pictures = 0;
      for (const Json& c : manifest()) {
        Compared found = run_case(c, device, rung);
        double their_latents = c.at("diffusers_bf16").at("latents_relative_l2"), their_rms = c.at("diffusers_bf16").at("pictures_rms");
        ours_latents += found.latents, theirs_latents += their_latents;
        ours_pictures += found.rms, theirs_pictures += their_rms;
        RecordProperty(fmt::format("{} {} {}", device, rung, c.at("name").get<std::string>()),
                       fmt::format("{:.2f} {:.2f}", found.latents / their_latents, found.rms / their_rms));
      }
      RecordProperty(device + " " + rung,
                     fmt::format("latents {:.2f}, pictures {:.2f}", ours_latents / theirs_latents, ours_pictures / theirs_pictures));
      EXPECT_LE(ours_latents, 1.2 * theirs_latents) << device << " " << rung;
      EXPECT_LE(ours_pictures, 1.2 * theirs_pictures) << device << " " << rung;
    }
}

// Mistakes of the pipeline, planted: each must be too far from diffusers.
TEST(Parity, AWrongSchedulerOffsetBreaksTheBound) {
  Compared found = run_case(find_case("xl"), "cpu", "fp32", {{"steps_offset", 0}});
  EXPECT_GT(found.latents, 1e-3);
  EXPECT_GT(found.largest, 1);
}

TEST(Parity, WrongConditioningBreaksTheBound) {
  const Json& c = find_case("xl-micro");
  CaseModel model(c);
  Expected e = expected_of(c);
  Pipeline pipeline({.model = model.path(), .rung = "fp32"});
  auto error_after = [&](auto change) {
    Request r = request_of(c);
    change(r.pictures[0]);
    return compare(pipeline.generate(r), e).latents;
  };
  EXPECT_LE(error_after([](Picture&) {}), 1e-4);
  EXPECT_GT(error_after([](Picture& p) { std::swap(p.micro.original_size[0], p.micro.original_size[1]); }), 1e-3);
  EXPECT_GT(error_after([](Picture& p) { std::swap(p.micro.crop_top_left[0], p.micro.crop_top_left[1]); }), 1e-3);
  EXPECT_GT(error_after([](Picture& p) { p.negative_micro.reset(); }), 1e-3);
  EXPECT_GT(error_after([](Picture& p) { p.negative_prompt = " "; }), 1e-3);  // encoded, where "" is zeros
  EXPECT_GT(error_after([](Picture& p) { p.prompt_2 = ""; }), 1e-3);
}

}  // namespace
}  // namespace hayate::testing
