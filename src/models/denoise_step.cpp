// Everything around the UNet is float32, whatever the rung.
#include "models/denoise_step.h"

#include "program/cut_at.h"

namespace hayate {

namespace {
class DenoiseStep {
 public:
  DenoiseStep(const UNetConfig& cfg, const DenoiseShape& s) : cfg_(cfg), s_(s), b_(p_) { b_.wrap(s.wrap); }

  Program record() {
    const int64_t n = s_.pictures, c = cfg_.out_channels;
    state_ = b_.input("state", {n, s_.h, s_.w, c * (1 + s_.saved)}, Rate::step);
    row_ = b_.input("row", {n, 1, 1, RowLayout::width(s_)}, Rate::step);
    x_ = s_.saved ? b_.slice("latent", state_, 0, c) : state_;
    if (s_.part == StepPart::rest) {
      finish(b_.input("predictions", {2 * n, s_.h, s_.w, c}, Rate::step));
      p_.ends_step = true;
      return std::move(p_);
    }
    const Value prediction = predict();
    if (s_.part == StepPart::whole) {
      finish(prediction);
    } else {
      p_.outputs = {prediction};
      p_.carries = {{prediction, b_.input("prediction", b_.shape(prediction), Rate::step)}};  // in float32
    }
    if (s_.branch < 0) return std::move(p_);
    const Value deep = p_[p_.find(skip_name(cfg_, s_.branch))].in[0], cached = b_.input("cached", p_[deep].shape, Rate::step);
    p_.carries.push_back({deep, cached});
    return s_.shallow ? cut_at(std::move(p_), deep, cached) : std::move(p_);
  }

 private:
  Value column(const char* name, int64_t at, int64_t width = 1) { return b_.slice(name, row_, at, width); }

  Value predict() {
    const int64_t n = s_.pictures, c = cfg_.out_channels;
    const bool both = s_.guided && s_.part == StepPart::whole;
    auto told = [&](const std::string& name, int64_t h, int64_t w, int64_t columns) {
      return b_.input(s_.part == StepPart::half ? half_input(name) : name, {both ? 2 * n : n, h, w, columns}, Rate::prompt);
    };
    UNetInputs in{};
    in.encoder_hidden_states = told("encoder_hidden_states", 1, s_.tokens, cfg_.cross_attention_dim);
    if (cfg_.text_time) {
      in.text_embeds = told("text_embeds", 1, 1, s_.pooled_width);
      in.time_ids = told("time_ids", 1, 1, time_id_count(cfg_, s_.pooled_width));
    }
    in.sample = b_.mul("sample.one", x_, column("row.input_scale", RowLayout::input_scale));
    if (cfg_.reads_mask()) in.sample = b_.concat("sample.masked", in.sample, b_.input("masked", {n, s_.h, s_.w, 1 + c}, Rate::prompt));
    in.timestep = column("row.timestep", RowLayout::timestep);
    if (cfg_.guidance_embed_dim) in.guidance = column("row.guidance_embed", RowLayout::guidance);
    if (both) {
      in.sample = b_.repeat("sample", in.sample, 2);
      in.timestep = b_.repeat("timestep", in.timestep, 2);
    }
    return record_unet(b_, cfg_, in);
  }

  Value combine(Value halves) {
    const Value rescale = column("row.rescale", RowLayout::rescale);
    const Value prediction = b_.guidance("guidance", halves, column("row.guidance", RowLayout::guidance), rescale);
    if (!s_.mimics) return prediction;
    const int64_t at = RowLayout::mimic(s_);
    const Value other = b_.guidance("guidance.mimicked", halves, column("row.mimic", at), rescale);
    return b_.mimic("guidance.thresholded", prediction, other, x_, column("row.clean", at + 1, 2));
  }

  Value blend(Value next) {
    auto input = [&](const char* name) { return b_.input(name, b_.shape(state_), Rate::prompt); };
    const int64_t signal = RowLayout::kept(s_.saved);
    const Value kept = b_.add("kept.noised", b_.mul("kept.signal", input("kept"), column("row.kept_signal", signal)),
                              b_.mul("kept.noise", input("kept_noise"), column("row.kept_noise", signal + 1)));
    return b_.add("next_state.blended", b_.mul("next_state.drawn", next, input("mask")), kept);
  }

  void finish(Value prediction) {
    const Value noise = b_.input("noise", {s_.pictures, s_.h, s_.w, cfg_.out_channels}, Rate::step);
    if (s_.guided) prediction = combine(prediction);
    const Value matrix = column("row.matrix", RowLayout::matrix, RowLayout::matrix_size(s_.saved));
    Value next = b_.scheduler_row("next_state", state_, prediction, noise, matrix);
    if (s_.blends) next = blend(next);
    p_.outputs = {next};
    p_.carries = {{next, state_}};
  }

  const UNetConfig& cfg_;
  const DenoiseShape& s_;
  Program p_;
  Builder b_;
  Value state_ = none, row_ = none, x_ = none;
};
}  // namespace

Program record_denoise_step(const UNetConfig& config, const DenoiseShape& shape) { return DenoiseStep(config, shape).record(); }

}  // namespace hayate
