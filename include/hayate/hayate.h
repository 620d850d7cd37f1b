// hayate: text-to-image diffusion. Load a model once, then turn requests into pictures.
//
//   hayate::Pipeline pipeline({.model = "path/to/sdxl"});
//   hayate::Result result = pipeline.generate({.pictures = {{.prompt = "a lighthouse at dusk", .seed = 7}}});
//   hayate::write_image("out.png", result.images[0], result.infotext[0]);
//
// Every function throws hayate::Error (hayate/error.h) and nothing else of its own. Nothing here prints.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hayate/device_array.h"
#include "hayate/error.h"

namespace hayate {

// Which random numbers a seed stands for. All draw shape (1, 4, height/8, width/8) per picture, one generator each.
enum class Noise {
  torch_cpu,       // torch.Generator("cpu").manual_seed(seed), float32 randn: diffusers in float32, ComfyUI
  torch_cpu_fp16,  // the same generator drawing float16: diffusers with torch_dtype=float16
  torch_cpu_bf16,  // likewise bfloat16
  torch_cuda,      // torch.Generator("cuda"): diffusers and AUTOMATIC1111 on an NVIDIA GPU (and its "NV"), stable-diffusion.cpp with --rng cuda
};

// How prompts are read (docs/prompts.md). The two with weights also weigh, cut and join long prompts as their namesakes do, and
// skip layers of the text encoders for negative prompts too.
enum class PromptSyntax {
  diffusers,  // plain text; what does not fit the text encoder (75 tokens) is cut off with a warning
  a1111,      // AUTOMATIC1111's web UI: (word), (word:1.3), [word], \( \), BREAK; any length, in chunks of 75 tokens
  comfy,      // ComfyUI: (word), (word:1.3), \( \); any length, in chunks of 75 tokens
};

// Whether the VAE decodes a picture tile by tile: in less memory, more slowly, and the same but for rounding, as norms are those of the
// whole picture.
enum class VaeTiling {
  automatic,  // where memory is not enough for the decoder in one piece
  on,         // always; not together with a dump
  off,
};

// A LoRA file that is added to the weights of UNet and text encoders: LoRA and LoCon, LyCORIS LoHa and LoKr, each with or without DoRA, in the
// naming of kohya's scripts, LyCORIS, peft or diffusers.
struct Lora {
  std::string path{};                  // .safetensors file
  float weight = 1;                    // how much of it; less than 0 takes it away
  std::optional<float> text_weight{};  // of its parts for text encoders; default: weight
  bool operator==(const Lora&) const = default;
};

struct Options {
  std::string model{};           // diffusers folder, .safetensors file, or "org/name" in hub_cache; empty: the built-in model
  std::string refiner{};         // a second model that does the last steps, found as `model` is; empty: none
  std::string unet{}, vae{}, text_encoder{}, text_encoder_2{};  // file or folder instead of the model's own; empty: none
  std::string tiny_decoder{};    // TAESD's decoder in place of the autoencoder's: .safetensors file or diffusers folder; empty: none
  std::vector<Lora> loras{};     // all are added; what fits nothing in the model is told to `warn`
  // Textual inversion: .safetensors files, whose name without its ending is the word that prompts use (docs/prompts.md).
  std::vector<std::string> embeddings{};
  std::string lora_folder{};     // where the names in prompts, <lora:NAME:0.8> in the a1111 syntax, are looked up; empty: nowhere
  std::string hub_cache{};       // folder in which the Hugging Face tools keep downloads; empty: none
  std::string random{};          // instead of a model: an architecture at full size with random weights ("sdxl"), to measure speed
  // "cpu", "cuda" or "reference" (plain float32 loops: slow, the definition of correct). "cuda:1" is another GPU than the first; "cuda:0,1" two of
  // them, each of which computes a half of guidance.
  std::string device = "cpu";
  std::string rung{};            // a rung of the ladder by name; empty: the fastest for the device
  std::string dtype{};           // what rungs from bf16 on compute in: "bf16" or "fp16" (cuda); empty: bf16
  // What int8 and fp8 quantize: "gains" (what measures faster), "all", "article" (by the sizes that the tutorial leaves out), or a file of
  // patterns on names of layers, one a line.
  std::string quantize_layers = "gains";
  bool quantize_convolutions = false;  // the UNet's 3x3 convolutions too: int8 on a CPU and Hopper, fp8 on Hopper
  std::string vae_dtype{};       // likewise for the decoder, or "fp32"; empty: as dtype, but bf16 for fp16 where the model's force_upcast asks
  VaeTiling vae_tiling = VaeTiling::automatic;
  std::function<void(const std::string&)> warn{};  // e.g. a prompt that was cut; may be empty
  bool deterministic = false;    // cuda: no choice of algorithms by measurement, so that another machine of the kind computes the same
  int force_capability = 0;      // cuda: 80 or 89 runs the kernels of such a GPU on a newer one; 0: its own
  std::string print_program{};   // folder for each program after each pass (NN-pass.txt); empty: none
  bool low_memory = false;       // cpu: weights are not kept but read from the files in every step: slower, the same picture
  int64_t memory_limit = 0;      // bytes that the whole process may take (cuda: of the GPU's); 0: what is left when a request starts
};

// Micro-conditioning of SDXL: what the training picture would have looked like. Pixels.
struct MicroConditioning {
  std::array<int, 2> original_size{};        // height, width; zeros: the picture's own
  std::array<int, 2> crop_top_left{};        // top, left
  std::array<int, 2> target_size{};          // height, width; zeros: the picture's own
};

// What the text encoders make of a prompt, and the UNet reads.
struct PromptEmbeds {
  int tokens = 0;                // a multiple of those that a text encoder takes
  std::vector<float> hidden{};   // (tokens, width): the states of all text encoders side by side
  std::vector<float> pooled{};   // (pooled width); nothing for models without
  DeviceArray device_hidden{}, device_pooled{};  // the same on the pipeline's GPU or on the host; then the vectors are empty
};
struct EncodedPrompt {
  PromptEmbeds prompt{};
  std::optional<PromptEmbeds> negative{};  // where there is guidance
};

// What may differ between the pictures of one batch.
struct Picture {
  std::string prompt{};
  std::optional<std::string> prompt_2{};               // for the second text encoder; default: prompt
  std::string negative_prompt{};
  std::optional<std::string> negative_prompt_2{};      // default: negative_prompt
  uint64_t seed = 0;                                   // torch uses the low 32 bits on CPUs, all on GPUs
  float guidance = 5.0f;                               // classifier-free guidance scale; <= 1: no unconditional half
  float guidance_rescale = 0.0f;                       // 0..1, "Common Diffusion Noise Schedules ...", section 3.4
  float mimic_guidance = 0;                            // dynamic thresholding: the latent gets the contrast that this guidance would give; 0: off
  MicroConditioning micro{};
  std::optional<MicroConditioning> negative_micro{};   // default: micro
  float aesthetic_score = 6, negative_aesthetic_score = 2.5f;  // what refiners of SDXL are told beside these, without the target size
  uint64_t variation_seed = 0;                         // of noise that is mixed into that of `seed`,
  float variation_strength = 0;                        // 0..1: by so much of the way to it, on an arc, as AUTOMATIC1111's web UI does
  // Instead of encoding the prompts; as many tokens as others of the batch have.
  std::optional<PromptEmbeds> prompt_embeds{}, negative_prompt_embeds{};
};

struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb{};        // row-major, 3 bytes a pixel
};

// How a picture of another shape comes to a size.
enum class Fit {
  stretch,  // each side for itself
  crop,     // in proportion until it covers the size; what sticks out is cut off on both sides
  fill,     // in proportion until it fits in; its edges are drawn out to both sides
};

// What denoising begins with where a mask is white, under the noise of its first step: all that is seen of it from strengths below 1.
enum class MaskContent {
  original,  // the picture
  fill,      // colours from around it, softly
  noise,     // a latent of noise, the picture's own, so that a low strength shows it
  nothing,   // a latent of zeros
};

// How the picture of a first pass comes to the size of the second. The latent ones, as torch's interpolate, enlarge the latent: softer, and strengths from 0.5 on
// are needed to draw over it. With lanczos, as Pillow has it, the picture is decoded, enlarged and encoded again.
enum class Upscaler { latent, latent_bicubic, latent_nearest, lanczos };

// A second pass that goes on from the enlarged picture of the first, "hires fix" of AUTOMATIC1111's web UI: composition from a size that the model
// knows, detail from a larger one.
struct Hires {
  double scale = 1.5;            // of both sides, which become multiples of 8; 1 to 8
  Upscaler upscaler = Upscaler::latent;
  double strength = 0.7;         // of the second pass, as Request::strength
  int steps = 0;                 // of which it does a share `strength`; 0: Request::steps
  bool operator==(const Hires&) const = default;
};

// DeepCache (Ma et al., arXiv 2312.00858): most steps compute only the outer layers of the UNet and take what is deeper from the last step that
// computed all of it. Less work, another picture.
struct DeepCache {
  int interval = 1;              // one whole step in so many; 1: every step is whole
  int branch = 0;                // the innermost skip connection that is computed in every step, counted from the outside
  std::optional<int> center{};   // whole steps lie denser around this one, the paper's non-uniform schedule; default: evenly spread
  float power = 1.2f;            // by how much
};

struct Progress {
  int step = 0, steps = 0;           // step 1..steps has just finished
  double timestep = 0;
  std::span<const float> latent{};   // (pictures, latent_height, latent_width, 4), float32, valid during the call
  int latent_height = 0, latent_width = 0;  // an eighth of the picture's
};
using OnStep = std::function<bool(const Progress&)>;  // return false to cancel: generate() throws Error(cancelled)

// Called while pictures are decoded, after each tile, or where there are none each picture: `done` of `all`, a little less again when a picture
// that is not finite is decoded once more. Return false to cancel, as above.
using OnDecode = std::function<bool(int done, int all)>;

struct Request {
  std::vector<Picture> pictures{};   // one batch
  int width = 0, height = 0;         // pixels, divisible by 8; 0: the model's native size
  int steps = 30;
  PromptSyntax prompt_syntax = PromptSyntax::diffusers;  // of all prompts and negative prompts
  int clip_skip = 0;                 // skip this many more layers of the text encoders than the model's default
  double handover = 0.8;             // share of the noise schedule, by timesteps, after which Options::refiner goes on
  std::string scheduler{};           // one of schedulers() by any of its names; empty: the model's own
  std::optional<std::string> spacing{};  // how steps are spread: one of spacings() by any of its names; default: as the scheduler's name or the model says
  std::optional<double> eta{};       // 0..1, where the scheduler has it: how much of a step is new noise
  std::optional<double> s_noise{};   // 0..10, factor of new noise; default: 1
  std::optional<double> s_churn{}, s_tmin{}, s_tmax{};  // Euler: noise added in all steps together, and the sigmas between which it is; default: 0, all
  std::array<double, 2> guidance_interval{0, 1};  // of the steps, as fractions: outside of it no guidance and no unconditional half
  DeepCache deepcache{};
  Noise noise = Noise::torch_cpu;
  bool shared_noise = false;         // one draw for the whole batch from the first seed, as with a single generator
  OnStep on_step{};
  OnDecode on_decode{};
  // A picture to start from, resized to width x height (0: its own size, cut to multiples of 8) and shared by the batch. Only the last steps, a
  // share `strength` of them, are done: 0 keeps the picture (and is refused, as no step is left), 1 forgets nearly all of it.
  std::optional<Image> init_image{};
  double strength = 0.75;
  Fit fit = Fit::stretch;            // how init_image, and the mask with it, come to width x height
  // Inpainting: where the mask is white (more than half) the picture is drawn anew, elsewhere it stays. Needs init_image, to whose size it is stretched.
  // From strength 1 nothing of the picture is seen where it is white. Error(usage) for a mask without white.
  std::optional<Image> mask{};
  double mask_blur = 0;              // standard deviation, pixels of init_image: how softly old and new meet; 0 to 1000
  MaskContent mask_content = MaskContent::original;
  std::optional<int> mask_area{};    // draw only the surroundings of the white, so many pixels around it, at width x height (0: the model's native size)
  std::optional<Hires> hires{};      // with a refiner, which then goes on in the second pass only; not together with a picture to start from
  bool seamless_x = false, seamless_y = false;  // pictures that continue at their right edge on the left, and at the lower one above
  std::vector<float> latents{};      // initial noise instead of drawing it, (pictures, height/8, width/8, 4), unit variance
  DeviceArray device_latents{};      // the same on the pipeline's GPU or on the host; then `latents` is empty
  bool decode = true;                // false: no pictures, but Result::device_latents
  std::string dump_pattern{};        // glob over value names ("mid_block.*"); empty: no dump
  std::string dump_file{};           // .safetensors that receives them
};

// The prompts in a file or pipe, one a line; blank lines and lines that begin with # are left out. Throws Error(bad_file) that names
// the line for what is not UTF-8 text, and for more than 16 MiB.
std::vector<std::string> read_prompts(const std::string& path);

struct Timings {                     // seconds
  double load = 0;                   // reading and preparing weights during this call
  double compile = 0;                // recording, passes, memory plan
  double text = 0, denoise = 0, decode = 0, total = 0;
};

struct Work {                        // what a request gave the device to do
  int launches_per_step = 0;
  double step_flops = 0;             // of products, two for each multiplication
};

// What the device reaches at most, a second: in one large product in the rung's type, and in one large copy, read and written.
struct Ceilings {
  double flops = 0, bytes = 0;
  double narrow_flops = 0;  // of 8-bit factors; 0 on a rung that has none
  // The roofline model.
  double seconds(double of_flops, double of_bytes, bool narrow = false) const { return std::max(of_flops / (narrow ? narrow_flops : flops), of_bytes / bytes); }
};

struct OpTime {
  std::string name{}, op{}, shapes{};  // shapes: type, result, operands
  double seconds = 0;                // alone, the least of some runs
  double flops = 0, bytes = 0;       // what it must compute and move
  bool narrow = false;               // computes with 8-bit factors
};

struct Result {
  std::vector<Image> images{};          // none where nothing was decoded
  std::vector<std::string> infotext{};  // per picture: settings in the text form of AUTOMATIC1111
  std::vector<float> latents{};       // final, (pictures, height/8, width/8, 4)
  DeviceArray device_latents{};       // the same where they were computed, unless Request::decode
  int64_t peak_memory = 0;            // bytes of weights, activations and scratch, the most at once
  Timings timings;
  Work work{};
};

// The memory of one stage of a request, bytes. Weights are counted in the type and layout in which they are computed with.
struct MemoryStage {
  std::string name{};        // "text", "denoise", "decode"
  int64_t weights = 0;       // of the networks that run
  int64_t kept = 0;          // of other networks, which stay for the next request
  int64_t activations = 0, scratch = 0;
  int64_t peak = 0;          // the most that the stage takes at once, loading included
};
struct MemoryForecast {
  std::vector<MemoryStage> stages{};      // in the order in which they run
  int64_t process = 0;                    // what is not counted by stage: code, vocabularies, pictures
  int64_t peak = 0;                       // of the whole request, the process included
  int64_t budget = 0;                     // Options::memory_limit, or what the machine has
  bool vae_tiled = false;                 // the VAE decodes tile by tile
  // Stored tensors that the LoRAs are added to, bytes; and how many of them a GPU keeps, beside the peak, or the host keeps for it, once the LoRAs change
  // (LoraChange). They give way to requests. A CPU keeps none: it reads them from the file again.
  int64_t originals = 0, originals_on_device = 0, originals_on_host = 0;
  std::vector<std::string> would_fit{};   // if the request does not fit: changes of which each would make it fit
  bool fits() const { return peak <= budget; }
};

// What a change of LoRAs took.
struct LoraChange {
  int tensors = 0;                        // of the model, which are others now
  int64_t prepared = 0;                   // bytes of weights that were prepared again
  double seconds = 0;
  // Of these: opening the files; reading tensors and bringing them to the device; telling it what to compute; waiting until it has.
  double opening = 0, reading = 0, computing = 0, waiting = 0;
  // Stored tensors that LoRAs are added to, bytes: those that were read from the model's files, and those that are kept for the next change, on the GPU
  // or in memory of the host that it reads.
  int64_t read = 0, kept_on_device = 0, kept_on_host = 0;
};

struct LinearShape;
struct LayersError;

// One model on one device. Programs of each size and batch are kept, so a second request of the same shape is faster.
// Not safe for use by two threads at once. On the CPU, while a call runs, no signal handler may run on the stack of a thread that computes: kernels
// of oneDNN point the stack pointer into the heap, and the handler's frame would land there. Block signals in the calling thread and wait
// for them in another, or give handlers a stack of their own (sigaltstack, SA_ONSTACK).
class Pipeline {
 public:
  explicit Pipeline(const Options&);
  ~Pipeline();
  Pipeline(Pipeline&&) noexcept;

  // Weights stay loaded between requests while memory is enough for it, otherwise each network's give way to the next. A request that
  // cannot fit even so is refused before it starts, with Error(out_of_memory) that says what would fit.
  Result generate(const Request&);
  // Of each picture, for Picture::prompt_embeds. Of the model alone, not of its refiner.
  std::vector<EncodedPrompt> encode_prompts(const Request&);
  // Takes these LoRAs instead of those before, of Options or of an earlier call. Only weights that become others are prepared again, where they lie,
  // so nothing is compiled anew. Throws what opening the files throws, and then all is as it was.
  LoraChange set_loras(const std::vector<Lora>&);
  // Those that its prompts name, found in Options::lora_folder; the pictures of one request must name the same. generate() takes them beside those
  // that are set. Error(not_found) for one that is not there.
  std::vector<Lora> loras_of(const Picture&, PromptSyntax) const;
  MemoryForecast forecast(const Request&);  // what generate() would take; reads no weights
  std::array<int, 2> picture_size(const Request&) const;    // width and height of the pictures that generate() would draw
  std::vector<std::string> infotext(const Request&) const;  // of each picture that generate() would draw
  // Every op of a denoising step, of what depends on the prompt only, and of decoding, one by one, named "step/...", "prompt/...",
  // "decode/...".
  std::vector<OpTime> profile(const Request&, int runs);
  Ceilings measure_ceilings();       // takes a second, and up to 2 GiB of the device's memory while it does
  // Seconds that a denoising step takes if every op reaches one of the ceilings; reads no weights.
  double step_floor(const Request&, const Ceilings&);
  // How the linears of a denoising step do in 8 bits, shape by shape; and how far one call of the UNet, in the middle of the schedule, is off when
  // layers of one kind are in 8 bits, on each such rung that the device has. See hayate/quantization.h.
  std::vector<LinearShape> measure_linears(const Request&);
  std::vector<LayersError> quantization_errors(const Request&);
  int native_width() const;
  int native_height() const;
  std::string rung() const;
  std::string model() const;         // its name, for people
  std::string device() const;        // what it runs on, with versions, for people
  int gpu() const;                   // the number of its GPU, of the first where there are two; -1: it computes on the host

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes the model, with the parts that the options replace: as one file under the original names if `output` ends in .safetensors,
// else as a diffusers folder. `dtype` is "f16", "bf16" or "f32"; empty: each tensor stays as it is stored. Nothing is replaced.
// `on_written` is told how many bytes of weights are written, of how many; when it returns false, Error(cancelled), and nothing is left.
void convert_model(const Options& model, const std::string& output, const std::string& dtype = "",
                   const std::function<bool(int64_t done, int64_t total)>& on_written = {});

struct RungInfo { std::string name, what; };
std::vector<RungInfo> rungs(const std::string& device = "");  // the ladder, slowest first; those that the device has
std::vector<std::string> device_names();  // for Options::device, whether this machine has them or not
// A scheduler or a spacing and its names, of which any will do, in small or capital letters; "DPM++ 2M Karras" names one of each.
struct SchedulerInfo {
  std::string name, what;
  std::string label;                        // what AUTOMATIC1111 calls it, or would
  std::string comfyui, sd_cpp, diffusers;   // what others do: ComfyUI, stable-diffusion.cpp; a class of diffusers. Empty: not there
  std::vector<std::string> options;         // which of "spacing", "sigmas" (spacings of these too), "eta" and "s_churn" go with it
};
std::vector<SchedulerInfo> schedulers();  // for Request::scheduler
struct SpacingInfo {
  std::string name, what, label, comfyui, sd_cpp;
  bool sigmas = false;                      // of sigmas, which only some schedulers step over; else of timesteps
};
std::vector<SpacingInfo> spacings();      // for Request::spacing
struct UpscalerInfo {
  Upscaler upscaler;
  std::string name, label;                  // "latent-bicubic", and what AUTOMATIC1111 calls it: "Latent (bicubic)"
};
std::vector<UpscalerInfo> upscalers();    // for Request::hires
// Our names for what this name of a scheduler means. Error(usage) for an unknown one, with what was probably meant.
struct NamedSampler {
  std::string scheduler{};
  std::optional<std::string> spacing{};
};
NamedSampler scheduler_named(const std::string& name);
std::string spacing_name(const std::string& name);
std::string version();

// Writes the file whole or not at all, in the format of its extension, which is one of image_extensions(). `infotext` goes where
// AUTOMATIC1111 puts it: into PNG's text chunk "parameters", else into EXIF's user comment. `quality`, 1..100, is for JPEG and WebP;
// in WebP 100 is lossless.
void write_image(const std::string& path, const Image&, const std::string& infotext = "", int quality = 90);
// What write_image writes to a file of this name.
std::vector<std::byte> encode_image(const std::string& name, const Image&, const std::string& infotext = "", int quality = 90);
// Throws Error(unsupported), as write_image does, for what the format cannot hold: more pixels a side than 65500 (JPEG) or 16383
// (WebP); in a JPEG an infotext of more than 32737 UTF-16 units, or 65475 characters if all are ASCII.
void check_image(const std::string& path, int width, int height, const std::string& infotext = "");
std::vector<std::string> image_extensions();  // ".png", ".jpg", ...

struct ImageFile {
  std::string format{};              // "PNG", "JPEG" or "WebP", told by the content
  Image image{};                     // upright as EXIF says, and over white where it is transparent
  std::string infotext{};            // UTF-8, as write_image took it; empty: none
};
// At most 16384 pixels a side and 2^27 in all. Animated WebP and JPEG in CMYK are Error(unsupported).
ImageFile read_image(const std::string& path);
// Areas averaged where it gets smaller, bilinear where it gets larger.
Image resized(const Image&, int width, int height);
Image fitted(const Image&, int width, int height, Fit);
ImageFile decode_image(std::string_view file, const std::string& what);  // the bytes of a file; `what` names it in errors
bool is_image_file(const std::string& path);  // whether the file starts like a picture that read_image knows

// Infotext taken apart.
struct Infotext {
  std::string prompt{}, negative_prompt{};
  std::vector<std::pair<std::string, std::string>> settings{};  // {"Steps", "30"}, ..., in the order in which they stand
};
// Never throws over content: text without settings is all prompt.
Infotext parse_infotext(const std::string& text);

struct Difference {
  std::string name{};                // of the value
  double relative_l2 = 0;            // ||a - b|| / ||b||
  double max_abs = 0;
};
// Compares two dumps value by value, in b's order, over the names that both have; throws if they share none.
std::vector<Difference> compare_dumps(const std::string& a, const std::string& b);

}  // namespace hayate
