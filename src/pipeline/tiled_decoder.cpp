// Cutting the decoder, and running what comes of it.
#include "pipeline/tiled_decoder.h"

#include <algorithm>
#include <optional>

namespace hayate {

namespace {
Region scaled(const Region& r, int by) { return {r.top * by, r.left * by, r.height * by, r.width * by}; }
// Seen from the window.
Region core_of(const Tile& t) { return {t.core.top - t.window.top, t.core.left - t.window.left, t.core.height, t.core.width}; }

// (groups, 2) of a whole from those of its tiles.
std::vector<float> merged(const std::vector<std::vector<float>>& of_tiles, const std::vector<Tile>& tiles) {
  std::vector<float> whole(of_tiles[0].size());
  for (size_t mean = 0, variance = 1; mean < whole.size(); mean += 2, variance += 2) {
    double pixels = 0, sum = 0, squares = 0;
    for (size_t t = 0; t < tiles.size(); ++t) {
      pixels += double(tiles[t].core.pixels());
      sum += double(tiles[t].core.pixels()) * double(of_tiles[t][mean]);
    }
    for (size_t t = 0; t < tiles.size(); ++t) {
      const double off = double(of_tiles[t][mean]) - sum / pixels;
      squares += double(tiles[t].core.pixels()) * (double(of_tiles[t][variance]) + off * off);
    }
    whole[mean] = float(sum / pixels), whole[variance] = float(squares / pixels);
  }
  return whole;
}

}  // namespace

TiledDecoder::TiledDecoder(const LatentDecoder& network, int64_t h, int64_t w, Dtype stored, int64_t tile) {
  const int parts = network.parts;
  Shape map{1, h, w, network.latent_channels};
  auto result_of = [](const Program& p) { return p[p.outputs[0]].shape; };
  for (int begin = 0, end; begin < parts; begin = end) {
    end = begin + 1;
    Program program = network.record(begin, end, map, {});
    for (; begin == 0 && end < parts; ++end) {
      Program longer = network.record(0, end + 1, map, {});
      if (result_of(longer).tokens() > tile * tile) break;
      program = std::move(longer);
    }
    Stage stage{.key = fmt::format("decode {}x{}, parts {} to {} in tiles of {}, {}", w, h, begin, end, tile, name_of(stored)), .input = map, .result = result_of(program)};
    Ends ends{.input = stored};
    if (end < parts) {
      stage.stored = ends.result = stored;
      if (norm_of_input(network.record(end, end + 1, stage.result, {})) != none) ends.groups = network.groups;
    }
    if (begin == 0) {
      stage.tiles = {{whole(map), whole(map)}};
      stage.passes = {{.scale = int(stage.result.h / map.h), .program = whole_pass(program, ends)}};
    } else {
      stage.tiles = cut_into_tiles(map, tile * map.h / stage.result.h, halo_of(program));
      const Region& window = stage.tiles[0].window;
      program = network.record(begin, end, {1, window.height, window.width, map.c}, {});
      if (Value norm = norm_of_input(program); norm != none) stage.known = program[norm].name;
      stage.passes = window_passes(program, ends);
    }
    map = stage.result;
    stages_.push_back(std::move(stage));
  }
}

Recording TiledDecoder::recording(const Stage& stage, const WindowPass& pass) { return {stage.key + " " + pass.norm, [&] { return pass.program; }}; }

std::vector<Component::Held> TiledDecoder::programs(bool on_host) const {
  std::vector<Component::Held> programs;
  int64_t input = 0;
  for (const Stage& stage : stages_) {
    const bool last = &stage == &stages_.back();  // its result is the picture
    const int64_t result = last || !on_host ? 0 : stage.result.count() * size_of(stage.stored);
    for (const WindowPass& pass : stage.passes) programs.push_back({recording(stage, pass), input + result});
    input = result;
  }
  return programs;
}

Component::Need TiledDecoder::need(Component& component, const Rung& rung, bool on_host) const {
  return component.need(programs(on_host), rung, /*keep_all=*/false);
}

int TiledDecoder::runs() const {
  size_t runs = 0;
  for (const Stage& stage : stages_) runs += stage.passes.size() * stage.tiles.size();
  return int(runs);
}

// Runs a pass for every tile; returns the statistics of the whole that it measured, if any.
std::vector<float> TiledDecoder::run(Executable& exec, const Stage& stage, const WindowPass& pass, const Statistics& given, const Map& input,
                                     const Map& result, const std::function<void()>& after_run) {
  const Program& p = exec.program();
  auto write = [&](const std::string& name, std::span<const std::byte> bytes) {
    if (p.find(name) != none) exec.write(name, bytes);
  };
  const char* x = p.find("x") != none ? "x" : "latents";
  const Node &read = p[p.find(x)], &made = p[p.outputs[0]];
  std::vector<std::byte> window(size_t(byte_size(read))), computed(pass.norm.empty() ? size_t(byte_size(made)) : 0);
  std::vector<std::vector<float>> measured;
  for (const auto& [norm, values] : given) write(statistics_input(norm), std::as_bytes(std::span(values)));
  for (const Tile& tile : stage.tiles) {
    const Region core = scaled(core_of(tile), pass.scale);
    take(input, tile.window, window);
    write(x, window);
    write(kRegion, std::as_bytes(std::span(&core, 1)));
    exec.run(Rate::prompt);
    if (Value v = p.find(kStatistics); v != none)
      exec.read(kStatistics, std::as_writable_bytes(std::span(measured.emplace_back(size_t(p[v].shape.count())))));
    if (pass.norm.empty()) {
      exec.read(made.name, computed);
      put(result, scaled(tile.core, pass.scale), computed, made.shape.w, core);
    }
    after_run();
  }
  return measured.empty() ? std::vector<float>{} : merged(measured, stage.tiles);
}

std::vector<float> TiledDecoder::decode(Component& component, Backend& backend, std::span<const float> latent,
                                        const std::function<void()>& after_run, CompileSeconds& seconds) const {
  std::vector<float> first(latent.begin(), latent.end()), pixels(size_t(stages_.back().result.count()));
  auto on_host = [](const Shape& shape, std::vector<float>& floats) { return Map{shape, Dtype::f32, reinterpret_cast<std::byte*>(floats.data())}; };
  std::optional<ParkedMap> parked;  // what the stage before has made
  std::vector<float> known;         // and its statistics
  for (const Stage& stage : stages_) {
    std::optional<ParkedMap> made;
    if (&stage != &stages_.back()) made.emplace(stage.result, stage.stored, backend);
    const Map input = parked ? parked->map() : on_host(stage.input, first), result = made ? made->map() : on_host(stage.result, pixels);
    Statistics given{{stage.known, std::move(known)}};
    for (const WindowPass& pass : stage.passes) {
      auto exec = component.executable(recording(stage, pass), /*keep_all=*/false, seconds);
      std::vector<float> measured = run(*exec, stage, pass, given, input, result, after_run);
      (pass.norm.empty() ? known : given[pass.norm]) = std::move(measured);
    }
    parked = std::move(made);
  }
  return pixels;
}

}  // namespace hayate
