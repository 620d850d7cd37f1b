// The public Pipeline: a request checked, conditioned, denoised, decoded.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/file_reader.h"
#include "core/stopwatch.h"
#include "core/system_memory.h"
#include "hayate/byte_size.h"
#include "hayate/hayate.h"
#include "hayate/names.h"
#include "pipeline/canvas.h"
#include "pipeline/ceilings.h"
#include "pipeline/devices.h"
#include "pipeline/diffusion_model.h"
#include "pipeline/enlarge.h"
#include "pipeline/infotext.h"
#include "pipeline/linear_measurements.h"
#include "pipeline/lora_folder.h"
#include "pipeline/open_decoder.h"
#include "pipeline/open_model.h"
#include "pipeline/picture_decoder.h"
#include "pipeline/picture_encoder.h"
#include "pipeline/quantization_choice.h"
#include "pipeline/quantization_errors.h"
#include "pipeline/run.h"
#include "pipeline/staging.h"
#include "pipeline/start.h"
#include "program/work.h"
#include "prompt/prompt_file.h"

namespace hayate {

namespace {
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

// What a process on the host takes beside weights and executables: code and generated code, vocabularies, programs; and the pictures,
// one of them also as floats.
int64_t process_bytes(int64_t pictures, int64_t width, int64_t height) { return (int64_t{64} << 20) + width * height * 3 * (pictures + 8); }

Compiler compiler_of(const Options& o) {
  const std::vector<std::shared_ptr<Backend>> backends = make_backends(o);
  return {.backend = backends[0], .rung = &find_rung(o.rung.empty() ? default_rung() : o.rung), .print_program = o.print_program,
          .climb = {.dtype = o.dtype.empty() ? Dtype::bf16 : parse_dtype(o.dtype, "dtype", false), .quantization = read_quantization(o.quantize_layers, o.quantize_convolutions)},
          .second = backends.size() > 1 ? backends[1] : nullptr, .stream_weights = o.low_memory};
}

// The same in another type, with nothing in eight bits.
Compiler in_dtype(Compiler c, Dtype dtype) {
  c.climb = {.dtype = dtype};
  return c;
}

std::string refusal_text(const MemoryForecast& f, bool limited) {
  std::string text = fmt::format("the request needs {} of memory, but {} {}.", size_text(f.peak), limited ? "the limit is" : "the machine has",
                                 size_text(f.budget));
  for (const MemoryStage& s : f.stages)
    text += fmt::format("\n  {}: {} of weights, {} of activations, {} of scratch", s.name, size_text(s.weights), size_text(s.activations),
                        size_text(s.scratch));
  return text + (f.would_fit.empty() ? "\nNothing smaller would fit either." : fmt::format("\nWould fit: {}.", fmt::join(f.would_fit, "; or ")));
}

bool brings_embeds(const Picture& p) { return p.prompt_embeds || p.negative_prompt_embeds; }

std::string shapes_text(const Program& p, const Node& n) {
  std::string text = to_string(n.shape);
  for (Value v : n.in) text += " <- " + (v == none ? "none" : to_string(p[v].shape));
  return std::string(name_of(n.dtype)) + " " + text;
}
}  // namespace

struct Pipeline::Impl {
  explicit Impl(const Options& o)
      : options(o),
        compiler(compiler_of(o)),
        model(open_base(o), o.loras, compiler, o.warn),
        refiner(o.refiner.empty() ? nullptr : std::make_unique<DiffusionModel>(open_refiner(o), std::vector<Lora>{}, compiler, o.warn, "refiner ")),
        vae_compiler(in_dtype(compiler, decoder_dtype(o, compiler.climb.dtype, model.checkpoint().config("vae")))),
        vae_config(parse_vae_config(model.checkpoint().config("vae"))),
        encoder(model.checkpoint().tensors("vae"), vae_config, vae_compiler),
        decoder(open_decoder(o, model.checkpoint()), vae_compiler, o.vae_tiling, o.warn) {
    if (refiner)
      require(refiner->unet().in_channels == model.unet().in_channels && refiner->unet().out_channels == model.unet().out_channels,
              ErrorKind::bad_model, "{}: reads {} channels and makes {}, the model before it {} and {}", options.refiner, refiner->unet().in_channels,
              refiner->unet().out_channels, model.unet().in_channels, model.unet().out_channels);
    for (Dtype used : {compiler.climb.dtype, vae_compiler.climb.dtype})
      require(used != Dtype::f16 || compiler.backend->has_f16(), ErrorKind::unsupported, "fp16 needs an NVIDIA GPU; the device is {}",
              compiler.backend->name());
    require(!compiler.rung->tf32 || compiler.backend->has_tf32(), ErrorKind::unsupported, "rung {} needs an NVIDIA GPU; the device is {}",
            compiler.rung->name, compiler.backend->name());
    require(!o.low_memory || compiler.backend->is_host(), ErrorKind::unsupported, "low_memory needs the CPU; the device is {}", compiler.backend->name());
    const std::vector<Dtype>& narrow = compiler.rung->quantized;
    require(narrow.empty() || std::ranges::any_of(narrow, [&](Dtype t) { return compiler.backend->has_quantized(t); }), ErrorKind::unsupported,
            "rung {}: the device is {}; int8 needs the CPU or an NVIDIA GPU of compute capability 8.0, fp8 an NVIDIA GPU of 8.9", compiler.rung->name,
            compiler.backend->description());
  }

  std::string name() const { return model_name(options.model.empty() ? model.checkpoint().path() : options.model); }
  std::string loras() const {
    std::vector<std::string> texts;
    for (const Lora& lora : options.loras) texts.push_back(fmt::format("{}:{:g}", model_name(lora.path), lora.weight));
    return fmt::format("{}", fmt::join(texts, ", "));
  }
  // Words of textual inversion that a picture's prompts use.
  std::string embeddings_in(const Picture& p) const {
    std::set<std::string> words;
    auto add = [&](const std::string& text) {
      constexpr std::string_view mark = "embedding:";
      for (const TokenizedPiece& piece : model.conditioner().encoders()[0]->tokenizer().pieces(text))
        if (piece.added) words.insert(piece.text.starts_with(mark) ? piece.text.substr(mark.size()) : piece.text);
    };
    if (!options.embeddings.empty() && !p.prompt_embeds)
      for (const std::string& text : {p.prompt, p.negative_prompt, p.prompt_2.value_or(""), p.negative_prompt_2.value_or("")}) add(text);
    return fmt::format("{}", fmt::join(words, ", "));
  }
  int native_side() const { return int(model.unet().sample_size * vae_config.downscale()); }

  std::vector<Run> check(const Request& r, const Warn& warn) {
    require(options.vae_tiling != VaeTiling::on || r.dump_pattern.empty(), ErrorKind::usage,
            "a dump holds whole values, and vae_tiling is on: they do not go together");
    require(options.vae_tiling != VaeTiling::on || wrap_of(r) == Wrap{}, ErrorKind::usage, "a seamless picture is decoded in one piece, and vae_tiling is on: they do not go together");
    require(!refiner || std::ranges::none_of(r.pictures, brings_embeds),
            ErrorKind::unsupported, "prompt embeddings are of one model, and a refiner is set, which needs the prompts themselves");
    return plan_runs(r, model, refiner.get(), int(vae_config.downscale()), warn);
  }

  // The stages of generate() and what they need on a rung.
  std::vector<Stage> stages(const std::vector<Run>& runs, const Rung& rung, bool tiled) {
    const Request& request = runs[0].job.request;
    const bool keep_all = !request.dump_pattern.empty();
    Stage text{.name = "text"};
    for (const Run& run : runs)
      if (run.from != From::enlarged) add_text(text, run, rung, keep_all);
    std::vector<Stage> all{std::move(text)};
    // What a network has prepared for one size stays when it runs at another.
    std::map<Component*, std::vector<Component::Held>> recorded;
    std::vector<Decoding> decoded;
    auto decode = [&](const Job& job) {
      decoded.push_back(decoding_of(job, tiled));
      all.emplace_back(Stage{.name = "decode"}).add(decoder.component(), decoder.need(decoded, rung, keep_all));
    };
    auto add = [&](const char* name, Component& component, const Component::Need& need) { all.emplace_back(Stage{.name = name}).add(component, need); };
    for (size_t i = 0; i < runs.size(); ++i) {
      const auto& [of, from, job] = runs[i];
      const bool through_pictures = from == From::enlarged && !enlarges_latents(request.hires->upscaler);
      if (through_pictures) decode(runs[i - 1].job);
      if (through_pictures || (from == From::beginning && request.init_image)) add("encode", encoder.component(), encoder.need(job.width, job.height, wrap_of(request), rung));
      Component& unet = of->denoiser().component();
      recorded[&unet].push_back({of->denoiser().recording(job), 0});
      add(from == From::beginning ? "denoise" : from == From::enlarged ? "denoise enlarged" : "refine", unet, unet.need(recorded[&unet], rung, keep_all));
    }
    if (request.decode) decode(runs.back().job);
    return all;
  }
  static void add_text(Stage& stage, const Run& run, const Rung& rung, bool keep_all) {
    for (const auto& encoder : run.model->conditioner().encoders())
      stage.add(encoder->component(), encoder->need(run.job.pictures * int64_t(run.job.prompts.length), run.job.request.clip_skip, rung, keep_all));
  }

  struct MemoryPlanned {
    MemoryForecast forecast{};
    std::vector<Stage> stages{};
    std::vector<StagePlan> plan{};
  };
  MemoryPlanned plan_memory(const std::vector<Run>& runs, const Rung& rung, VaeTiling tiling) {
    const Job& job = runs.back().job;  // the largest
    MemoryBudget& counted = compiler.backend->memory();
    const bool host = compiler.backend->is_host();  // a GPU's memory holds nothing but weights and executables
    const int64_t process = host ? process_bytes(job.pictures, job.width, job.height) : 0;
    const int64_t left = compiler.backend->memory_left() + (host ? process_bytes(0, 0, 0) : 0);
    const int64_t budget = options.memory_limit ? options.memory_limit : counted.used() + left;
    counted.set_limit(std::max<int64_t>(0, budget - process));
    MemoryPlanned planned{.forecast = {.process = process, .peak = process, .budget = budget, .vae_tiled = tiling == VaeTiling::on},
                          .stages = stages(runs, rung, tiling == VaeTiling::on)};
    planned.plan = plan_stages(planned.stages, budget - process);
    // Tiles are slower, so where there is a choice they are taken only if the decoder does not fit in one piece.
    if (tiling == VaeTiling::automatic && job.request.decode && job.request.dump_pattern.empty() && wrap_of(job.request) == Wrap{} && planned.plan.back().memory.peak > budget - process) {
      planned.forecast.vae_tiled = true;
      planned.stages = stages(runs, rung, true);
      planned.plan = plan_stages(planned.stages, budget - process);
    }
    for (const StagePlan& stage : planned.plan) {
      planned.forecast.stages.push_back(stage.memory);
      planned.forecast.peak = std::max(planned.forecast.peak, process + stage.memory.peak);
    }
    MemoryForecast& forecast = planned.forecast;
    forecast.originals = model.originals_bytes();
    if (forecast.originals == 0) return planned;
    const Originals::Room room = room_for_originals(budget - forecast.peak);
    forecast.originals_on_device = std::min(forecast.originals, room.device);
    forecast.originals_on_host = std::min(forecast.originals - forecast.originals_on_device, room.host);
    return planned;
  }
  // Of the host half of what is left may be pinned, with what is already.
  Originals::Room room_for_originals(int64_t spare) {
    if (compiler.backend->is_host()) return {};  // which would copy the file's pages
    return {.device = std::max<int64_t>(0, spare), .host = (model.kept_originals().host + available_memory()) / 2};
  }
  MemoryPlanned plan_memory(const std::vector<Run>& runs, const Rung& rung) { return plan_memory(runs, rung, options.vae_tiling); }

  // The request changed in ways of which each makes it fit, as text.
  std::vector<std::string> what_would_fit(const std::vector<Run>& runs) {
    std::vector<std::string> found;
    const int unit = int(vae_config.downscale());
    const Job& job = runs.back().job;  // whose size is the picture's
    auto fits = [&](int64_t pictures, int part, const Rung& rung) {
      std::vector<Run> smaller;
      for (const Run& run : runs) {
        Job& j = smaller.emplace_back(run).job;
        j.pictures = pictures;
        for (int* side : {&j.width, &j.height}) *side = *side * part / 16 / unit * unit;
        j.h = j.height / unit, j.w = j.width / unit;
        if (j.h == 0 || j.w == 0) return false;
      }
      return plan_memory(smaller, rung).forecast.fits();
    };
    if (options.vae_tiling == VaeTiling::off && wrap_of(job.request) == Wrap{} && plan_memory(runs, *compiler.rung, VaeTiling::on).forecast.fits()) found.push_back("the VAE in tiles");
    for (int64_t pictures = job.pictures / 2; pictures > 0; pictures /= 2)
      if (fits(pictures, 16, *compiler.rung)) {
        found.push_back(fmt::format("{} picture{} at a time", pictures, pictures > 1 ? "s" : ""));
        break;
      }
    const Rung& fastest = find_rung(default_rung());
    if (compiler.rung != &fastest && fits(job.pictures, 16, fastest)) found.push_back(fmt::format("rung {}", fastest.name));
    for (int part = 15; part > 0; --part) {
      if (!fits(job.pictures, part, *compiler.rung)) continue;
      found.push_back(fmt::format("{}x{} pixels", job.width * part / 16 / unit * unit, job.height * part / 16 / unit * unit));
      break;
    }
    return found;
  }

  MemoryPlanned plan_memory(const std::vector<Run>& runs) {
    MemoryPlanned planned = plan_memory(runs, *compiler.rung);
    if (planned.forecast.fits()) return planned;
    planned.forecast.would_fit = what_would_fit(runs);
    return planned;
  }

  static Decoding decoding_of(const Job& job, bool tiled) { return {.pictures = job.pictures, .h = job.h, .w = job.w, .tiled = tiled, .wrap = wrap_of(job.request)}; }

  std::optional<Canvas> canvas_of(const Job& job) const {
    if (!job.request.init_image) return {};
    return Canvas(job.request, job.width, job.height, int(vae_config.downscale()));
  }

  std::vector<std::string> infotexts(const Job& job) const {  // of the first run
    const Request& request = job.request;
    InfotextFields fields{.model = name(),
                          .scheduler = job.schedule.label,
                          .refiner = refiner ? model_name(options.refiner) : "",
                          .tiny_decoder = options.tiny_decoder.empty() ? "" : model_name(options.tiny_decoder),
                          .loras = loras(),
                          .spacing = job.schedule.spacing,
                          .width = hayate::picture_size(job)[0],
                          .height = hayate::picture_size(job)[1]};
    std::vector<std::string> texts;
    for (const Picture& p : request.pictures) {
      fields.embeddings = embeddings_in(p);
      texts.push_back(hayate::infotext(request, p, fields));
    }
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

  // Originals have what a request leaves.
  void leave_room_for(const MemoryForecast& request) {
    spare = request.budget - request.peak;
    if (model.kept_originals().device > spare) model.forget_originals();
  }

  LoraChange change_loras(const std::vector<Lora>& loras) {
    return model.change_loras(loras, [&] { return room_for_originals(spare); });
  }

  LoraChange set_loras(const std::vector<Lora>& loras) {
    const LoraChange change = change_loras(loras);
    options.loras = loras;
    return change;
  }

  // What a second pass draws over: what the first has drawn, at the size of the second. `make_room` for a stage.
  std::vector<float> enlarge(const Job& from, const Job& to, const std::vector<float>& latents, LatentNoise& noise, bool tiled, auto& make_room,
                             CompileSeconds& seconds) {
    const Upscaler by = to.request.hires->upscaler;
    if (enlarges_latents(by)) return enlarged(latents, from.pictures, from.h, from.w, to.h, to.w, by);
    Dump nothing("", "");
    make_room();
    const std::vector<Image> images = decoder.decode(latents, decoding_of(from, tiled), to.request.on_decode, nothing, seconds);
    make_room();
    const std::vector<float> drawn = noise.draw();
    const size_t each = drawn.size() / images.size();
    std::vector<float> all;
    for (size_t i = 0; i < images.size(); ++i) {
      const Image larger = enlarged(images[i], to.width, to.height);
      const std::vector<float> one = encoder.encode(pixels_of(larger), to.width, to.height, wrap_of(to.request), std::span(drawn).subspan(i * each, each), seconds);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  Result generate(const Request& request) {
    Stopwatch total, watch;
    const std::vector<Run> runs = check(request, options.warn);
    const Job& first = runs[0].job;
    const std::optional<Canvas> canvas = canvas_of(first);
    Dump dump(request.dump_pattern, request.dump_file);
    CompileSeconds seconds;
    seconds.load += change_loras(loras_for(request)).seconds;
    watch.lap();
    Result result;
    compiler.backend->memory().start_peak();
    MemoryPlanned memory = plan_memory(runs);
    require(memory.forecast.fits(), ErrorKind::out_of_memory, "{}", refusal_text(memory.forecast, options.memory_limit > 0));
    leave_room_for(memory.forecast);
    seconds.compile += watch.lap();
    auto make_room = [&, next = size_t{0}]() mutable {  // for the next stage
      for (Component* other : memory.plan[next].gives_way) other->release();
      ++next;
    };
    // Each stage without what was spent on compiling for it, which is listed apart.
    auto stage = [&, spent = seconds.compile]() mutable {
      double before = std::exchange(spent, seconds.compile + seconds.load);
      return watch.lap() - (spent - before);
    };
    make_room();
    std::vector<Conditioning> told;
    for (const auto& [of, from, job] : runs) {
      Conditioner& conditioner = of->conditioner();
      const bool again = from == From::enlarged && job.guided == first.guided;  // the same texts
      told.push_back(again ? told[0] : conditioner.condition(job.prompts, request, job.width, job.height, dump, seconds));
      if (again) told.back().time_ids = conditioner.time_ids(job.prompts, request, job.width, job.height);
    }
    result.timings.text = stage();
    LatentNoise noise = noise_of(first, model.unet().out_channels);
    Start start;
    for (size_t i = 0; i < runs.size(); ++i) {
      const auto& [of, from, job] = runs[i];
      if (from == From::beginning) {
        if (request.init_image) make_room();
        start = start_of(job, canvas ? &*canvas : nullptr, model.unet(), encoder, noise, *compiler.backend, seconds);
      } else if (from == From::enlarged) {
        noise = noise_of(job, model.unet().out_channels);
        start = start_over(job, enlarge(runs[i - 1].job, job, result.latents, noise, memory.forecast.vae_tiled, make_room, seconds), noise);
      } else {
        start.x = std::move(result.latents), start.device_x = {};
      }
      make_room();
      Latents latents = of->denoiser().run(job, told[i], start, noise, dump, seconds);
      result.latents = std::move(latents.values), result.device_latents = std::move(latents.there);
      if (i == 0 && !dump.active()) result.work = model.denoiser().work(job, seconds);  // now: decoding may need the memory of the UNet
    }
    result.timings.denoise = stage();
    if (request.decode) {
      make_room();
      result.images = decoder.decode(result.latents, decoding_of(runs.back().job, memory.forecast.vae_tiled), request.on_decode, dump, seconds);
    }
    for (Image& image : result.images)
      if (canvas) image = canvas->finished(std::move(image));
    result.timings.decode = stage();
    if (dump.active()) dump.write();
    result.infotext = infotexts(first);
    result.timings.compile = seconds.compile;
    result.timings.load = seconds.load;
    result.timings.total = total.lap();
    result.peak_memory = compiler.backend->memory().peak();
    return result;
  }

  std::vector<EncodedPrompt> encode_prompts(const Request& request) {
    require(std::ranges::none_of(request.pictures, brings_embeds), ErrorKind::usage, "prompts to encode are given as embeddings already");
    const std::vector<Run> runs = check(request, options.warn);
    const Job& job = runs[0].job;
    CompileSeconds seconds;
    Dump nothing("", "");
    change_loras(loras_for(request));
    MemoryPlanned memory = plan_memory(runs, *compiler.rung);
    leave_room_for(memory.forecast);
    for (Component* other : memory.plan[0].gives_way) other->release();
    return encoded_prompts(model.conditioner().condition(job.prompts, request, job.width, job.height, nothing, seconds), request.pictures.size());
  }

  std::vector<LinearShape> measure_linears(const Request& request) {
    return hayate::measure_linears(model.denoiser().recording(check(request, {})[0].job).record[0], model.checkpoint().tensors("unet"), compiler);
  }

  std::vector<LayersError> quantization_errors(const Request& request) {
    require(request.steps > 1, ErrorKind::usage, "steps is {}; expected 2 or more, of which the one in the middle is taken", request.steps);
    const Job job = check(request, options.warn)[0].job;
    CompileSeconds seconds;
    Dump nothing("", "");
    const Conditioning c = model.conditioner().condition(job.prompts, request, job.width, job.height, nothing, seconds);
    Denoiser& denoiser = model.denoiser();
    Job half = job;
    half.schedule.rows.resize(job.schedule.rows.size() / 2);
    LatentNoise noise = noise_of(job, model.unet().out_channels);
    const std::optional<Canvas> canvas = canvas_of(job);
    Start start = start_of(job, canvas ? &*canvas : nullptr, model.unet(), encoder, noise, *compiler.backend, seconds);
    start.x = denoiser.run(half, c, start, noise, nothing, seconds).values, start.device_x = {};
    denoiser.component().release();
    auto record = [&] {
      Program p = denoiser.whole_recording(job).record[0]();
      p.outputs.push_back(p.find("conv_out"));
      return p;
    };
    auto write = [&](Executable& exec) { denoiser.write_step(exec, job, c, start, half.schedule.rows.size()); };
    return hayate::quantization_errors({record, write}, model.checkpoint().tensors("unet"), compiler);
  }

  std::vector<OpTime> profile(const Request& request, int runs) {
    generate(request);
    const std::vector<Run> all = check(request, options.warn);
    const Job& job = all[0].job;
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
    for (Rate section : {Rate::step, Rate::prompt}) add(section == Rate::step ? "step" : "prompt", *model.denoiser().executable(job, seconds), section);
    if (!plan_memory(all, *compiler.rung).forecast.vae_tiled) add("decode", *decoder.whole(decoding_of(job, false), seconds), Rate::prompt);
    return times;
  }

  Options options;
  Compiler compiler;
  DiffusionModel model;
  std::unique_ptr<DiffusionModel> refiner;  // may be none
  Compiler vae_compiler;
  VaeConfig vae_config;
  PictureEncoder encoder;
  PictureDecoder decoder;
  int64_t spare = 0;  // bytes that the last request left of the device's memory
};

Pipeline::Pipeline(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Result Pipeline::generate(const Request& request) { return impl_->generate(request); }
std::vector<EncodedPrompt> Pipeline::encode_prompts(const Request& request) { return impl_->encode_prompts(request); }
LoraChange Pipeline::set_loras(const std::vector<Lora>& loras) { return impl_->set_loras(loras); }
std::vector<Lora> Pipeline::loras_of(const Picture& picture, PromptSyntax syntax) const { return hayate::loras_of(picture, syntax, impl_->options.lora_folder); }
MemoryForecast Pipeline::forecast(const Request& request) { return impl_->plan_memory(impl_->check(request, {})).forecast; }
std::array<int, 2> Pipeline::picture_size(const Request& request) const { return hayate::picture_size(impl_->check(request, {}).back().job); }
std::vector<std::string> Pipeline::infotext(const Request& request) const { return impl_->infotexts(impl_->check(request, {})[0].job); }
std::vector<OpTime> Pipeline::profile(const Request& request, int runs) { return impl_->profile(request, runs); }
Ceilings Pipeline::measure_ceilings() { return hayate::measure_ceilings(impl_->compiler); }
double Pipeline::step_floor(const Request& request, const Ceilings& ceilings) { return impl_->model.denoiser().floor(impl_->check(request, {})[0].job, ceilings); }
std::vector<LinearShape> Pipeline::measure_linears(const Request& request) { return impl_->measure_linears(request); }
std::vector<LayersError> Pipeline::quantization_errors(const Request& request) { return impl_->quantization_errors(request); }
int Pipeline::native_width() const { return impl_->native_side(); }
int Pipeline::native_height() const { return impl_->native_side(); }
std::string Pipeline::model() const { return impl_->name(); }
std::string Pipeline::device() const { return impl_->compiler.backend->description() + (impl_->compiler.second ? ", and a second one for guidance" : ""); }
int Pipeline::gpu() const { return impl_->compiler.backend->gpu(); }
std::string Pipeline::rung() const { return impl_->compiler.rung->name; }

std::vector<RungInfo> rungs(const std::string& device) {
  std::vector<RungInfo> infos;
  for (const Rung& r : ladder())
    if ((!r.tf32 && r.quantized != std::vector{Dtype::f8}) || device.empty() || is_cuda(device)) infos.push_back({r.name, r.what});
  return infos;
}
std::string version() { return HAYATE_VERSION; }

std::vector<std::string> read_prompts(const std::string& path) { return prompt_lines(read_text_stream(path, size_t{16} << 20), path); }

}  // namespace hayate
