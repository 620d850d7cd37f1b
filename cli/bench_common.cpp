// One prompt and seed for all measurements.
#include "bench_common.h"

#include "shared_options.h"

namespace hayate::cli {

void add_bench_picture(Table t, BenchPicture& picture) {
  add_model(t, picture.options);
  t.text("--random", "FAMILY", "instead of a model: an architecture at full size with random weights: sdxl, sdxl-turbo, sdxl-refiner, ssd-1b, vega, sd15, sd21", picture.options.random);
  add_machine(t, picture.options);
  t.group = "Picture";
  add_size(t, picture.request.width, picture.request.height);
  t.number("--steps", fmt::format("denoising steps (default {})", picture.request.steps), picture.request.steps, 1, 1000);
  t.number("--guidance", fmt::format("classifier-free guidance scale (default {}); 1 is half the work", picture.guidance), picture.guidance, 0.0f, 100.0f);
}

void add_bench_runs(Table t, BenchPicture& picture) {
  t.group = "Picture";
  t.number("--runs", fmt::format("runs that count (default {})", picture.runs), picture.runs, 1, 1000);
}

Request request_of(const BenchPicture& picture) {
  Request r = picture.request;
  r.pictures = {{.prompt = "ghibli style, a fantasy landscape with castles", .seed = 0, .guidance = picture.guidance}};
  return r;
}

}  // namespace hayate::cli
