// THE TABLE of what `hayate generate` can be told: a new request field gets one line here.
#include "generate_options.h"

#include <map>

#include "hayate/names.h"
#include "output_names.h"
#include "shared_options.h"

namespace hayate::cli {

namespace {

const std::map<std::string, Noise> noise_names = {
    {"torch-cpu", Noise::torch_cpu}, {"torch-cpu-fp16", Noise::torch_cpu_fp16}, {"torch-cpu-bf16", Noise::torch_cpu_bf16}, {"torch-cuda", Noise::torch_cuda}};

void add_what_to_draw(Table t, GenerateForm& form) {
  Request& request = form.command.request;
  t.group = "Prompt";
  t.choice("--prompt-syntax", "whose syntax prompts have", "diffusers", keys_of(prompt_syntaxes()),
           [&](const std::string& name) { request.prompt_syntax = prompt_syntaxes().at(name); });
  t.group = "What to draw";
  t.text("--negative", "TEXT", "what the picture should not show", form.picture.negative_prompt);
  t.text("--prompt-2", "TEXT", "prompt for the second text encoder (default: the prompt)", form.picture.prompt_2);
  t.text("--negative-2", "TEXT", "negative prompt for the second text encoder (default: --negative)", form.picture.negative_prompt_2);
  repeatable(t.text("--seed", "N", fmt::format("number that decides the noise (default {}); repeat for one seed a picture", form.picture.seed),
                    [&](const std::string& given) { form.seeds.push_back(parse_number<uint64_t>("--seed", given, 0, UINT64_MAX)); }));
  CLI::Option* init = t.text("-i,--init-image", "FILE", "a PNG, JPEG or WebP picture to start from; it is resized to -W x -H (default: its own size)",
         [&](const std::string& path) { request.init_image = read_image(path).image; });
  t.number("--strength", fmt::format("0 to 1: how much of that picture is drawn anew (default {})", request.strength), request.strength, 0.0, 1.0);
  t.choice("--fit", "how that picture comes to another shape", "stretch", keys_of(fits()), [&](const std::string& name) { request.fit = fits().at(name); });
  CLI::Option* mask = t.text("--mask", "FILE", "a picture, white where the one to start from is drawn anew and black where it stays; stretched to its size",
                             [&](const std::string& path) { request.mask = read_image(path).image; });
  needs(mask, init);
  needs(t.number("--mask-blur", "pixels over which old and new meet, as a standard deviation (default 0)", request.mask_blur, 0.0, 1000.0), mask);
  needs(t.choice("--mask-content", "what drawing begins with where the mask is white: the picture, colours around it, or a latent of noise or zeros", "original",
                 keys_of(mask_contents()), [&](const std::string& name) { request.mask_content = mask_contents().at(name); }), mask);
  needs(t.number("--mask-area", "draw only what is around the white, so many pixels more on each side, at -W x -H (default: the model's own)",
                 request.mask_area, 0, largest_side), mask);
  add_size(t, request.width, request.height);
  t.choice("--seamless", "a picture that continues at the opposite edge", "none", {"none", "x", "y", "both"}, [&](const std::string& name) {
    request.seamless_x = name == "x" || name == "both";
    request.seamless_y = name == "y" || name == "both";
  });
  CLI::Option* varied = t.number("--variation-seed", "another seed whose noise is mixed in", form.picture.variation_seed, uint64_t{0}, UINT64_MAX);
  inseparable(varied, t.number("--variation-strength", "0 to 1: by how much", form.picture.variation_strength, 0.0f, 1.0f));
}

void add_hires(Table t, GenerateForm& form) {
  const Hires usual;
  auto hires = [&request = form.command.request]() -> Hires& { return request.hires ? *request.hires : request.hires.emplace(); };
  CLI::Option* scale = t.text("--hires", "X", "hires fix: draw once more over the picture, enlarged by so much (1 to 8)",
                              [=](const std::string& given) { hires().scale = parse_number("--hires", given, 1.0, 8.0); });
  needs(t.text("--hires-strength", "X", fmt::format("0 to 1: how much of it is drawn anew (default {})", usual.strength),
               [=](const std::string& given) { hires().strength = parse_number("--hires-strength", given, 0.0, 1.0); }), scale);
  needs(t.text("--hires-steps", "N", "of which that share is done (default: --steps)",
               [=](const std::string& given) { hires().steps = parse_number("--hires-steps", given, 1, 1000); }), scale);
  needs(t.choice("--hires-upscaler", "how it is enlarged: as a latent, or decoded (lanczos)", "latent", keys_of(upscalers_by_name()),
                 [=](const std::string& name) { hires().upscaler = upscalers_by_name().at(name); }), scale);
}

void add_sampling(Table t, GenerateForm& form) {
  Request& request = form.command.request;
  t.group = "How to draw it";
  t.number("--steps", fmt::format("denoising steps: more is finer and slower (default {})", request.steps), request.steps, 1, 1000);
  t.number("--guidance", fmt::format("how closely to follow the prompt; up to 1: no negative prompt (default {})", form.picture.guidance),
           form.picture.guidance, 0.0f, 100.0f);
  t.number("--guidance-rescale", "0 to 1: tones down overexposure from high guidance (default 0)", form.picture.guidance_rescale, 0.0f, 1.0f);
  t.number("--mimic-guidance", "dynamic thresholding: a high --guidance with the contrast that this one has (default 0: off)", form.picture.mimic_guidance, 0.0f, 100.0f);
  t.number("--handover", "share of the noise schedule after which --refiner goes on (default 0.8)", request.handover, 0.0, 1.0);
  t.number("--aesthetic-score", "0 to 10: what a refiner is told of the picture to draw (default 6)", form.picture.aesthetic_score, 0.0f, 10.0f);
  t.number("--negative-aesthetic-score", "and of the one not to draw (default 2.5)", form.picture.negative_aesthetic_score, 0.0f, 10.0f);
  add_hires(t, form);
  t.number("--clip-skip", "leave out this many more last layers of the text encoders (default 0)", request.clip_skip, 0, 64);
  add_sampler(t, request);
  t.number("--eta", "0 to 1: how much of a step is new noise, in schedulers that have it", request.eta, 0.0, 1.0);
  t.number("--s-noise", "factor of new noise (default 1)", request.s_noise, 0.0, 10.0);
  t.number("--s-churn", "scheduler euler: noise added before steps, in all of them together (default 0)", request.s_churn, 0.0, 1000.0);
  t.number("--s-tmin", "least sigma at which it is added (default 0)", request.s_tmin, 0.0, 1e6);
  t.number("--s-tmax", "largest sigma at which it is added (default: any)", request.s_tmax, 0.0, 1e6);
  add_methods(t, request);
  t.choice("--noise", "whose random numbers a seed means", "torch-cpu", keys_of(noise_names),
           [&](const std::string& name) { request.noise = noise_names.at(name); });
  t.choice("--noise-batch", "noise of several pictures", "per-image", {"per-image", "shared"},
           [&](const std::string& name) { request.shared_noise = name == "shared"; });
}

void add_micro_conditioning(Table t, GenerateForm& form) {
  t.group = "Micro-conditioning (pixels; SDXL was trained with these)";
  form.micro.add_to(t, "--", "");
  form.negative_micro.add_to(t, "--negative-", " (negative half; default: as above)");
}

void add_running(Table t, Options& options) {
  t.group = "Model, machine and files";
  add_model(t, options);
  add_machine(t, options);
}

void add_for_developers(Table t, GenerateForm& form) {
  t.group = "For developers";
  CLI::Option* dump = t.text("--dump", "PATTERN", "values to record, by name: \"mid_block.*\"", form.command.request.dump_pattern);
  CLI::Option* dump_to = t.text("--dump-to", "FILE", ".safetensors file that receives them", form.command.request.dump_file);
  inseparable(dump, dump_to);
  t.text("--print-program", "FOLDER", "write the program after every pass there", form.command.options.print_program);
}

// Every prompt `--batch` times. One --seed counts up; several are one for each picture.
std::vector<Picture> pictures_of(const GenerateForm& form) {
  if (form.prompts.empty()) refuse("no prompt. Try: hayate generate \"a castle on a hill at night\"");
  size_t implied = form.prompts.size() == 1 ? std::max<size_t>(form.seeds.size(), 1) : 1;
  size_t each = form.batch ? size_t(*form.batch) : implied, count = form.prompts.size() * each;
  if (count > most_pictures) refuse("{} pictures in one call; at most {} are possible", count, most_pictures);
  if (form.seeds.size() > 1 && form.seeds.size() != count) refuse("--seed: given {} times for {} pictures", form.seeds.size(), count);

  std::vector<Picture> pictures(count, form.picture);
  for (size_t i = 0; i < count; ++i) {
    pictures[i].prompt = form.prompts[i / each];
    pictures[i].seed = form.seeds.size() > 1 ? form.seeds[i] : (form.seeds.empty() ? form.picture.seed : form.seeds[0]) + i;
  }
  return pictures;
}

}  // namespace

CLI::Option* add_prompt(Table t, const std::string& help, GenerateForm& form) {
  return t.text("prompt", "", help, [&](const std::string& p) { form.prompts.push_back(p); });
}

void add_drawing(Table t, GenerateForm& form) {
  add_what_to_draw(t, form);
  add_sampling(t, form);
  add_micro_conditioning(t, form);
  add_running(t, form.command.options);
}

void add_result(Table t, GenerateCommand& command) {
  t.group = "Model, machine and files";
  t.text("-o,--output", "FILE", fmt::format("PNG, JPEG or WebP file, named with {} (default {})", placeholders(), command.output),
         command.output);
  t.number("--quality", fmt::format("of JPEG and WebP; 100 in WebP: lossless (default {})", command.quality), command.quality, 1, 100);
  add_json(t, "print one JSON object about the result, and no progress", command.json);
  t.flag("--quiet", "print file names and errors only", command.quiet);
}

void add_options(Table t, GenerateForm& form) {
  t.group = "Prompt";
  several(add_prompt(t, "what the picture should show; several prompts are drawn together, as many as memory holds", form), int(most_pictures));
  t.text("--prompts-file", "FILE", "more prompts, one a line; - is standard input; lines that begin with # are left out",
         [&](const std::string& given) {
           std::vector<std::string> more = read_prompts(given == "-" ? "/dev/stdin" : given);
           form.prompts_in_file.insert(form.prompts_in_file.end(), more.begin(), more.end());
         });
  add_drawing(t, form);
  t.group = "What to draw";
  t.number("--batch", "pictures of each prompt, drawn together; their seeds count up (default 1)", form.batch, 1, int(most_at_once));
  add_result(t, form.command);
  add_for_developers(t, form);
}

GenerateCommand finish(GenerateForm form) {
  check_pattern(form.command.output);
  form.prompts.insert(form.prompts.end(), form.prompts_in_file.begin(), form.prompts_in_file.end());
  form.picture.micro = form.micro.over({});
  if (form.negative_micro.given()) form.picture.negative_micro = form.negative_micro.over(form.picture.micro);
  form.command.request.pictures = pictures_of(form);
  return form.command;
}

}  // namespace hayate::cli
