// Everything around the UNet is float32, whatever the rung.
#include "models/denoise_step.h"

#include "program/cut_at.h"

namespace hayate {

Program record_denoise_step(const UNetConfig& cfg, const DenoiseShape& s) {
  int64_t n = s.pictures, c = cfg.out_channels, halves = s.guided ? 2 : 1;
  Program p;
  Builder b(p);
  b.wrap(s.wrap);
  Value state = b.input("state", {n, s.h, s.w, c * (1 + s.saved)}, Rate::step);
  Value row = b.input("row", {n, 1, 1, RowLayout::width(s)}, Rate::step);
  Value noise = b.input("noise", {n, s.h, s.w, c}, Rate::step);
  auto column = [&](const char* name, int64_t at, int64_t width = 1) { return b.slice(name, row, at, width); };

  UNetInputs in{};
  in.encoder_hidden_states = b.input("encoder_hidden_states", {n * halves, 1, s.tokens, cfg.cross_attention_dim}, Rate::prompt);
  if (cfg.text_time) {
    in.text_embeds = b.input("text_embeds", {n * halves, 1, 1, s.pooled_width}, Rate::prompt);
    in.time_ids = b.input("time_ids", {n * halves, 1, 1, time_id_count(cfg, s.pooled_width)}, Rate::prompt);
  }
  Value x = s.saved ? b.slice("latent", state, 0, c) : state;
  in.sample = b.mul("sample.one", x, column("row.input_scale", RowLayout::input_scale));
  if (cfg.reads_mask()) in.sample = b.concat("sample.masked", in.sample, b.input("masked", {n, s.h, s.w, 1 + c}, Rate::prompt));
  in.timestep = column("row.timestep", RowLayout::timestep);
  if (cfg.guidance_embed_dim) in.guidance = column("row.guidance_embed", RowLayout::guidance);
  if (s.guided) {
    in.sample = b.repeat("sample", in.sample, 2);
    in.timestep = b.repeat("timestep", in.timestep, 2);
  }
  Value prediction = record_unet(b, cfg, in);
  if (s.guided) {
    const Value halves = prediction, rescale = column("row.rescale", RowLayout::rescale);
    prediction = b.guidance("guidance", halves, column("row.guidance", RowLayout::guidance), rescale);
    if (s.mimics) {
      const int64_t at = RowLayout::mimic(s);
      const Value other = b.guidance("guidance.mimicked", halves, column("row.mimic", at), rescale);
      prediction = b.mimic("guidance.thresholded", prediction, other, x, column("row.clean", at + 1, 2));
    }
  }
  Value matrix = column("row.matrix", RowLayout::matrix, RowLayout::matrix_size(s.saved));
  Value next = b.scheduler_row("next_state", state, prediction, noise, matrix);
  if (s.blends) {
    auto input = [&](const char* name) { return b.input(name, b.shape(state), Rate::prompt); };
    const int64_t signal = RowLayout::kept(s.saved);
    const Value kept = b.add("kept.noised", b.mul("kept.signal", input("kept"), column("row.kept_signal", signal)),
                             b.mul("kept.noise", input("kept_noise"), column("row.kept_noise", signal + 1)));
    next = b.add("next_state.blended", b.mul("next_state.drawn", next, input("mask")), kept);
  }
  p.outputs = {next};
  p.carries = {{next, state}};
  if (s.branch < 0) return p;
  const Value deep = p[p.find(skip_name(cfg, s.branch))].in[0], cached = b.input("cached", p[deep].shape, Rate::step);
  p.carries.push_back({deep, cached});
  return s.shallow ? cut_at(std::move(p), deep, cached) : p;
}

}  // namespace hayate
