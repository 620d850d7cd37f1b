// The public Pipeline: a request checked, conditioned, denoised, decoded.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file_reader.h"
#include "hayate/byte_size.h"
#include "hayate/hayate.h"
#include "models/denoise_step.h"
#include "pipeline/ceilings.h"
#include "pipeline/check_model.h"
#include "pipeline/conditioning.h"
#include "pipeline/devices.h"
#include "pipeline/infotext.h"
#include "pipeline/latent_noise.h"
#include "pipeline/linear_measurements.h"
#include "pipeline/lora_folder.h"
#include "pipeline/not_finite.h"
#include "pipeline/open_model.h"
#include "pipeline/picture_decoder.h"
#include "pipeline/picture_encoder.h"
#include "pipeline/quantization_choice.h"
#include "pipeline/quantization_errors.h"
#include "pipeline/read_floats.h"
#include "pipeline/staging.h"
#include "pipeline/step_plan.h"
#include "pipeline/stopwatch.h"
#include "program/work.h"
#include "prompt/prompt_file.h"
#include "schedule/schedule.h"

namespace hayate {

namespace {
constexpr int kMaxSide = 16384, kMaxPictures = 256, kMaxSteps = 10000;
constexpr const char* kFastestRung = "projections";

const Family& checked_family(const Checkpoint& model) {
  const JsonObject index = model.index();
  const Family& family = find_family(index.string("_class_name"), index.what());
  check_model(model, family);
  return family;
}

Dtype parse_dtype(const std::string& name, const std::string& option, bool with_float) {
  if (name == "bf16") return Dtype::bf16;
  if (name == "fp16") return Dtype::f16;
  if (name == "fp32" && with_float) return Dtype::f32;
  fail(ErrorKind::usage, "{} is '{}'; expected bf16{} or fp16", option, name, with_float ? ", fp32" : "");
}

// Published fp16 decoders overflow; bfloat16 has float32's range.
Dtype decoder_dtype(const Options& o, Dtype of_model, const JsonObject& config) {
  if (!o.vae_dtype.empty()) return parse_dtype(o.vae_dtype, "vae_dtype", true);
  return of_model == Dtype::f16 && config.boolean("force_upcast", true) ? Dtype::bf16 : of_model;
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& v) {
  return std::as_bytes(std::span(v));
}

// What a process on the host takes beside weights and executables: code and generated code, vocabularies, programs; and the pictures,
// one of them also as floats.
int64_t process_bytes(int64_t pictures, int64_t width, int64_t height) { return (int64_t{64} << 20) + width * height * 3 * (pictures + 8); }

std::string refusal_text(const MemoryForecast& f, bool limited) {
  std::string text = fmt::format("the request needs {} of memory, but {} {}.", size_text(f.peak), limited ? "the limit is" : "the machine has",
                                 size_text(f.budget));
  for (const MemoryStage& s : f.stages)
    text += fmt::format("\n  {}: {} of weights, {} of activations, {} of scratch", s.name, size_text(s.weights), size_text(s.activations),
                        size_text(s.scratch));
  return text + (f.would_fit.empty() ? "\nNothing smaller would fit either." : fmt::format("\nWould fit: {}.", fmt::join(f.would_fit, "; or ")));
}

std::string shapes_text(const Program& p, const Node& n) {
  std::string text = to_string(n.shape);
  for (Value v : n.in) text += " <- " + (v == none ? "none" : to_string(p[v].shape));
  return std::string(name_of(n.dtype)) + " " + text;
}
}  // namespace

struct Pipeline::Impl {
  // A request with every default resolved.
  struct Job {
    const Request& request;
    int width, height;
    int64_t pictures, h, w;
    bool guided;
    Schedule schedule;
    StepPlan plan;
    PromptChunks prompts;
  };

  explicit Impl(const Options& o)
      : options(o),
        base(open_base(o)),
        model(std::make_unique<LoraCheckpoint>(base, weighted(o.loras), o.warn)),
        family(checked_family(*model)),
        compiler{.backend = make_backend(o), .rung = &find_rung(o.rung.empty() ? kFastestRung : o.rung), .print_program = o.print_program,
                 .climb = {.dtype = o.dtype.empty() ? Dtype::bf16 : parse_dtype(o.dtype, "dtype", false), .quantization = read_quantization(o.quantize_layers, o.quantize_convolutions)}},
        vae_compiler{.backend = compiler.backend, .rung = compiler.rung, .print_program = o.print_program,
                     .climb = {.dtype = decoder_dtype(o, compiler.climb.dtype, model->config("vae"))}},
        scheduler_config(parse_scheduler_config(model->config("scheduler"))),
        unet_config(parse_unet_config(model->config("unet"))),
        vae_config(parse_vae_config(model->config("vae"))),
        conditioner(*model, family, compiler),
        unet("unet", model->tensors("unet"), compiler),
        encoder(model->tensors("vae"), vae_config, vae_compiler),
        decoder(model->tensors("vae"), vae_config, vae_compiler, o.vae_tiling, o.warn) {
    for (Dtype used : {compiler.climb.dtype, vae_compiler.climb.dtype})
      require(used != Dtype::f16 || compiler.backend->has_f16(), ErrorKind::unsupported, "fp16 needs an NVIDIA GPU; the device is {}",
              compiler.backend->name());
    require(!compiler.rung->tf32 || compiler.backend->has_tf32(), ErrorKind::unsupported, "rung {} needs an NVIDIA GPU; the device is {}",
            compiler.rung->name, compiler.backend->name());
    const std::vector<Dtype>& narrow = compiler.rung->quantized;
    require(narrow.empty() || std::ranges::any_of(narrow, [&](Dtype t) { return compiler.backend->has_quantized(t); }), ErrorKind::unsupported,
            "rung {}: the device is {}; int8 needs the CPU or an NVIDIA GPU of compute capability 8.0, fp8 an NVIDIA GPU of 8.9", compiler.rung->name,
            compiler.backend->description());
  }

  std::string name() const { return model_name(options.model.empty() ? model->path() : options.model); }
  std::string loras() const {
    std::vector<std::string> texts;
    for (const Lora& lora : options.loras) texts.push_back(fmt::format("{}:{:g}", model_name(lora.path), lora.weight));
    return fmt::format("{}", fmt::join(texts, ", "));
  }
  int native_side() const { return int(unet_config.sample_size * vae_config.downscale()); }

  Job check(const Request& r, const Warn& warn) const {
    const int down = int(vae_config.downscale());
    auto side_of = [&](int asked, int Image::*own) { return asked ? asked : r.init_image ? (*r.init_image).*own / down * down : native_side(); };
    Job job{.request = r, .width = side_of(r.width, &Image::width), .height = side_of(r.height, &Image::height),
            .pictures = int64_t(r.pictures.size()), .h = 0, .w = 0, .guided = false, .schedule = {}, .plan = {}, .prompts = {}};
    require(job.pictures >= 1 && job.pictures <= kMaxPictures, ErrorKind::usage, "a request of {} pictures; expected 1 to {}", job.pictures,
            kMaxPictures);
    for (auto [name, side] : {std::pair("width", job.width), std::pair("height", job.height)})
      require(side > 0 && side <= kMaxSide && side % down == 0, ErrorKind::usage, "{} is {}; expected a multiple of {} up to {}", name, side, down,
              kMaxSide);
    require(r.steps >= 1 && r.steps <= kMaxSteps, ErrorKind::usage, "steps is {}; expected 1 to {}", r.steps, kMaxSteps);
    require(r.clip_skip >= 0, ErrorKind::usage, "clip_skip is {}; expected 0 or more", r.clip_skip);
    for (const Picture& p : r.pictures) {
      require(p.guidance >= 0 && p.guidance <= 1000, ErrorKind::usage, "guidance is {}; expected 0 to 1000", p.guidance);
      require(p.guidance_rescale >= 0 && p.guidance_rescale <= 1, ErrorKind::usage, "guidance_rescale is {}; expected 0 to 1", p.guidance_rescale);
      job.guided |= p.guidance > 1;
    }
    job.h = job.height / down;
    job.w = job.width / down;
    int64_t latent = job.pictures * job.h * job.w * unet_config.out_channels;
    require(options.vae_tiling != VaeTiling::on || r.dump_pattern.empty(), ErrorKind::usage,
            "a dump holds whole values, and vae_tiling is on: they do not go together");
    require(r.latents.empty() || int64_t(r.latents.size()) == latent, ErrorKind::usage, "latents hold {} numbers; expected {}", r.latents.size(), latent);
    std::optional<double> strength;
    if (r.init_image) strength = r.strength;
    require(!r.init_image || int64_t(r.init_image->rgb.size()) == int64_t{3} * r.init_image->width * r.init_image->height, ErrorKind::usage,
            "init_image: {} bytes for {}x{} pixels", r.init_image->rgb.size(), r.init_image->width, r.init_image->height);
    job.schedule = make_schedule(scheduler_config, r.steps,
                                 {.name = r.scheduler, .timestep_spacing = r.timestep_spacing, .karras = r.karras, .strength = strength});
    // A network that is told the guidance scale needs no unconditional half.
    job.plan = plan_steps(int(job.schedule.rows.size()), job.guided && unet_config.guidance_embed_dim == 0, r);
    job.guided = job.plan.guided();
    if (r.deepcache.interval > 1) static_cast<void>(skip_name(unet_config, r.deepcache.branch));  // throws where there is none
    job.prompts = conditioner.read(r, job.guided, warn);
    return job;
  }

  // The stages of generate() and what they need on a rung.
  std::vector<Stage> stages(const Job& job, const Rung& rung, bool tiled) {
    const bool keep_all = !job.request.dump_pattern.empty();
    Stage text{.name = "text"}, denoising{.name = "denoise"};
    const int64_t chunks = int64_t(job.prompts.length);
    for (const auto& encoder : conditioner.encoders())
      text.add(encoder->component(), encoder->need(job.pictures * chunks, job.request.clip_skip, rung, keep_all));
    denoising.add(unet, unet.need(denoising_of(job), rung, keep_all));
    std::vector<Stage> all{std::move(text)};
    if (job.request.init_image) {
      Stage encoding{.name = "encode"};
      encoding.add(encoder.component(), encoder.need(job.width, job.height, rung));
      all.push_back(std::move(encoding));
    }
    all.push_back(std::move(denoising));
    all.push_back(decode_stage(job, rung, tiled));
    return all;
  }
  Stage decode_stage(const Job& job, const Rung& rung, bool tiled) {
    Stage decoding{.name = "decode"};
    decoding.add(decoder.component(), decoder.need(decoding_of(job, tiled), rung, !job.request.dump_pattern.empty()));
    return decoding;
  }

  struct MemoryPlanned {
    MemoryForecast forecast{};
    std::vector<Stage> stages{};
    std::vector<StagePlan> plan{};
  };
  MemoryPlanned plan_memory(const Job& job, const Rung& rung, VaeTiling tiling) {
    MemoryBudget& counted = compiler.backend->memory();
    const bool host = compiler.backend->is_host();  // a GPU's memory holds nothing but weights and executables
    const int64_t process = host ? process_bytes(job.pictures, job.width, job.height) : 0;
    const int64_t left = compiler.backend->memory_left() + (host ? process_bytes(0, 0, 0) : 0);
    const int64_t budget = options.memory_limit ? options.memory_limit : counted.used() + left;
    counted.set_limit(std::max<int64_t>(0, budget - process));
    MemoryPlanned planned{.forecast = {.process = process, .peak = process, .budget = budget, .vae_tiled = tiling == VaeTiling::on},
                          .stages = stages(job, rung, tiling == VaeTiling::on)};
    planned.plan = plan_stages(planned.stages, budget - process);
    // Tiles are slower, so where there is a choice they are taken only if the decoder does not fit in one piece.
    if (tiling == VaeTiling::automatic && job.request.dump_pattern.empty() && planned.plan.back().memory.peak > budget - process) {
      planned.forecast.vae_tiled = true;
      planned.stages.back() = decode_stage(job, rung, true);
      planned.plan = plan_stages(planned.stages, budget - process);
    }
    for (const StagePlan& stage : planned.plan) {
      planned.forecast.stages.push_back(stage.memory);
      planned.forecast.peak = std::max(planned.forecast.peak, process + stage.memory.peak);
    }
    return planned;
  }
  MemoryPlanned plan_memory(const Job& job, const Rung& rung) { return plan_memory(job, rung, options.vae_tiling); }

  // The request changed in ways of which each makes it fit, as text.
  std::vector<std::string> what_would_fit(const Job& job) {
    std::vector<std::string> found;
    auto fits = [&](int64_t pictures, int width, int height, const Rung& rung) {
      Job smaller = job;
      smaller.pictures = pictures, smaller.width = width, smaller.height = height;
      smaller.h = height / vae_config.downscale(), smaller.w = width / vae_config.downscale();
      return plan_memory(smaller, rung).forecast.fits();
    };
    if (options.vae_tiling == VaeTiling::off && plan_memory(job, *compiler.rung, VaeTiling::on).forecast.fits()) found.push_back("the VAE in tiles");
    for (int64_t pictures = job.pictures / 2; pictures > 0; pictures /= 2)
      if (fits(pictures, job.width, job.height, *compiler.rung)) {
        found.push_back(fmt::format("{} picture{} at a time", pictures, pictures > 1 ? "s" : ""));
        break;
      }
    const Rung& fastest = find_rung(kFastestRung);
    if (compiler.rung != &fastest && fits(job.pictures, job.width, job.height, fastest)) found.push_back(fmt::format("rung {}", fastest.name));
    for (int part = 15; part > 0; --part) {
      const int unit = int(vae_config.downscale()), width = job.width * part / 16 / unit * unit, height = job.height * part / 16 / unit * unit;
      if (width == 0 || height == 0 || !fits(job.pictures, width, height, *compiler.rung)) continue;
      found.push_back(fmt::format("{}x{} pixels", width, height));
      break;
    }
    return found;
  }

  MemoryPlanned plan_memory(const Job& job) {
    MemoryPlanned planned = plan_memory(job, *compiler.rung);
    if (planned.forecast.fits()) return planned;
    planned.forecast.would_fit = what_would_fit(job);
    return planned;
  }

  static Decoding decoding_of(const Job& job, bool tiled) { return {.pictures = job.pictures, .h = job.h, .w = job.w, .tiled = tiled}; }

  Recording denoising_of(const Job& job) const {
    const auto& last = *conditioner.encoders().back();
    DenoiseShape shape{.pictures = job.pictures, .h = job.h, .w = job.w, .guided = false, .saved = job.schedule.saved,
                       .tokens = last.tokens() * int64_t(job.prompts.length), .pooled_width = last.pooled_width()};
    std::string key = fmt::format("{} pictures of {}x{}, saved {}, {} tokens", shape.pictures, shape.w, shape.h, shape.saved, shape.tokens);
    std::vector<std::function<Program()>> turns;
    for (const StepKind& kind : job.plan.kinds) {
      shape.guided = kind.guided, shape.shallow = kind.shallow;
      shape.branch = job.plan.caches(kind.guided) ? job.request.deepcache.branch : -1;
      key += fmt::format("; guided {}, shallow {}, branch {}", shape.guided, shape.shallow, shape.branch);
      turns.emplace_back([=, this] { return record_denoise_step(unet_config, shape); });
    }
    return {key, std::move(turns)};
  }

  std::shared_ptr<Executable> denoiser(const Job& job, bool keep_all, CompileSeconds& seconds) {
    return unet.executable(denoising_of(job), keep_all, seconds);
  }

  // (pictures, row width): the schedule's row with what is the picture's own.
  static std::vector<float> row_of(const Job& job, const StepRow& step) {
    std::vector<float> rows;
    for (const Picture& p : job.request.pictures) {
      rows.insert(rows.end(), {float(step.timestep), float(step.input_scale), p.guidance, p.guidance_rescale});
      for (double m : step.matrix) rows.push_back(float(m));
    }
    return rows;
  }

  // The first `1` of every 1 + saved parts of the state.
  std::vector<float> latents_of(Executable& exec, const Job& job) const {
    std::vector<float> state = read_floats(exec, exec.program().outputs[0]), latents;
    size_t channels = size_t(unet_config.out_channels), width = channels * size_t(1 + job.schedule.saved);
    if (job.schedule.saved == 0) return state;
    for (size_t at = 0; at < state.size(); at += width) latents.insert(latents.end(), state.begin() + long(at), state.begin() + long(at + channels));
    return latents;
  }

  LatentNoise noise_of(const Job& job) const {
    std::vector<uint64_t> seeds;
    for (const Picture& p : job.request.pictures) seeds.push_back(p.seed);
    return {seeds, job.request.noise, job.request.shared_noise, unet_config.out_channels, job.h, job.w};
  }

  // Of all pictures of the batch; none without a picture to start from. Draws first, as diffusers does.
  std::vector<float> clean_latents(const Job& job, LatentNoise& noise, CompileSeconds& seconds) {
    if (!job.request.init_image) return {};
    const Image image = resized(*job.request.init_image, job.width, job.height);
    const std::vector<float> drawn = noise.draw();
    const size_t each = drawn.size() / size_t(job.pictures);
    std::vector<float> clean;
    for (int64_t i = 0; i < job.pictures; ++i) {
      const std::vector<float> one = encoder.encode(image, std::span(drawn).subspan(size_t(i) * each, each), seconds);
      clean.insert(clean.end(), one.begin(), one.end());
    }
    return clean;
  }

  std::vector<float> initial_state(const Job& job, const std::vector<float>& clean, LatentNoise& noise) const {
    std::vector<float> x = job.request.latents.empty() ? noise.draw() : job.request.latents;
    const Mixture& start = job.schedule.start;
    for (float& v : x) v *= float(start.noise);
    for (size_t i = 0; i < clean.size(); ++i) x[i] += float(start.signal) * clean[i];
    return state_of(x, job);
  }
  // With nothing saved yet.
  std::vector<float> state_of(const std::vector<float>& x, const Job& job) const {
    if (job.schedule.saved == 0) return x;
    std::vector<float> state;
    size_t channels = size_t(unet_config.out_channels);
    for (size_t at = 0; at < x.size(); at += channels) {
      state.insert(state.end(), x.begin() + long(at), x.begin() + long(at + channels));
      state.insert(state.end(), channels * size_t(job.schedule.saved), 0.0f);
    }
    return state;
  }

  // What the programs of each kind of step are told, of what was conditioned for both halves or one.
  void write_conditioning(Executable& exec, const Job& job, const Conditioning& c) const {
    for (const StepKind& kind : job.plan.kinds) {
      if (kind.shallow) continue;  // whose inputs are those of a whole step
      auto write = [&](const char* input, const std::vector<float>& values) {
        const std::span<const float> all(values);
        exec.write(input, std::as_bytes(kind.guided == job.guided ? all : all.last(all.size() / 2)));
      };
      write("encoder_hidden_states", c.hidden);
      if (!unet_config.text_time) continue;
      write("text_embeds", c.pooled);
      write("time_ids", c.time_ids);
    }
  }

  // Hands over all rows of the schedule and all noise, so that the loop needs nothing from here.
  void write_all_steps(Executable& exec, const Job& job, LatentNoise& noise) const {
    std::vector<float> rows, drawn;
    auto append = [](std::vector<float>& to, const std::vector<float>& more) { to.insert(to.end(), more.begin(), more.end()); };
    for (const StepRow& step : job.schedule.rows) {
      append(rows, row_of(job, step));
      if (job.schedule.uses_noise) append(drawn, noise.draw());
    }
    const int steps = int(job.schedule.rows.size());
    exec.write_steps("row", bytes_of(rows), steps);
    if (job.schedule.uses_noise) exec.write_steps("noise", bytes_of(drawn), steps);
  }

  // With `watch` every latent is read and shown; else only the last is, and may hold anything.
  std::vector<float> denoise(const Job& job, const Conditioning& c, const std::vector<float>& clean, LatentNoise noise, bool watch, Dump& dump,
                             CompileSeconds& seconds) {
    std::vector<float> state = initial_state(job, clean, noise), drawn(size_t(job.pictures * job.h * job.w * unet_config.out_channels), 0.0f);

    auto start = [&](bool keep_all) {
      auto exec = denoiser(job, keep_all, seconds);
      write_conditioning(*exec, job, c);
      exec->write("state", bytes_of(state));
      exec->write("noise", bytes_of(drawn));
      for (size_t kind = 0; kind < exec->programs() && compiler.rung->hoists; ++kind) {
        exec->select(kind);
        exec->run(Rate::prompt);
      }
      return exec;
    };
    auto run = [&](Executable& exec, size_t step) {
      exec.select(job.plan.steps[step]);
      if (!compiler.rung->hoists) exec.run(Rate::prompt);
      exec.run(Rate::step);
    };
    auto exec = start(dump.active());
    if (!watch) {
      write_all_steps(*exec, job, noise);
      for (size_t i = 0; i < job.schedule.rows.size(); ++i) run(*exec, i);
      return latents_of(*exec, job);
    }
    std::vector<float> latents;
    for (int i = 0; i < int(job.schedule.rows.size()); ++i) {
      const StepRow& step = job.schedule.rows[size_t(i)];
      if (job.schedule.uses_noise) exec->write("noise", bytes_of(drawn = noise.draw()));
      exec->read("state", std::as_writable_bytes(std::span(state)));
      exec->write("row", bytes_of(row_of(job, step)));
      run(*exec, size_t(i));
      if (dump.active()) {
        if (i == 0) dump.take("unet/prompt", *exec, Rate::prompt);
        dump.take(fmt::format("unet/step{}", i + 1), *exec, Rate::step);
      }
      latents = latents_of(*exec, job);
      require_finite(latents, fmt::format("the latent after step {} of {}", i + 1, job.schedule.rows.size()), [&] {
        std::vector<float> cached;
        if (const Value v = exec->program().find("cached"); v != none) cached = read_floats(*exec, v);
        exec.reset();
        auto again = start(/*keep_all=*/true);
        if (!cached.empty()) again->write("cached", bytes_of(cached));
        again->write("row", bytes_of(row_of(job, step)));
        run(*again, size_t(i));
        return again;
      });
      if (job.request.on_step && !job.request.on_step({i + 1, int(job.schedule.rows.size()), step.timestep, latents}))
        fail(ErrorKind::cancelled, "cancelled after step {} of {}", i + 1, job.schedule.rows.size());
    }
    return latents;
  }

  // Reading a latent waits for the device, so that is left out where nobody looks; if the last one is not finite all is done again, watched.
  std::vector<float> denoise(const Job& job, const Conditioning& c, const std::vector<float>& clean, const LatentNoise& noise, Dump& dump,
                             CompileSeconds& seconds) {
    const bool watch = job.request.on_step || dump.active() || compiler.backend->is_host();
    std::vector<float> latents = denoise(job, c, clean, noise, watch, dump, seconds);
    if (!watch && !all_finite(latents)) return denoise(job, c, clean, noise, true, dump, seconds);
    return latents;
  }

  std::vector<std::string> infotexts(const Job& job) const {
    const Request& request = job.request;
    const InfotextFields fields{.model = name(),
                                .scheduler = job.schedule.label,
                                .loras = loras(),
                                .karras = job.schedule.karras,
                                .width = job.width,
                                .height = job.height};
    std::vector<std::string> texts;
    for (const Picture& p : request.pictures) texts.push_back(hayate::infotext(request, p, fields));
    return texts;
  }

  // What is set, and what the prompts of a batch name beside it.
  std::vector<Lora> loras_for(const Request& request) const {
    auto named = [&](const Picture& p) { return hayate::loras_of(p, request.prompt_syntax, options.lora_folder); };
    const std::vector<Lora> first = named(request.pictures[0]);
    for (const Picture& p : request.pictures)
      require(named(p) == first, ErrorKind::usage, "the prompts of one batch name different LoRAs");
    std::vector<Lora> all = options.loras;
    all.insert(all.end(), first.begin(), first.end());
    return all;
  }

  // Every component reads the tensors of the model with these LoRAs. Where weights cannot be prepared all is as it was, but that some must be loaded
  // again.
  LoraChange change_loras(const std::vector<Lora>& loras) {
    Stopwatch watch;
    LoraChange change;
    std::vector<WeightedLora> wanted = weighted(loras);
    if (wanted == model->loras()) return change;
    auto next = std::make_unique<const LoraCheckpoint>(base, std::move(wanted), options.warn);
    std::vector<Component*> components = {&unet};
    for (const auto& encoder : conditioner.encoders()) components.push_back(&encoder->component());
    auto read_from = [&](const LoraCheckpoint& checkpoint, bool again) {
      for (Component* c : components) {
        const std::set<std::string> changed = next->changed(*model, c->name());
        if (changed.empty()) continue;
        change.tensors += int(changed.size());
        try {
          change.prepared += c->change(checkpoint.tensors(c->name()), changed);
        } catch (const Error& e) {  // what it has forgotten is loaded when it is needed
          if (!again && e.kind() != ErrorKind::out_of_memory) throw;
        }
      }
    };
    try {
      read_from(*next, false);
    } catch (...) {
      read_from(*model, true);
      throw;
    }
    model = std::move(next);
    change.seconds = watch.lap();
    return change;
  }

  LoraChange set_loras(const std::vector<Lora>& loras) {
    const LoraChange change = change_loras(loras);
    options.loras = loras;
    return change;
  }

  Result generate(const Request& request) {
    Stopwatch total, watch;
    Job job = check(request, options.warn);
    Dump dump(request.dump_pattern, request.dump_file);
    CompileSeconds seconds;
    seconds.load += change_loras(loras_for(request)).seconds;
    watch.lap();
    Result result;
    compiler.backend->memory().start_peak();
    MemoryPlanned memory = plan_memory(job);
    require(memory.forecast.fits(), ErrorKind::out_of_memory, "{}", refusal_text(memory.forecast, options.memory_limit > 0));
    seconds.compile += watch.lap();
    auto make_room = [&, next = size_t{0}]() mutable {  // for the next stage
      for (size_t other : memory.plan[next].gives_way) memory.stages[other].release();
      ++next;
    };
    // Each stage without what was spent on compiling for it, which is listed apart.
    auto stage = [&, spent = seconds.compile]() mutable {
      double before = std::exchange(spent, seconds.compile + seconds.load);
      return watch.lap() - (spent - before);
    };
    make_room();
    Conditioning c = conditioner.condition(job.prompts, request, job.width, job.height, dump, seconds);
    result.timings.text = stage();
    LatentNoise noise = noise_of(job);
    if (job.request.init_image) make_room();
    const std::vector<float> clean = clean_latents(job, noise, seconds);
    make_room();
    result.latents = denoise(job, c, clean, noise, dump, seconds);
    if (!dump.active()) result.work = work_of(job, seconds);  // now: decoding may need the memory of the UNet
    result.timings.denoise = stage();
    make_room();
    result.images = decoder.decode(result.latents, decoding_of(job, memory.forecast.vae_tiled), request.on_decode, dump, seconds);
    result.timings.decode = stage();
    if (dump.active()) dump.write();
    result.infotext = infotexts(job);
    result.timings.compile = seconds.compile;
    result.timings.load = seconds.load;
    result.timings.total = total.lap();
    result.peak_memory = compiler.backend->memory().peak();
    return result;
  }

  // Of an executable that is there already.
  Work work_of(const Job& job, CompileSeconds& seconds) {
    auto exec = denoiser(job, false, seconds);
    Work w;
    double launches = 0;
    for (size_t kind = 0; kind < exec->programs(); ++kind) {
      exec->select(kind);
      for (Rate section : {Rate::step, Rate::prompt}) {
        if (section == Rate::prompt && compiler.rung->hoists) continue;
        launches += share_of(job, kind) * exec->launches(section);
        w.step_flops += share_of(job, kind) * flops_of(exec->program(), section);
      }
    }
    w.launches_per_step = int(std::lround(launches));
    return w;
  }

  // Of all steps, how many are of a kind.
  static double share_of(const Job& job, size_t kind) { return double(std::ranges::count(job.plan.steps, kind)) / double(job.plan.steps.size()); }

  double step_floor(const Request& request, const Ceilings& ceilings) const {
    const Job job = check(request, {});
    const Recording recording = denoising_of(job);
    double seconds = 0;
    for (size_t kind = 0; kind < recording.record.size(); ++kind) {
      const Program p = climb(recording.record[kind](), *compiler.rung, *compiler.backend, compiler.climb);
      for (const Node& n : p.nodes())
        if (runs(n) && (n.rate == Rate::step || !compiler.rung->hoists)) seconds += share_of(job, kind) * ceilings.seconds(flops_of(p, n), bytes_of(p, n), is_narrow(p, n));
    }
    return seconds;
  }

  std::vector<LinearShape> measure_linears(const Request& request) const {
    return hayate::measure_linears(denoising_of(check(request, {})).record[0], model->tensors("unet"), compiler);
  }

  std::vector<LayersError> quantization_errors(const Request& request) {
    require(request.steps > 1, ErrorKind::usage, "steps is {}; expected 2 or more, of which the one in the middle is taken", request.steps);
    Job job = check(request, options.warn);
    CompileSeconds seconds;
    Dump nothing("", "");
    const Conditioning c = conditioner.condition(job.prompts, request, job.width, job.height, nothing, seconds);
    const size_t middle = job.schedule.rows.size() / 2;
    const StepRow row = job.schedule.rows[middle];
    job.schedule.rows.resize(middle);
    const std::vector<float> state = state_of(denoise(job, c, {}, noise_of(job), nothing, seconds), job), still(state.size() / size_t(1 + job.schedule.saved), 0.0f);
    unet.release();
    auto record = [&] {
      Program p = denoising_of(job).record[0]();
      p.outputs.push_back(p.find("conv_out"));
      return p;
    };
    auto write = [&](Executable& exec) {
      write_conditioning(exec, job, c);
      exec.write("state", bytes_of(state));
      exec.write("noise", bytes_of(still));
      exec.write("row", bytes_of(row_of(job, row)));
    };
    return hayate::quantization_errors({record, write}, model->tensors("unet"), compiler);
  }

  std::vector<OpTime> profile(const Request& request, int runs) {
    generate(request);
    Job job = check(request, options.warn);
    CompileSeconds seconds;
    std::vector<OpTime> times;
    auto add = [&](const std::string& part, Executable& exec, Rate section) {
      const Program& p = exec.program();
      std::vector<double> measured = exec.profile(section, runs);
      for (Value v = 0; v < p.size(); ++v)
        if (measured[size_t(v)] > 0)
          times.push_back({part + "/" + p[v].name, name_of(p[v].op), shapes_text(p, p[v]), measured[size_t(v)], flops_of(p, p[v]), bytes_of(p, p[v]),
                           is_narrow(p, p[v])});
    };
    for (Rate section : {Rate::step, Rate::prompt}) add(section == Rate::step ? "step" : "prompt", *denoiser(job, false, seconds), section);
    if (!plan_memory(job, *compiler.rung).forecast.vae_tiled) add("decode", *decoder.whole(decoding_of(job, false), seconds), Rate::prompt);
    return times;
  }

  Options options;
  std::shared_ptr<const Checkpoint> base;
  std::unique_ptr<const LoraCheckpoint> model;  // base with LoRAs: those of the options, and those of the prompts of the last request
  const Family& family;
  Compiler compiler, vae_compiler;
  SchedulerConfig scheduler_config;
  UNetConfig unet_config;
  VaeConfig vae_config;
  Conditioner conditioner;
  Component unet;
  PictureEncoder encoder;
  PictureDecoder decoder;
};

Pipeline::Pipeline(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Result Pipeline::generate(const Request& request) { return impl_->generate(request); }
LoraChange Pipeline::set_loras(const std::vector<Lora>& loras) { return impl_->set_loras(loras); }
std::vector<Lora> Pipeline::loras_of(const Picture& picture, PromptSyntax syntax) const { return hayate::loras_of(picture, syntax, impl_->options.lora_folder); }
MemoryForecast Pipeline::forecast(const Request& request) { return impl_->plan_memory(impl_->check(request, {})).forecast; }
std::vector<std::string> Pipeline::infotext(const Request& request) const { return impl_->infotexts(impl_->check(request, {})); }
std::vector<OpTime> Pipeline::profile(const Request& request, int runs) { return impl_->profile(request, runs); }
Ceilings Pipeline::measure_ceilings() { return hayate::measure_ceilings(impl_->compiler); }
double Pipeline::step_floor(const Request& request, const Ceilings& ceilings) { return impl_->step_floor(request, ceilings); }
std::vector<LinearShape> Pipeline::measure_linears(const Request& request) { return impl_->measure_linears(request); }
std::vector<LayersError> Pipeline::quantization_errors(const Request& request) { return impl_->quantization_errors(request); }
int Pipeline::native_width() const { return impl_->native_side(); }
int Pipeline::native_height() const { return impl_->native_side(); }
std::string Pipeline::model() const { return impl_->name(); }
std::string Pipeline::device() const { return impl_->compiler.backend->description(); }
std::string Pipeline::rung() const { return impl_->compiler.rung->name; }

std::vector<RungInfo> rungs(const std::string& device) {
  std::vector<RungInfo> infos;
  for (const Rung& r : ladder())
    if ((!r.tf32 && r.quantized != std::vector{Dtype::f8}) || device.empty() || device == "cuda") infos.push_back({r.name, r.what});
  return infos;
}
std::vector<SchedulerInfo> schedulers() {
  std::vector<SchedulerInfo> infos;
  for (const SchedulerSummary& s : all_schedulers()) infos.push_back({s.name, s.what, s.label});
  return infos;
}
std::string version() { return HAYATE_VERSION; }

std::vector<std::string> read_prompts(const std::string& path) { return prompt_lines(read_text_stream(path, size_t{16} << 20), path); }

}  // namespace hayate
