// The bounds of parity mean something: each of these mistakes, planted on purpose, breaks them where it was planted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <ostream>

#include "core/error.h"
#include "pipeline/parity.h"
#include "weights/prepared_weights.h"

namespace hayate::testing {
namespace {

// The same tensors with one of them changed.
class ChangedTensor : public TensorSource {
 public:
  using Change = std::function<void(std::vector<float>&, const std::vector<int64_t>& dims)>;
  ChangedTensor(std::shared_ptr<const TensorSource> source, std::string name, Change change)
      : source_(std::move(source)), name_(std::move(name)), change_(std::move(change)) {
    require(source_->has(name_), ErrorKind::internal, "no tensor {} to change", name_);
  }

  std::vector<std::string> names() const override { return source_->names(); }
  bool has(const std::string& name) const override { return source_->has(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return source_->dims(name); }
  Dtype dtype(const std::string& name) const override { return source_->dtype(name); }
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
    if (name != name_) return source_->read(name, as, out, first);
    require(as == Dtype::f32 && first == 0, ErrorKind::internal, "faults are planted in float32, in a whole tensor");
    source_->read(name, as, out);
    std::vector<float> values(out.size() / sizeof(float));
    std::memcpy(values.data(), out.data(), out.size());
    change_(values, dims(name));
    std::memcpy(out.data(), values.data(), out.size());
  }

 private:
  std::shared_ptr<const TensorSource> source_;
  std::string name_;
  Change change_;
};

struct Fault {
  const char* name;
  Part part;
  const char* shows_first;                               // the first value beyond its bound
  std::function<void(Program& out, Node& n)> edit = {};  // of each op as it is copied
  const char* tensor = nullptr;
  ChangedTensor::Change change = {};
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

// Edits the op of this name and no other.
auto at(std::string name, std::function<void(Program&, Node&)> edit) {
  return [=](Program& out, Node& n) {
    if (n.name == name) edit(out, n);
  };
}
auto eps(const char* name, float value) {
  return at(name, [=](Program&, Node& n) { std::get<NormAttr>(n.attr).eps = value; });
}
auto reads(const char* name, size_t input, const char* other) {
  return at(name, [=](Program& out, Node& n) { n.in[input] = out.find(other); });
}

void swap_first_two_heads(std::vector<float>& w, const std::vector<int64_t>& dims, int64_t heads) {
  long block = long(dims[0] / heads * dims[1]);
  std::swap_ranges(w.begin(), w.begin() + block, w.begin() + block);
}

const Part kUnet{"tiny-sdxl", "unet"}, kSsdUnet{"tiny-ssd1b", "unet"}, kSdUnet{"tiny-sd15", "unet"}, kDecoder{"tiny-sdxl", "vae decoder"},
    kEncoder{"tiny-sdxl", "vae encoder"}, kText{"tiny-sdxl", "text_encoder"}, kText2{"tiny-sdxl", "text_encoder_2"};

const std::vector<Fault> kFaults = {
    {.name = "dropped_gamma",
     .part = kUnet,
     .shows_first = "up_blocks.0.resnets.1.norm2",
     .tensor = "up_blocks.0.resnets.1.norm2.weight",
     .change = [](auto& w, auto&) { std::ranges::fill(w, 1.0f); }},
    {.name = "dropped_beta",
     .part = kText2,
     .shows_first = "text_model.encoder.layers.2.layer_norm2",
     .tensor = "text_model.encoder.layers.2.layer_norm2.bias",
     .change = [](auto& w, auto&) { std::ranges::fill(w, 0.0f); }},
    {.name = "dropped_bias",
     .part = kDecoder,
     .shows_first = "decoder.up_blocks.3.resnets.2.conv2",
     .tensor = "decoder.up_blocks.3.resnets.2.conv2.bias",
     .change = [](auto& w, auto&) { std::ranges::fill(w, 0.0f); }},
    {.name = "swapped_heads",
     .part = kUnet,
     .shows_first = "down_blocks.2.attentions.1.transformer_blocks.1.attn2.to_v",
     .tensor = "down_blocks.2.attentions.1.transformer_blocks.1.attn2.to_v.weight",
     .change = [](auto& w, auto& dims) { swap_first_two_heads(w, dims, 3); }},
    {.name = "heads_for_head_size",
     .part = kSdUnet,
     .shows_first = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.scores",
     .edit =
         at("down_blocks.1.attentions.0.transformer_blocks.0.attn1.scores", [](Program&, Node& n) { std::get<AttentionAttr>(n.attr).heads = 2; })},
    {.name = "eps_of_resnet", .part = kUnet, .shows_first = "down_blocks.0.resnets.0.norm1", .edit = eps("down_blocks.0.resnets.0.norm1", 1e-6f)},
    {.name = "eps_of_transformer",
     .part = kUnet,
     .shows_first = "down_blocks.1.attentions.0.norm",
     .edit = eps("down_blocks.1.attentions.0.norm", 1e-5f)},
    {.name = "eps_of_block",
     .part = kUnet,
     .shows_first = "down_blocks.1.attentions.0.transformer_blocks.0.norm1",
     .edit = eps("down_blocks.1.attentions.0.transformer_blocks.0.norm1", 1e-6f)},
    {.name = "eps_of_vae",
     .part = kDecoder,
     .shows_first = "decoder.mid_block.resnets.0.norm1",
     .edit = eps("decoder.mid_block.resnets.0.norm1", 1e-5f)},
    {.name = "eps_of_vae_attention",
     .part = kDecoder,
     .shows_first = "decoder.mid_block.attentions.0.group_norm",
     .edit = eps("decoder.mid_block.attentions.0.group_norm", 1e-5f)},
    {.name = "eps_of_clip",
     .part = kText,
     .shows_first = "text_model.encoder.layers.0.layer_norm1",
     .edit = eps("text_model.encoder.layers.0.layer_norm1", 1e-6f)},
    {.name = "wrong_skip",
     .part = kSsdUnet,
     .shows_first = "up_blocks.1.resnets.0.norm1",
     .edit = reads("up_blocks.1.cat.0", 1, "down_blocks.1.attentions.0")},
    {.name = "swapped_concat",
     .part = kUnet,
     .shows_first = "up_blocks.0.resnets.0.norm1",
     .edit = at("up_blocks.0.cat.0", [](Program&, Node& n) { std::swap(n.in[0], n.in[1]); })},
    {.name = "other_blocks_text_key",
     .part = kUnet,
     .shows_first = "mid_block.attentions.0.transformer_blocks.1.attn2.scores",
     .edit = reads("mid_block.attentions.0.transformer_blocks.1.attn2.scores", 1, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k")},
    {.name = "wrong_residual",
     .part = kUnet,
     .shows_first = "mid_block.attentions.0",
     .edit = at("mid_block.attentions.0", [](Program&, Node& n) { n.in[1] = n.in[0]; })},
    {.name = "dropped_time_embedding",
     .part = kSsdUnet,
     .shows_first = "up_blocks.2.resnets.2.norm2",
     .edit = at("up_blocks.2.resnets.2.norm2", [](Program& out, Node& n) { n.in[0] = out.find("up_blocks.2.resnets.2.conv1"); })},
    {.name = "sines_first",
     .part = kUnet,
     .shows_first = "time_proj",
     .edit = at("time_proj", [](Program&, Node& n) { std::get<TimestepAttr>(n.attr).flip_sin_to_cos = false; })},
    {.name = "frequency_shift",
     .part = kUnet,
     .shows_first = "add_time_proj",
     .edit = at("add_time_proj", [](Program&, Node& n) { std::get<TimestepAttr>(n.attr).freq_shift = 1; })},
    {.name = "gate_for_value",
     .part = kSdUnet,
     .shows_first = "mid_block.attentions.0.transformer_blocks.0.ff.net.0",
     .edit = at("mid_block.attentions.0.transformer_blocks.0.ff.net.0.gate", [](Program&, Node& n) { std::get<SliceAttr>(n.attr).begin = 0; })},
    {.name = "other_gelu",
     .part = kText,
     .shows_first = "text_model.encoder.layers.1.mlp.activation_fn",
     .edit = at("text_model.encoder.layers.1.mlp.activation_fn", [](Program&, Node& n) { n.op = Op::gelu; })},
    {.name = "no_causal_mask",
     .part = kText2,
     .shows_first = "text_model.encoder.layers.3.self_attn.scores",
     .edit = at("text_model.encoder.layers.3.self_attn.scores", [](Program&, Node& n) { std::get<AttentionAttr>(n.attr).causal = false; })},
    {.name = "attention_scale",
     .part = kEncoder,
     .shows_first = "encoder.mid_block.attentions.0.scores",
     .edit = at("encoder.mid_block.attentions.0.scores", [](Program&, Node& n) { std::get<AttentionAttr>(n.attr).scale *= 1.0001f; })},
    {.name = "symmetric_padding",
     .part = kEncoder,
     .shows_first = "encoder.down_blocks.0.downsamplers.0.conv",
     .edit = at("encoder.down_blocks.0.downsamplers.0.conv",
                [](Program&, Node& n) { std::get<ConvAttr>(n.attr).pad_begin = 1, std::get<ConvAttr>(n.attr).pad_end = 0; })},
    {.name = "scaling_factor",
     .part = kDecoder,
     .shows_first = "post_quant_conv",
     .edit = at("latents.unscaled", [](Program&, Node& n) { std::get<AffineAttr>(n.attr).scale = 1 / 0.13f; })},
};

class Faults : public ::testing::TestWithParam<Fault> {};

TEST_P(Faults, BreakTheBound) {
  const Fault& fault = GetParam();
  Golden golden = load_golden(fault.part);
  Program p = record(fault.part, golden);
  bool planted = fault.tensor;
  if (fault.edit)
    p = rewrite(p, [&](Program& out, Value, Node n) {
      Node before = n;
      fault.edit(out, n);
      planted |= n.attr != before.attr || n.in != before.in || n.op != before.op;
      return out.add(std::move(n));
    });
  ASSERT_TRUE(planted) << "nothing was changed";
  auto source = weights_of(fault.part);
  if (fault.tensor) source = std::make_shared<ChangedTensor>(source, fault.tensor, fault.change);
  EXPECT_EQ(first_beyond_bound(distances(run(p, make_cpu_backend(), source, golden), golden)), fault.shows_first);
}
INSTANTIATE_TEST_SUITE_P(Parity, Faults, ::testing::ValuesIn(kFaults), [](const auto& info) { return info.param.name; });

// A new prompt whose keys were not computed again: what a hoisted prompt section makes possible.
TEST(Parity, AStaleTextKeyBreaksTheBound) {
  Golden golden = load_golden(kUnet);
  auto backend = make_cpu_backend();
  PreparedWeights weights(backend, weights_of(kUnet), "golden");
  auto exec = backend->compile(record(kUnet, golden), weights, {.keep_all = true});
  std::vector<float> other_text = golden.inputs.at("encoder_hidden_states");
  std::ranges::reverse(other_text);
  write_inputs(*exec, golden, {{"encoder_hidden_states", other_text}});
  exec->run(Rate::prompt);
  write_inputs(*exec, golden);
  exec->run(Rate::step);
  EXPECT_THAT(first_beyond_bound(distances(read_values(*exec), golden)), ::testing::HasSubstr("attn2.to_k"));
  exec->run(Rate::prompt);
  exec->run(Rate::step);
  EXPECT_EQ(first_beyond_bound(distances(read_values(*exec), golden)), "");
}

}  // namespace
}  // namespace hayate::testing
