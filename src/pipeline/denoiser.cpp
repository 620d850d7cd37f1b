// What is written before the loop, the loop, and what is read from it.
#include "pipeline/denoiser.h"

#include <algorithm>
#include <cmath>
#include <future>

#include "core/error.h"
#include "models/denoise_step.h"
#include "pipeline/device_numbers.h"
#include "pipeline/not_finite.h"
#include "pipeline/read_floats.h"
#include "pipeline/split_guidance.h"
#include "program/work.h"

namespace hayate {

namespace {
template <class T>
std::span<const std::byte> as_bytes(const std::vector<T>& v) {
  return std::as_bytes(std::span(v));
}

// Of the prompts, the unconditional half first, what pictures bring as arrays: in the places that `host` has for them, all on the device. Nothing where none does.
Buffer with_brought(Backend& device, const Job& job, const std::vector<float>& host, DeviceArray PromptEmbeds::* part, int64_t width) {
  const size_t pictures = job.request.pictures.size(), rows = pictures * (job.guided ? 2 : 1);
  Buffer all;
  for (size_t row = 0; row < rows; ++row) {
    const Picture& picture = job.request.pictures[row % pictures];
    const auto& embeds = row + pictures < rows ? picture.negative_prompt_embeds : picture.prompt_embeds;
    if (!embeds || !((*embeds).*part)) continue;
    const auto bytes = std::as_bytes(std::span(host));
    if (!all) all = device.fill(int64_t(bytes.size()), [&](std::span<std::byte> to) { std::ranges::copy(bytes, to.begin()); });
    take_into(device, all.part(int64_t(row) * all.bytes / int64_t(rows), all.bytes / int64_t(rows)), width, (*embeds).*part, 1, "prompt embeddings");
  }
  return all;
}

// What the programs of each kind of step are told, of what was conditioned for both halves or one.
void write_conditioning(Executable& exec, const Job& job, const Conditioning& c, bool text_time, Backend& device) {
  const Buffer hidden = with_brought(device, job, c.hidden, &PromptEmbeds::device_hidden, c.width);
  const Buffer pooled = with_brought(device, job, c.pooled, &PromptEmbeds::device_pooled, c.pooled_width);
  for (const StepKind& kind : job.plan.kinds) {
    if (kind.shallow) continue;  // whose inputs are those of a whole step
    const bool whole = kind.guided == job.guided;
    auto write = [&](const char* input, const std::vector<float>& values, const Buffer& there) {
      const std::span<const float> all(values);
      if (there) exec.write(input, whole ? there : there.part(there.bytes / 2, there.bytes / 2));
      else exec.write(input, std::as_bytes(whole ? all : all.last(all.size() / 2)));
    };
    write("encoder_hidden_states", c.hidden, hidden);
    if (!text_time) continue;
    write("text_embeds", c.pooled, pooled);
    write("time_ids", c.time_ids, {});
  }
}

// Of all steps, how many are of a kind.
double share_of(const Job& job, size_t kind) { return double(std::ranges::count(job.plan.steps, kind)) / double(job.plan.steps.size()); }

Compiler on_second(Compiler c) {
  c.backend = c.second;
  c.print_program = "";  // the first one prints the same
  return c;
}

}  // namespace

// What goes from step to step.
struct Denoiser::Moment {
  std::vector<float> state, noise;
};

Denoiser::Denoiser(const std::string& name, const UNetConfig& config, std::shared_ptr<const TensorSource> tensors, const Compiler& compiler)
    : compiler_(compiler), config_(config), unet_(name, tensors, compiler), second_compiler_(on_second(compiler)),
      second_(compiler.second ? std::make_unique<Component>(name, tensors, second_compiler_) : nullptr) {}

// A dump holds whole values; and what DeepCache keeps is of whole steps.
bool Denoiser::splits(const Job& job) const {
  return second_ && job.guided && job.request.dump_pattern.empty() && !job.plan.caches(true);
}

Recording Denoiser::recording(const Job& job, bool split) const {
  DenoiseShape shape{.pictures = job.pictures, .h = job.h, .w = job.w, .guided = false, .saved = job.schedule.saved, .tokens = job.prompts.tokens,
                     .pooled_width = job.prompts.pooled_width, .wrap = wrap_of(job.request), .mimics = job.mimics, .blends = blends(job)};
  std::string key = fmt::format("{} pictures of {}x{}, saved {}, {} tokens, wrap {} {}, mimics {}, blends {}", shape.pictures, shape.w, shape.h, shape.saved, shape.tokens,
                                shape.wrap.x, shape.wrap.y, shape.mimics, shape.blends);
  std::vector<std::function<Program()>> turns;
  for (const StepKind& kind : job.plan.kinds) {
    shape.guided = kind.guided, shape.shallow = kind.shallow;
    shape.branch = job.plan.caches(kind.guided) ? job.request.deepcache.branch : -1;
    shape.part = split && kind.guided ? StepPart::half : StepPart::whole;
    key += fmt::format("; guided {}, split {}, shallow {}, branch {}", shape.guided, split, shape.shallow, shape.branch);
    turns.emplace_back([=, this] { return record_denoise_step(config_, shape); });
  }
  shape.guided = true, shape.part = StepPart::rest;
  if (split) turns.emplace_back([=, this] { return record_denoise_step(config_, shape); });
  return {key, std::move(turns)};
}

std::shared_ptr<Executable> Denoiser::executable(const Job& job, bool keep_all, CompileSeconds& seconds) {
  if (keep_all || !splits(job)) return unet_.executable(whole_recording(job), keep_all, seconds);
  CompileSeconds beside;  // what is spent at the same time
  auto second = std::async(std::launch::async, [&] { return second_->executable(recording(job), false, beside); });
  auto first = unet_.executable(recording(job), false, seconds);
  std::vector<bool> split;
  for (const StepKind& kind : job.plan.kinds) split.push_back(kind.guided);
  return std::make_shared<SplitGuidance>(std::array{first, second.get()}, split);
}

std::shared_ptr<Executable> Denoiser::executable(const Job& job, CompileSeconds& seconds) { return executable(job, /*keep_all=*/false, seconds); }

// A UNet that reads no mask is given what the mask keeps after each step.
bool Denoiser::blends(const Job& job) const { return job.request.mask && !config_.reads_mask(); }

// (pictures, row width): the schedule's row with what is the picture's own.
std::vector<float> Denoiser::row_of(const Job& job, size_t at) const {
  const Schedule& s = job.schedule;
  const StepRow& step = s.rows[at];
  const Mixture next = at + 1 < s.mixtures.size() ? s.mixtures[at + 1] : Mixture{.signal = 1, .noise = 0};
  std::vector<float> rows;
  for (const Picture& p : job.request.pictures) {
    rows.insert(rows.end(), {float(step.timestep), float(step.input_scale), p.guidance, p.guidance_rescale});
    for (double m : step.matrix) rows.push_back(float(m));
    if (blends(job)) rows.insert(rows.end(), {float(next.signal), float(next.noise)});
    if (!job.mimics) continue;
    const Combination clean = p.mimic_guidance > 0 ? clean_of(s.prediction, {s.mixtures[at].signal, s.mixtures[at].noise}) : Combination{};
    rows.insert(rows.end(), {p.mimic_guidance, float(clean.of_x), float(clean.of_prediction)});
  }
  return rows;
}

// In the shape of the state: behind each x what is saved, all of it `saved`.
std::vector<float> Denoiser::per_state(const Job& job, const std::vector<float>& x, float saved) const {
  if (job.schedule.saved == 0) return x;
  std::vector<float> state;
  const size_t channels = size_t(config_.out_channels);
  for (size_t at = 0; at < x.size(); at += channels) {
    state.insert(state.end(), x.begin() + long(at), x.begin() + long(at + channels));
    state.insert(state.end(), channels * size_t(job.schedule.saved), saved);
  }
  return state;
}

// The first of every 1 + saved parts of the state.
std::vector<float> Denoiser::latents_of(Executable& exec, const Job& job) const {
  std::vector<float> state = read_floats(exec, exec.program().find("state")), latents;
  if (job.schedule.saved == 0) return state;
  const size_t channels = size_t(config_.out_channels), width = channels * size_t(1 + job.schedule.saved);
  for (size_t at = 0; at < state.size(); at += width) latents.insert(latents.end(), state.begin() + long(at), state.begin() + long(at + channels));
  return latents;
}

// (pictures, h, w, channels) of the state in order, without the way over the host.
DeviceArray Denoiser::latents_there(Executable& exec, const Job& job) const {
  Backend& device = *compiler_.backend;
  const int64_t width = config_.out_channels * (1 + job.schedule.saved);
  const Buffer state = device.allocate(job.pictures * job.h * job.w * width * int64_t(sizeof(float)));
  exec.read("state", state);
  const DeviceArray x{.data = state.data, .shape = {job.pictures, job.h, job.w, config_.out_channels}, .strides = {job.h * job.w * width, job.w * width, width, 1},
                      .gpu = device.gpu()};
  return copy_for_others(device, x, "latents");
}

Latents Denoiser::finished(Executable& exec, const Job& job, std::vector<float> values) const {
  const bool keeps = !job.request.decode && job.steps_after == 0 && all_finite(values);
  return {std::move(values), keeps ? latents_there(exec, job) : DeviceArray{}};
}

// The first x, where the request brought it.
void Denoiser::write_brought(Executable& exec, const Job& job, const Start& start) const {
  if (!start.device_x) return;
  exec.write("state", taken(*compiler_.backend, start.device_x, config_.out_channels * (1 + job.schedule.saved), start.x_factor, "latents"));
}

// What stays through all steps.
void Denoiser::write_start(Executable& exec, const Job& job, const Conditioning& c, const Start& start) const {
  write_conditioning(exec, job, c, config_.text_time, *compiler_.backend);
  if (!job.request.mask) return;
  const size_t channels = size_t(config_.out_channels);
  std::vector<float> mask(start.x.size());
  for (size_t i = 0; i < mask.size(); ++i) mask[i] = start.mask[i / channels % start.mask.size()];
  if (config_.reads_mask()) {
    std::vector<float> masked;
    for (size_t i = 0; i < start.masked.size(); i += channels) {
      masked.push_back(mask[i]);
      masked.insert(masked.end(), start.masked.begin() + long(i), start.masked.begin() + long(i + channels));
    }
    exec.write("masked", as_bytes(masked));
    return;
  }
  auto kept = [&](const std::vector<float>& of) {
    std::vector<float> part(of.size());
    for (size_t i = 0; i < of.size(); ++i) part[i] = (1 - mask[i]) * of[i];
    return per_state(job, part, 0);
  };
  exec.write("mask", as_bytes(per_state(job, mask, 1)));
  exec.write("kept", as_bytes(kept(start.clean)));
  exec.write("kept_noise", as_bytes(kept(start.noise)));
}

void Denoiser::write_step(Executable& exec, const Job& job, const Conditioning& c, const Start& start, size_t at) const {
  write_start(exec, job, c, start);
  exec.write("state", as_bytes(per_state(job, start.x, 0)));
  write_brought(exec, job, start);
  exec.write("noise", as_bytes(std::vector<float>(start.x.size())));
  exec.write("row", as_bytes(row_of(job, at)));
}

// Hands over all rows of the schedule and all noise, so that the loop needs nothing from here. Where a row draws none it gets zeros.
void Denoiser::write_all_steps(Executable& exec, const Job& job, LatentNoise& noise, size_t latent) const {
  std::vector<float> rows, drawn;
  auto append = [](std::vector<float>& to, const std::vector<float>& more) { to.insert(to.end(), more.begin(), more.end()); };
  const std::vector<StepRow>& steps = job.schedule.rows;
  for (size_t i = 0; i < steps.size(); ++i) append(rows, row_of(job, i));
  exec.write_steps("row", as_bytes(rows), int(steps.size()));
  if (std::ranges::none_of(steps, &StepRow::draws)) return;
  for (const StepRow& step : steps) append(drawn, step.draws ? noise.draw() : std::vector<float>(latent));
  exec.write_steps("noise", as_bytes(drawn), int(steps.size()));
}

std::shared_ptr<Executable> Denoiser::started(const Job& job, const Conditioning& c, const Start& start, const Moment& moment, bool keep_all,
                                              CompileSeconds& seconds) {
  auto exec = executable(job, keep_all, seconds);
  write_start(*exec, job, c, start);
  exec->write("state", as_bytes(moment.state));
  exec->write("noise", as_bytes(moment.noise));
  for (size_t kind = 0; kind < exec->programs() && compiler_.rung->hoists; ++kind) {
    exec->select(kind);
    exec->run(Rate::prompt);
  }
  return exec;
}

void Denoiser::run_step(Executable& exec, const Job& job, size_t at) const {
  exec.select(job.plan.steps[at]);
  if (!compiler_.rung->hoists) exec.run(Rate::prompt);
  exec.run(Rate::step);
}

// Reading a latent waits for the device, so that is left out where nobody looks; if the last one is not finite all is done again, watched.
Latents Denoiser::run(const Job& job, const Conditioning& c, const Start& start, LatentNoise& noise, Dump& dump,
                      CompileSeconds& seconds) {
  if (job.request.on_step || dump.active() || compiler_.backend->is_host()) return run_watched(job, c, start, noise, dump, seconds);
  LatentNoise again = noise;
  Latents latents = run_unwatched(job, c, start, noise, seconds);
  return all_finite(latents.values) ? latents : run_watched(job, c, start, again, dump, seconds);
}

Latents Denoiser::run_unwatched(const Job& job, const Conditioning& c, const Start& start, LatentNoise& noise, CompileSeconds& seconds) {
  auto exec = started(job, c, start, {per_state(job, start.x, 0), std::vector<float>(start.x.size())}, /*keep_all=*/false, seconds);
  write_brought(*exec, job, start);
  write_all_steps(*exec, job, noise, start.x.size());
  for (size_t i = 0; i < job.schedule.rows.size(); ++i) run_step(*exec, job, i);
  return finished(*exec, job, latents_of(*exec, job));
}

Latents Denoiser::run_watched(const Job& job, const Conditioning& c, const Start& start, LatentNoise& noise, Dump& dump, CompileSeconds& seconds) {
  Moment moment{per_state(job, start.x, 0), std::vector<float>(start.x.size())};
  std::vector<float> latents;
  auto exec = started(job, c, start, moment, dump.active(), seconds);
  write_brought(*exec, job, start);
  const size_t steps = job.schedule.rows.size();
  for (size_t i = 0; i < steps; ++i) {
    if (job.schedule.rows[i].draws) exec->write("noise", as_bytes(moment.noise = noise.draw()));
    exec->read("state", std::as_writable_bytes(std::span(moment.state)));
    exec->write("row", as_bytes(row_of(job, i)));
    run_step(*exec, job, i);
    if (dump.active()) {
      if (i == 0) dump.take(fmt::format("{}/prompt{}", unet_.name(), job.enlarged ? "-2" : ""), *exec, Rate::prompt);
      dump.take(fmt::format("{}/step{}", unet_.name(), i + 1 + size_t(job.steps_before)), *exec, Rate::step);
    }
    latents = latents_of(*exec, job);
    const size_t done = i + 1 + size_t(job.steps_before), all = steps + size_t(job.steps_before + job.steps_after);
    require_finite(latents, fmt::format("the latent after step {} of {}", done, all), [&] {
      std::vector<float> cached;
      if (const Value v = exec->program().find("cached"); v != none) cached = read_floats(*exec, v);
      exec.reset();
      auto again = started(job, c, start, moment, /*keep_all=*/true, seconds);
      if (!cached.empty()) again->write("cached", as_bytes(cached));
      again->write("row", as_bytes(row_of(job, i)));
      run_step(*again, job, i);
      return again;
    });
    if (job.request.on_step && !job.request.on_step({int(done), int(all), job.schedule.rows[i].timestep, latents, int(job.h), int(job.w)}))
      fail(ErrorKind::cancelled, "cancelled after step {} of {}", done, all);
  }
  return finished(*exec, job, std::move(latents));
}

Work Denoiser::work(const Job& job, CompileSeconds& seconds) {
  auto exec = executable(job, seconds);
  Work w;
  double launches = 0;
  for (size_t kind = 0; kind < exec->programs(); ++kind) {
    exec->select(kind);
    for (Rate section : {Rate::step, Rate::prompt}) {
      if (section == Rate::prompt && compiler_.rung->hoists) continue;
      launches += share_of(job, kind) * exec->launches(section);
      w.step_flops += share_of(job, kind) * flops_of(exec->program(), section);
    }
  }
  w.launches_per_step = int(std::lround(launches));
  return w;
}

double Denoiser::floor(const Job& job, const Ceilings& ceilings) const {
  const Recording all = recording(job);
  double seconds = 0;
  for (size_t kind = 0; kind < all.record.size(); ++kind) {
    const Program p = climb(all.record[kind](), *compiler_.rung, *compiler_.backend, compiler_.climb);
    for (const Node& n : p.nodes())
      if (runs(n) && (n.rate == Rate::step || !compiler_.rung->hoists))
        seconds += share_of(job, kind) * ceilings.seconds(flops_of(p, n), bytes_of(p, n), is_narrow(p, n));
  }
  return seconds;
}

}  // namespace hayate
