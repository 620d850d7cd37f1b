// LoRAs that change on a loaded pipeline, by call and by prompt: the same pictures as when they are there from the start, and no trace after.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/expect_error.h"
#include "core/scratch_folder.h"
#include "hayate/hayate.h"
#include "models/denoise_step.h"
#include "passes/ladder.h"

#include "weights/lora_checkpoint.h"
#include "weights/prepared_weights.h"

namespace hayate::testing {
namespace {

const std::string data = HAYATE_SOURCE_DIR "/tests/data/", tiny = data + "parity/tiny-sdxl", lora_folder = data + "lora";
const std::string kohya = data + "lora/kohya.safetensors", dora = data + "lora/dora.safetensors", lokr = data + "lora/lokr.safetensors";

// Of 8 bits in all layers: which of them gain is a measurement, and another one in each pipeline.
Options options(const std::string& rung) { return {.model = tiny, .lora_folder = lora_folder, .rung = rung, .quantize_layers = "all"}; }
Request request(const std::string& prompt = "a red fox", int width = 48) {
  return {.pictures = {{.prompt = prompt, .seed = 3, .guidance = 4}}, .width = width, .height = 64, .steps = 2, .prompt_syntax = PromptSyntax::a1111};
}
std::vector<float> fresh(const std::string& rung, std::vector<Lora> loras, const Request& r) {
  Options o = options(rung);
  o.loras = std::move(loras);
  return Pipeline(o).generate(r).latents;
}

class LoraSwapOn : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(LoraSwap, LoraSwapOn, ::testing::Values("projections", "int8"), [](const auto& rung) { return rung.param; });

TEST_P(LoraSwapOn, DrawsAsIfTheyHadBeenThereAndLeavesNoTrace) {
  const std::string rung = GetParam();
  Pipeline pipeline(options(rung));
  const std::vector<float> plain = pipeline.generate(request()).latents, wide = pipeline.generate(request("a red fox", 72)).latents;
  for (const std::vector<Lora>& loras : {std::vector<Lora>{{kohya, 0.7f}}, {{dora}, {kohya, 0.3f, 0.0f}}, {{kohya, 0.3f}, {dora}}}) {
    const LoraChange change = pipeline.set_loras(loras);
    EXPECT_GE(change.tensors, 10);
    EXPECT_GT(change.prepared, 1000);
    const Result result = pipeline.generate(request());
    EXPECT_EQ(result.latents, fresh(rung, loras, request()));
    EXPECT_NE(result.latents, plain);
    EXPECT_NE(pipeline.generate(request("a red fox", 72)).latents, wide);
    EXPECT_THAT(result.infotext[0], ::testing::HasSubstr("kohya:0."));
  }
  EXPECT_EQ(pipeline.set_loras({{kohya, 0.3f}, {dora}}).tensors, 0);  // which it has
  EXPECT_GE(pipeline.set_loras({}).tensors, 10);
  EXPECT_EQ(pipeline.generate(request()).latents, plain);
  EXPECT_EQ(pipeline.generate(request("a red fox", 72)).latents, wide);
}

TEST(LoraSwap, AFileThatCannotBeUsedChangesNothing) {
  ScratchFolder folder;
  Pipeline pipeline(options("bf16"));
  pipeline.set_loras({{kohya, 0.7f}});
  const std::vector<float> before = pipeline.generate(request()).latents;
  const auto same = [&] { EXPECT_EQ(pipeline.generate(request()).latents, before); };
  std::string bytes = slurp(kohya);
  expect_error(ErrorKind::not_found, {"nowhere"}, [&] { pipeline.set_loras({{folder / "nowhere.safetensors"}}); });
  same();
  expect_error(ErrorKind::bad_file, {"short.safetensors"}, [&] { pipeline.set_loras({{dora}, {folder.write("short.safetensors", bytes.substr(0, 5000))}}); });
  same();
  std::memset(bytes.data() + bytes.size() - 64, 0xff, 64);  // NaN, which is only found while weights are prepared
  expect_error(ErrorKind::not_finite, {"nan.safetensors"}, [&] { pipeline.set_loras({{dora}, {folder.write("nan.safetensors", bytes)}}); });
  same();
}

TEST(LoraSwap, PromptsNameThem) {
  Pipeline pipeline(options("projections"));
  const std::vector<float> plain = pipeline.generate(request()).latents;
  EXPECT_EQ(pipeline.generate(request("a red fox<lora:kohya:0.7>")).latents, fresh("projections", {{kohya, 0.7f}}, request()));
  EXPECT_EQ(pipeline.generate(request("<lora:lokr:0:0.5>a red fox")).latents, fresh("projections", {{lokr, 0.5f, 0.0f}}, request()));
  pipeline.set_loras({{dora}});
  EXPECT_EQ(pipeline.generate(request("a red fox<lora:kohya:0.7>")).latents, fresh("projections", {{dora}, {kohya, 0.7f}}, request()));
  EXPECT_EQ(pipeline.generate(request()).latents, fresh("projections", {{dora}}, request()));
  pipeline.set_loras({});
  EXPECT_EQ(pipeline.generate(request()).latents, plain);
  expect_error(ErrorKind::not_found, {"\"nobody\"", lora_folder.c_str(), "kohya"}, [&] { pipeline.generate(request("<lora:nobody>")); });
  expect_error(ErrorKind::not_found, {"../lora/kohya", "not in the folder"}, [&] { pipeline.generate(request("<lora:../lora/kohya>")); });
  expect_error(ErrorKind::usage, {"different LoRAs"}, [&] {
    Request two = request();
    two.pictures.push_back({.prompt = "<lora:kohya>"});
    pipeline.generate(two);
  });
  EXPECT_EQ(pipeline.generate(request()).latents, plain);

  ScratchFolder folder;
  std::filesystem::create_directories(folder / "a/b");
  for (const char* name : {"a/x.safetensors", "a/b/x.safetensors", "a/y.safetensors"}) std::filesystem::copy(kohya, folder / name);
  Options other = options("projections");
  other.lora_folder = folder / "";
  Pipeline nested(other);
  EXPECT_EQ(nested.generate(request("a red fox<lora:y:0.7>")).latents, fresh("projections", {{kohya, 0.7f}}, request()));
  expect_error(ErrorKind::usage, {"\"x\"", "more than once", "a/b/x.safetensors"}, [&] { nested.generate(request("<lora:x>")); });
  other.lora_folder = "";
  expect_error(ErrorKind::usage, {"\"y\"", "no folder"}, [&] { Pipeline(other).generate(request("<lora:y>")); });
}

// What a device adds up is what read() does, for every kind of load value that is made of it.
TEST(LoraSwap, ProductsAddedOnADeviceAreThoseOfTheHost) {
  const LoraCheckpoint with(open_checkpoint(tiny, ""), {{kohya, 0.7f, 0.7f}, {data + "lora/peft.safetensors", 0.5f, 0.5f}}, {});
  const std::shared_ptr<const TensorSource> source = with.tensors("unet");
  int split = 0, several = 0;
  for (const std::shared_ptr<Backend>& backend : {make_reference_backend(), make_cpu_backend()})
    for (const std::string& name : source->names()) {
      if (!source->added_rank(name).value_or(0)) continue;
      SCOPED_TRACE(name);
      ++split, several += source->split(name).rank > 4;
      const std::vector<int64_t> dims = source->dims(name);
      Program p;
      const Value w = p.add({.op = Op::weight, .shape = {1, 1, dims[0], dims[1]}, .dtype = Dtype::f32, .rate = Rate::load, .name = name});
      p.outputs = {w};
      PreparedWeights weights(backend, source, "unet");
      const Buffer made = weights.get(p, w);
      std::vector<float> expected(size_t(dims[0] * dims[1]));
      source->read(name, Dtype::f32, std::as_writable_bytes(std::span(expected)));
      EXPECT_THAT(std::span(reinterpret_cast<const float*>(made.get()), expected.size()), ::testing::Pointwise(::testing::FloatNear(1e-6f), expected));
    }
  EXPECT_GE(split, 16);
  EXPECT_GE(several, 4);
}

// What stands beside a product is looked at as it is without one.
TEST(LoraSwap, AVectorBesideAProductIsLookedAt) {
  struct NotFinite : TensorSource {
    std::shared_ptr<const TensorSource> base;
    std::string vector;
    std::vector<std::string> names() const override { return base->names(); }
    bool has(const std::string& name) const override { return base->has(name); }
    std::vector<int64_t> dims(const std::string& name) const override { return base->dims(name); }
    Dtype dtype(const std::string& name) const override { return base->dtype(name); }
    std::optional<int64_t> added_rank(const std::string& name) const override { return base->added_rank(name); }
    SplitTensor split(const std::string& name) const override { return base->split(name); }
    void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
      base->read(name, as, out, first);
      if (name == vector) std::ranges::fill(std::span(reinterpret_cast<float*>(out.data()), out.size() / sizeof(float)), NAN);
    }
  };
  const LoraCheckpoint with(open_checkpoint(tiny, ""), {{kohya, 0.7f, 0.7f}}, {});
  auto source = std::make_shared<NotFinite>();
  source->base = with.tensors("unet");
  const std::string block = "down_blocks.1.attentions.0.transformer_blocks.0.", weight = block + "attn1.to_q.weight";
  source->vector = block + "norm1.weight";
  ASSERT_GT(source->added_rank(weight).value_or(0), 0);
  const std::vector<int64_t> dims = source->dims(weight);
  Program p;
  const Value w = p.add({.op = Op::weight, .shape = {1, 1, dims[0], dims[1]}, .dtype = Dtype::f32, .rate = Rate::load, .name = weight});
  const Value gamma = p.add({.op = Op::weight, .shape = {1, 1, 1, dims[1]}, .dtype = Dtype::f32, .rate = Rate::load, .name = source->vector});
  p.outputs = {p.add({.op = Op::scale_columns, .in = {w, gamma}, .dtype = Dtype::f32, .rate = Rate::load, .name = "scaled"})};
  PreparedWeights weights(make_reference_backend(), source, "unet");
  expect_error(ErrorKind::not_finite, {"norm1.weight"}, [&] { weights.get(p, p.outputs[0]); });
}

// Prepared values of a UNet, at the addresses that they have.
struct Snapshot {
  const std::byte* at;
  std::vector<std::byte> bytes;
  bool operator==(const Snapshot&) const = default;
};
std::map<std::string, Snapshot> snapshot(Backend& backend, PreparedWeights& weights, const Program& p) {
  std::map<std::string, Snapshot> all;
  for (Value v : needed_load_values(p)) {
    const Buffer b = weights.get(p, v);
    Snapshot& taken = all[p[v].name] = {b.get(), std::vector<std::byte>(size_t(b.bytes))};
    backend.download(taken.bytes, b);
  }
  return all;
}
int differing(const std::map<std::string, Snapshot>& a, const std::map<std::string, Snapshot>& b) {
  int count = 0;
  for (const auto& [name, taken] : a) {
    count += taken.bytes != b.at(name).bytes;
    EXPECT_EQ(taken.at, b.at(name).at) << name;
  }
  return count;
}

std::vector<std::shared_ptr<Backend>> backends() {
  std::vector<std::shared_ptr<Backend>> all = {make_reference_backend(), make_cpu_backend()};
  CudaOptions options;
  options.deterministic = true;
  if (std::string why; !cuda_devices(why).empty()) all.push_back(make_cuda_backend(options));
  return all;
}
Program denoise_step(const Backend& backend, const std::string& rung) {
  const UNetConfig config = parse_unet_config(open_checkpoint(tiny, "")->config("unet"));
  return climb(record_denoise_step(config, {.pictures = 1, .h = 8, .w = 8, .guided = true, .tokens = 77, .pooled_width = 20}), find_rung(rung), backend,
               {.quantization = {.layers = Quantization::Layers::all}});
}

// Every prepared value, byte by byte, is what it would be if the LoRAs had been there from the start; wherever originals are kept.
TEST(LoraSwap, PreparedWeightsAreBitIdentical) {
  const std::shared_ptr<const Checkpoint> base = open_checkpoint(tiny, "");
  const LoraCheckpoint plain(base, {}, {}), one(base, {{kohya, 0.7f, 0.7f}}, {}), both(base, {{kohya, 0.7f, 0.7f}, {dora, 1, 1}}, {}),
      other(base, {{data + "lora/peft.safetensors", 0.5f, 0.5f}}, {});
  EXPECT_EQ(one.changed(plain, "unet"), plain.changed(one, "unet"));
  constexpr int64_t plenty = 1 << 30;
  for (const std::shared_ptr<Backend>& backend : backends())
    for (const RungInfo& info : rungs(backend->name())) {
      const Program p = denoise_step(*backend, info.name);
      std::map<const LoraCheckpoint*, std::map<std::string, Snapshot>> loaded;
      for (const LoraCheckpoint* model : {&one, &both, &other, &plain}) {
        PreparedWeights fresh(backend, model->tensors("unet"), "unet");
        fresh.prepare(p);
        loaded[model] = snapshot(*backend, fresh, p);
      }
      for (const Originals::Room& room : std::vector<Originals::Room>{{}, {.device = plenty}, {.host = plenty}}) {
        SCOPED_TRACE(fmt::format("{} {}, room {} {}", backend->name(), info.name, room.device, room.host));
        PreparedWeights weights(backend, plain.tensors("unet"), "unet");
        weights.prepare(p);
        const auto before = snapshot(*backend, weights, p);
        const int64_t held = weights.bytes();
        const LoraCheckpoint* now = &plain;
        int64_t read = 0;
        for (const LoraCheckpoint* next : {&one, &both, &plain, &one, &other, &one, &plain}) {
          read = weights.change(next->tensors("unet"), next->changed(*now, "unet"), room).read;
          now = next;
          const auto taken = snapshot(*backend, weights, p);
          for (const auto& [name, value] : taken) EXPECT_EQ(value.bytes, loaded.at(next).at(name).bytes) << name;
          const int differ = differing(taken, before);
          EXPECT_EQ(differ == 0, next == &plain);
          EXPECT_EQ(weights.bytes(), held);
        }
        const Originals::Bytes kept = weights.originals().bytes();
        EXPECT_EQ(kept.device > 0, room.device > 0);
        EXPECT_EQ(kept.host > 0, room.host > 0);
        EXPECT_EQ(read, 0);  // what the host reads where nothing is kept is not counted
      }
    }
}

// A tensor of which two values are made is brought to the device once, and then not again.
TEST(LoraSwap, OriginalsAreReadOnce) {
  const std::shared_ptr<const Checkpoint> base = open_checkpoint(tiny, "");
  const LoraCheckpoint plain(base, {}, {}), one(base, {{kohya, 0.7f, 0.7f}}, {}), other(base, {{kohya, 0.2f, 0.2f}}, {});
  const std::shared_ptr<Backend> backend = make_reference_backend();
  const Program p = denoise_step(*backend, "projections");  // with norms folded into linears
  int64_t tensors = 0, vectors = 0;
  for (const std::string& name : one.changed(plain, "unet")) {
    const std::vector<int64_t> dims = base->tensors("unet")->dims(name);
    if (one.tensors("unet")->added_rank(name).value_or(0) > 0) tensors += dims[0] * dims[1] * 4, vectors += (2 * dims[1] + dims[0]) * 4;
  }
  PreparedWeights weights(backend, plain.tensors("unet"), "unet");
  weights.prepare(p);
  const Originals::Room room{.device = 1 << 30};
  const PreparedWeights::Changed first = weights.change(one.tensors("unet"), one.changed(plain, "unet"), room);
  EXPECT_GE(first.read, tensors);
  EXPECT_LE(first.read, tensors + vectors);
  EXPECT_EQ(weights.originals().bytes().device, first.read);
  EXPECT_EQ(weights.change(other.tensors("unet"), other.changed(one, "unet"), room).read, 0);
  EXPECT_EQ(weights.originals().bytes().device, first.read);
  weights.release();
  EXPECT_EQ(weights.originals().bytes().device, 0);
  EXPECT_EQ(backend->memory().used(), 0);
}

TEST(LoraSwap, LoadingWithLorasTakesWhatIsForecast) {
  const LoraCheckpoint with(open_checkpoint(tiny, ""), {{kohya, 0.7f, 0.7f}}, {});
  const std::shared_ptr<Backend> backend = make_reference_backend();
  const Program p = denoise_step(*backend, "projections");
  PreparedWeights weights(backend, with.tensors("unet"), "unet");
  std::unordered_set<std::string> counted;
  const PreparedWeights::Need need = weights.need(p, counted);
  backend->memory().start_peak();
  weights.prepare(p);
  EXPECT_EQ(weights.bytes(), need.bytes);
  EXPECT_LE(backend->memory().peak(), need.bytes + need.loading);
  EXPECT_GT(backend->memory().peak(), need.bytes);
}

// A sum that 16 bits do not hold is an error that names the tensor, and not a black picture.
TEST(LoraSwap, ASumThatOverflowsIsNamed) {
  const LoraCheckpoint with(open_checkpoint(tiny, ""), {{kohya, 1e7f, 0}}, {});
  const std::string name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight";
  const std::vector<int64_t> dims = with.tensors("unet")->dims(name);
  for (const std::shared_ptr<Backend>& backend : backends()) {
    if (!backend->has_f16() && backend->name() != std::string("reference")) continue;
    SCOPED_TRACE(backend->name());
    Program p;
    const Value w = p.add({.op = Op::weight, .shape = {1, 1, dims[0], dims[1]}, .dtype = Dtype::f16, .name = name});
    PreparedWeights weights(backend, with.tensors("unet"), "the unet");
    expect_error(ErrorKind::not_finite, {"the unet", name.c_str(), "f16"}, [&] { weights.get(p, w); });
    EXPECT_EQ(weights.bytes(), 0);
  }
}

}  // namespace
}  // namespace hayate::testing
