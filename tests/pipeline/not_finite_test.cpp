// Weights that are not finite, and finite ones that make values which are not: each is named, and no picture comes out.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "weights/safetensors.h"
#include "weights/safetensors_writer.h"

namespace hayate {
namespace {

// A copy of tiny-sdxl in which one tensor has other values; its component is stored as float32.
class FaultyModel {
 public:
  using Change = std::function<void(std::vector<float>&)>;
  FaultyModel(const std::string& component, const std::string& tensor, const Change& change) {
    namespace fs = std::filesystem;
    fs::copy(HAYATE_SOURCE_DIR "/tests/data/parity/tiny-sdxl", path(), fs::copy_options::recursive);
    std::string weights;
    for (const auto& entry : fs::directory_iterator(path() + "/" + component))
      if (entry.path().extension() == ".safetensors") weights = entry.path();
    rewrite(weights, tensor, change);
  }
  std::string path() const { return folder_ / "model"; }

 private:
  static void rewrite(const std::string& path, const std::string& tensor, const Change& change) {
    const SafetensorsFile file(path);
    std::vector<TensorInfo> infos;
    for (const StoredTensor& t : file.tensors()) infos.push_back({t.name, Dtype::f32, t.dims});
    SafetensorsWriter writer(path, infos);
    bool found = false;
    for (const StoredTensor& t : file.tensors()) {
      std::vector<float> values(size_t((t.end - t.begin) * 8 / t.type->bits));
      file.read(t.name, Dtype::f32, std::as_writable_bytes(std::span(values)));
      if (t.name.ends_with(tensor)) change(values), found = true;
      writer.write(t.name, std::as_bytes(std::span(values)));
    }
    ASSERT_TRUE(found) << tensor << " in " << path;
    writer.commit();
  }

  ScratchFolder folder_;
};

Request small() {
  Request r;
  r.pictures = {{.prompt = "a castle", .seed = 7}};
  r.width = 48, r.height = 64;
  r.steps = 2;
  return r;
}

struct Place { const char *component, *tensor; };
constexpr Place places[] = {{"unet", "mid_block.attentions.0.proj_in.weight"},
                            {"unet", "down_blocks.0.resnets.0.norm1.bias"},
                            {"vae", "decoder.up_blocks.1.resnets.0.conv1.weight"},
                            {"text_encoder", "encoder.layers.1.mlp.fc1.bias"},
                            {"text_encoder_2", "encoder.layers.0.self_attn.q_proj.weight"}};

TEST(NotFinite, WeightsAreNamed) {
  for (float value : {NAN, HUGE_VALF})
    for (const Place& place : places) {
      FaultyModel model(place.component, place.tensor, [value](std::vector<float>& t) { t.back() = value; });
      expect_error(ErrorKind::not_finite, {place.component, place.tensor}, [&] { Pipeline({.model = model.path()}).generate(small()); });
    }
}

TEST(NotFinite, APictureInTilesIsNamed) {
  FaultyModel model("vae", "decoder.up_blocks.2.resnets.0.conv1.weight", [](std::vector<float>& t) {
    for (float& x : t) x = std::copysign(3e38f, x);
  });
  Request large = small();
  large.width = 512, large.height = 192;
  large.steps = 1;
  for (const char* rung : {"fp32", "projections"}) {
    std::vector<std::string> warnings;
    Options options{.model = model.path(), .rung = rung, .vae_tiling = VaeTiling::on, .warn = [&](const std::string& w) { warnings.push_back(w); }};
    expect_error(ErrorKind::not_finite, {"picture 1"}, [&] { Pipeline(options).generate(large); });
    EXPECT_EQ(warnings.size(), rung == std::string("fp32") ? 0 : 1);  // decoded again in float32
  }
}

TEST(NotFinite, TheFirstValueIsNamed) {
  struct Overflow { const char *component, *tensor, *value, *what; };
  for (const Overflow& o : {Overflow{"unet", "mid_block.resnets.0.conv1.weight", "mid_block.resnets.0.", "the latent after step 1 of 2"},
                            Overflow{"vae", "decoder.mid_block.resnets.0.conv1.weight", "decoder.mid_block.resnets.0.", "picture 1"},
                            Overflow{"text_encoder_2", "encoder.layers.0.mlp.fc2.weight", "encoder.layers.0", "text_encoder_2"}}) {
    FaultyModel model(o.component, o.tensor, [](std::vector<float>& t) {
      for (float& x : t) x = std::copysign(3e38f, x);
    });
    for (const char* rung : {"fp32", "projections"})
      expect_error(ErrorKind::not_finite, {o.what, "the first such value is", o.value},
                   [&] { Pipeline({.model = model.path(), .rung = rung}).generate(small()); });
  }
}

}  // namespace
}  // namespace hayate
