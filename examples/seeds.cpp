// Draws one prompt with several seeds in one batch: seeds "a castle on a hill" 3
#include <hayate/hayate.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s PROMPT [HOW_MANY [STEPS [MODEL]]]\n", argv[0]);
    return 2;
  }
  int count = argc > 2 ? std::atoi(argv[2]) : 2;
  try {
    hayate::Pipeline pipeline({.model = argc > 4 ? argv[4] : ""});  // "" is the built-in model

    hayate::Request request{.steps = argc > 3 ? std::atoi(argv[3]) : 20};
    for (int seed = 0; seed < count; ++seed) request.pictures.push_back({.prompt = argv[1], .seed = uint64_t(seed)});
    request.on_step = [](const hayate::Progress& progress) {
      std::printf("step %d of %d\n", progress.step, progress.steps);
      return true;  // false would cancel
    };

    hayate::Result result = pipeline.generate(request);
    for (int seed = 0; seed < count; ++seed) {
      std::string file = "seed-" + std::to_string(seed) + ".png";
      hayate::write_image(file, result.images[seed], result.infotext[seed]);
      std::printf("%s\n", file.c_str());
    }
    std::printf("%.2f s, rung %s\n", result.timings.total, pipeline.rung().c_str());
  } catch (const hayate::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
