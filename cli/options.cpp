// THE TABLE of command-line options: name, limits, help text. A new request field gets one line here.
#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "exit_code.h"
#include "help_format.h"

namespace hayate::cli {

namespace {

constexpr size_t most_pictures = 64;
constexpr int largest_side = 16384;

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(ErrorKind::usage, fmt::format(text, std::forward<Args>(args)...));
}

// CLI11's own conversion takes octal, wraps negative numbers and lets NaN through ranges.
template <class T>
T parse_number(const std::string& option, const std::string& text, T low, T high) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= low && value <= high))
    refuse("{}: expected a {} from {} to {}, got \"{}\"", option, std::is_integral_v<T> ? "whole number" : "number", low, high, text);
  return value;
}

std::array<int, 2> parse_pair(const std::string& option, const std::string& text, char separator, const char* form, int low) {
  size_t at = text.find(separator);
  if (at == std::string::npos) refuse("{}: expected {}, got \"{}\"", option, form, text);
  return {parse_number<int>(option, text.substr(0, at), low, largest_side), parse_number<int>(option, text.substr(at + 1), low, largest_side)};
}

// Adds options of the kinds that hayate has to one subcommand.
struct Table {
  CLI::App* app;
  std::string group;

  CLI::Option* text(const char* names, const char* placeholder, const std::string& help, std::function<void(const std::string&)> take) {
    CLI::callback_t call = [take = std::move(take)](const CLI::results_t& given) { return std::ranges::for_each(given, take), true; };
    return app->add_option(names, call, help)->option_text(placeholder)->group(group);
  }
  template <class T>
  CLI::Option* text(const char* names, const char* placeholder, const std::string& help, T& value) {
    return text(names, placeholder, help, [&value](const std::string& given) { value = given; });
  }
  template <class T, class V>
  CLI::Option* number(const char* names, const std::string& help, V& value, T low, T high) {
    std::string option = std::string(names).substr(std::string(names).find("--"));
    return text(names, "N", help, [=, &value](const std::string& given) { value = parse_number<T>(option, given, low, high); });
  }
  CLI::Option* choice(const char* name, const std::string& help, const std::string& fallback, const std::vector<std::string>& among,
                      std::function<void(const std::string&)> take) {
    std::string option = name, all = fmt::format("{}", fmt::join(among, ", "));
    return text(name, "NAME", fmt::format("{}: {} (default: {})", help, all, fallback), [=, take = std::move(take)](const std::string& given) {
      if (std::ranges::find(among, given) == among.end()) refuse("{}: expected one of {}, got \"{}\"", option, all, given);
      take(given);
    });
  }
  CLI::Option* flag(const char* name, const std::string& help, std::function<void()> take) {
    return app->add_flag_callback(name, std::move(take), help)->group(group);
  }
  CLI::Option* flag(const char* name, const std::string& help, bool& value) {
    return flag(name, help, [&value] { value = true; });
  }
};

// Micro-conditioning as given: only what was named replaces a default.
struct MicroForm {
  std::optional<std::array<int, 2>> original_size, crop_top_left, target_size;

  void add_to(Table& table, const std::string& prefix, const std::string& fallback) {
    auto size = [&](const char* name, const char* help, std::optional<std::array<int, 2>>& value) {
      std::string option = prefix + name;
      table.text(option.c_str(), "WxH", help + fallback, [option, &value](const std::string& given) {
        auto [width, height] = parse_pair(option, given, 'x', "WIDTHxHEIGHT as in 1024x768", 1);
        value = {height, width};
      });
    };
    size("original-size", "size of the training picture to imitate", original_size);
    std::string crop = prefix + "crop";
    table.text(crop.c_str(), "X,Y", "left and top edge cut off that picture" + fallback, [crop, this](const std::string& given) {
      auto [left, top] = parse_pair(crop, given, ',', "LEFT,TOP as in 0,64", 0);
      crop_top_left = {top, left};
    });
    size("target-size", "size that the picture should look made for", target_size);
  }
  bool given() const { return original_size || crop_top_left || target_size; }
  MicroConditioning over(MicroConditioning base) const {
    return {original_size.value_or(base.original_size), crop_top_left.value_or(base.crop_top_left), target_size.value_or(base.target_size)};
  }
};

// What `generate` was given, before prompts, seeds and --batch become pictures.
struct GenerateForm {
  GenerateCommand command;
  std::vector<std::string> prompts;
  std::vector<uint64_t> seeds;
  std::optional<int> batch;
  Picture picture;  // all but prompt and seed, which every picture has of its own
  MicroForm micro, negative_micro;
};

std::vector<std::string> rung_names() {
  std::vector<std::string> names;
  for (const RungInfo& rung : rungs()) names.push_back(rung.name);
  return names;
}

const std::map<std::string, Noise> noise_names = {
    {"torch-cpu", Noise::torch_cpu}, {"torch-cpu-fp16", Noise::torch_cpu_fp16}, {"torch-cpu-bf16", Noise::torch_cpu_bf16}};

void add_what_to_draw(Table t, GenerateForm& form) {
  Request& request = form.command.request;
  t.group = "What to draw";
  t.text("--negative", "TEXT", "what the picture should not show", form.picture.negative_prompt);
  t.text("--prompt-2", "TEXT", "prompt for the second text encoder (default: the prompt)", form.picture.prompt_2);
  t.text("--negative-2", "TEXT", "negative prompt for the second text encoder (default: --negative)", form.picture.negative_prompt_2);
  t.text("--seed", "N", fmt::format("number that decides the noise (default {}); repeat for one seed a picture", form.picture.seed),
         [&](const std::string& given) { form.seeds.push_back(parse_number<uint64_t>("--seed", given, 0, UINT64_MAX)); })
      ->expected(1, -1)
      ->allow_extra_args(false);
  t.number("-W,--width", "pixels, a multiple of 8 (default: the model's own)", request.width, 8, largest_side);
  t.number("-H,--height", "pixels, a multiple of 8 (default: the model's own)", request.height, 8, largest_side);
  t.number("--batch", "pictures of each prompt, drawn together; their seeds count up (default 1)", form.batch, 1, int(most_pictures));
}

void add_sampling(Table t, GenerateForm& form) {
  Request& request = form.command.request;
  t.group = "How to draw it";
  t.number("--steps", fmt::format("denoising steps: more is finer and slower (default {})", request.steps), request.steps, 1, 1000);
  t.number("--guidance", fmt::format("how closely to follow the prompt; up to 1: no negative prompt (default {})", form.picture.guidance),
           form.picture.guidance, 0.0f, 100.0f);
  t.number("--guidance-rescale", "0 to 1: tones down overexposure from high guidance (default 0)", form.picture.guidance_rescale, 0.0f, 1.0f);
  t.number("--clip-skip", "leave out this many more last layers of the text encoders (default 0)", request.clip_skip, 0, 64);
  t.choice("--scheduler", "sampling method", "the model's own", schedulers(), [&](const std::string& name) { request.scheduler = name; });
  t.choice("--spacing", "how steps are spread over time", "the model's own", {"leading", "trailing", "linspace"},
           [&](const std::string& name) { request.timestep_spacing = name; });
  CLI::Option* karras = t.flag("--karras", "Karras sigmas (default: the model's own)", [&] { request.karras = true; });
  t.flag("--no-karras", "no Karras sigmas", [&] { request.karras = false; })->excludes(karras);
  std::vector<std::string> noises;
  for (const auto& [name, noise] : noise_names) noises.push_back(name);
  t.choice("--noise", "whose random numbers a seed means", "torch-cpu", noises,
           [&](const std::string& name) { request.noise = noise_names.at(name); });
  t.choice("--noise-batch", "noise of several pictures", "per-image", {"per-image", "shared"},
           [&](const std::string& name) { request.shared_noise = name == "shared"; });
}

void add_micro_conditioning(Table t, GenerateForm& form) {
  t.group = "Micro-conditioning (pixels; SDXL was trained with these)";
  form.micro.add_to(t, "--", "");
  form.negative_micro.add_to(t, "--negative-", " (negative half; default: as above)");
}

void add_running(Table t, GenerateForm& form) {
  Request& request = form.command.request;
  Options& options = form.command.options;
  t.group = "Model, machine and files";
  t.text("-m,--model", "FOLDER", "model in diffusers' folder layout (default: the built-in model)", [&](const std::string& given) {
    if (given.empty()) refuse("--model: expected a folder, got \"\"");
    options.model = given;
  });
  t.text("-o,--output", "FILE", fmt::format("PNG file; several pictures become FILE-1, FILE-2 ... (default {})", form.command.output),
         form.command.output);
  t.choice("--rung", "see `hayate rungs`", "the fastest", rung_names(), [&](const std::string& name) { options.rung = name; });
  t.text("--device", "NAME", fmt::format("cpu, or reference: slow and plain (default {})", options.device), options.device);
  t.flag("--json", "print one JSON object about the result, and no progress", form.command.json);
  t.flag("--quiet", "print file names and errors only", form.command.quiet);
  t.group = "For developers";
  CLI::Option* dump = t.text("--dump", "PATTERN", "values to record, by name: \"mid_block.*\"", request.dump_pattern);
  CLI::Option* dump_to = t.text("--dump-to", "FILE", ".safetensors file that receives them", request.dump_file);
  dump->needs(dump_to);
  dump_to->needs(dump);
  t.text("--print-program", "FOLDER", "write the program after every pass there", options.print_program);
}

CLI::App* add_generate(CLI::App& app, GenerateForm& form) {
  CLI::App* generate = app.add_subcommand("generate", "Draw a picture from a prompt");
  generate->get_help_ptr()->group("");  // who reads it has found it
  generate->description(
      "Draws a picture from a prompt.\n\n"
      "  hayate generate \"a castle on a hill at night\"\n"
      "  hayate generate \"a lighthouse at dusk\" -m path/to/sdxl -o lighthouse.png --seed 7 --steps 30\n"
      "  hayate generate \"a red castle\" \"a blue castle\" --batch 2      # four pictures");
  Table table{generate, "Prompt"};
  // CLI11 splits a text like "[a, b]" where any number of arguments is allowed, so their number is fixed, and then not checked.
  table
      .text("prompt", "", "what the picture should show; several prompts are drawn together",
            [&](const std::string& p) { form.prompts.push_back(p); })
      ->expected(int(most_pictures))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_what_to_draw(table, form);
  add_sampling(table, form);
  add_micro_conditioning(table, form);
  add_running(table, form);
  generate->footer(
      "The same seed, prompt and settings draw the same picture. Names of written files go to standard output, all else to\n"
      "standard error.\n\n" +
      exit_code_help());
  return generate;
}

CLI::App* add_compare(CLI::App& app, CompareCommand& command) {
  CLI::App* compare = app.add_subcommand("compare", "Find the first value that differs between two dumps");
  compare->get_help_ptr()->group("");
  compare->description(
      "Compares two dumps made with --dump, value by value, in the order of computation.\n\n"
      "  hayate generate \"a castle\" --rung fp32 --dump \"*\" --dump-to a.safetensors\n"
      "  hayate generate \"a castle\" --rung bf16 --dump \"*\" --dump-to b.safetensors\n"
      "  hayate compare a.safetensors b.safetensors --tolerance 0.02");
  Table table{compare, "Options"};
  table.text("A", "", "dump to check", command.a)->required();
  table.text("B", "", "dump to trust", command.b)->required();
  table.number("--tolerance", fmt::format("largest ||a - b|| / ||b|| that counts as equal (default {:g})", command.tolerance), command.tolerance, 0.0,
               1e9);
  table.flag("--json", "print all differences as JSON", command.json);
  return compare;
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

GenerateCommand finish(GenerateForm form) {
  if (!form.command.output.ends_with(".png")) refuse("--output: expected a name that ends in .png, got \"{}\"", form.command.output);
  form.picture.micro = form.micro.over({});
  if (form.negative_micro.given()) form.picture.negative_micro = form.negative_micro.over(form.picture.micro);
  form.command.request.pictures = pictures_of(form);
  return form.command;
}

}  // namespace

Command parse(int argc, const char* const* argv) {
  CLI::App app{"hayate draws pictures from text.\n\n  hayate generate \"a castle on a hill at night\"\n\nhayate SUBCOMMAND --help tells more.",
               "hayate"};
  app.formatter(std::make_shared<HelpFormat>());  // before subcommands, which inherit it
  app.set_version_flag("--version", "hayate " + version());
  app.require_subcommand(1);
  app.footer(exit_code_help());
  GenerateForm form;
  CompareCommand compare;
  CLI::App* generating = add_generate(app, form);
  CLI::App* comparing = add_compare(app, compare);
  app.add_subcommand("rungs", "List the optimisation levels, slowest first");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help or --version
    std::ostringstream text;
    app.exit(help, text, text);
    return ShowText{text.str()};
  } catch (const CLI::ParseError& error) { throw Error(ErrorKind::usage, error.what()); }
  if (*generating) return finish(std::move(form));
  if (*comparing) return compare;
  return RungsCommand{};
}

}  // namespace hayate::cli
