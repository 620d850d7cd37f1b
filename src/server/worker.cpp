// A batch that fails is drawn again in halves: one request must not spoil another, and what does not fit into memory together may fit apart.
#include "server/worker.h"

#include <algorithm>

#include "core/error.h"
#include "server/respond.h"

namespace hayate::server {

namespace {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

size_t pictures_in(const std::vector<Part>& parts) {
  size_t count = 0;
  for (const Part& part : parts) count += part.count;
  return count;
}

// Of parts whose jobs have not ended. Also ends those that are too late.
std::vector<Part> alive(const std::vector<Part>& parts) {
  std::vector<Part> left;
  const Clock::time_point now = Clock::now();
  for (const Part& part : parts) {
    if (part.job->deadline() <= now) part.job->fail({504, "the deadline passed while the request was drawn", "deadline"});
    if (!part.job->ended()) left.push_back(part);
  }
  return left;
}

std::pair<std::vector<Part>, std::vector<Part>> halves(std::vector<Part> parts) {
  if (parts.size() > 1) {
    const auto middle = parts.begin() + ptrdiff_t(parts.size() / 2);
    return {{parts.begin(), middle}, {middle, parts.end()}};
  }
  Part first = parts[0], second = parts[0];
  first.count /= 2;
  second.first += first.count, second.count -= first.count;
  return {{first}, {second}};
}

Request together(const std::vector<Part>& parts) {
  Request request = parts[0].job->spec().request;
  request.pictures.clear();
  for (const Part& part : parts) {
    const auto first = part.job->spec().request.pictures.begin() + ptrdiff_t(part.first);
    request.pictures.insert(request.pictures.end(), first, first + ptrdiff_t(part.count));
  }
  return request;
}

std::span<const float> latent_of(std::span<const float> all, size_t picture, size_t pictures) {
  return all.subspan(all.size() / pictures * picture, all.size() / pictures);
}

// What draws where a request says nothing.
PipelineKey usual(const Catalog& catalog) {
  const CatalogModel& model = catalog.model("");
  return {model.name, model.options.rung};
}

std::string media_type(const std::string& extension) {
  return extension == ".png" ? "image/png" : extension == ".webp" ? "image/webp" : "image/jpeg";
}

std::string as_text(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// How far a batch is, as its jobs are told.
class BatchProgress {
 public:
  BatchProgress(const std::vector<Part>& parts, const Pace& pace, JobQueue& queue, size_t drawer, const LatentPreview& preview)
      : parts_(parts), pace_(pace), queue_(queue), drawer_(drawer), preview_(preview) {}

  bool step(const Progress& progress) {  // false: nobody waits for the batch any more
    if (progress.step == 1) first_step_ = Clock::now();
    const double each = progress.step > 1 ? seconds_since(first_step_) / (progress.step - 1) : 0, left = each * (progress.steps - progress.step + 1);
    queue_.running_left(left, drawer_);
    const std::vector<Part> waiting = alive(parts_);
    for (const Part& part : waiting) {
      const Request& request = part.job->spec().request;
      const size_t later = part.job->pictures() - part.first - part.count;
      std::optional<double> seconds;
      if (each > 0) seconds = left + pace_.seconds(part.job->spec().setup.pipeline, Pace::work(request, later)).value_or(0);
      part.job->advance(part.count, progress.step, progress.steps, seconds);
    }
    show(progress);
    return !waiting.empty();
  }

 private:
  void show(const Progress& progress) {
    constexpr double between = 0.1;  // seconds
    const size_t pictures = pictures_in(parts_);
    if (!preview_.ready() || progress.step == progress.steps || !previews_wanted() ||
        progress.latent.size() != pictures * size_t(progress.latent_width) * size_t(progress.latent_height) * LatentPreview::channels)
      return before_.clear();
    const std::vector<float> before = std::exchange(before_, {progress.latent.begin(), progress.latent.end()});
    if (before.size() != progress.latent.size() || seconds_since(shown_) < between) return;
    size_t at = 0;
    for (const Part& part : parts_)
      for (size_t i = 0; i < part.count; ++i, ++at) {
        if (part.job->ended() || !part.job->previews_wanted()) continue;
        const int width = progress.latent_width, height = progress.latent_height;
        const std::vector<float> foreseen =
            LatentPreview::foreseen(latent_of(before, at, pictures), latent_of(progress.latent, at, pictures), width, height);
        const Image image = preview_.render(foreseen, width, height, double(progress.step) / progress.steps);
        part.job->show(part.first + i, {as_text(encode_image("preview.jpg", image, "", 85)), progress.step});
        shown_ = Clock::now();
      }
  }

  bool previews_wanted() const {
    return std::ranges::any_of(parts_, [](const Part& part) { return !part.job->ended() && part.job->previews_wanted(); });
  }

  const std::vector<Part>& parts_;
  const Pace& pace_;
  JobQueue& queue_;
  const size_t drawer_;
  const LatentPreview& preview_;
  std::vector<float> before_{};  // the latent of the step before, while previews are wanted
  Clock::time_point first_step_{}, shown_{};
};

}  // namespace

Worker::Worker(const Catalog& catalog, const std::string& device, size_t number, JobQueue& queue, Pace& pace, Metrics& metrics,
               std::function<void(const std::string&)> log)
    : catalog_(catalog), number_(number), queue_(queue), pace_(pace), metrics_(metrics), log_(std::move(log)), pool_(catalog, device) {
  std::promise<void> opened;
  std::future<void> open = opened.get_future();
  thread_ = std::jthread([this, opened = std::move(opened)]() mutable { run(std::move(opened)); });
  open.get();
}

Worker::~Worker() {
  queue_.close();
  stopping_ = true;
  start();
}

// What computes on a CPU has threads for each thread that asks, so the pipelines are made by this one.
void Worker::run(std::promise<void> opened) {
  try {
    pool_.open(usual(catalog_));
    opened.set_value();
  } catch (...) {
    opened.set_exception(std::current_exception());
    return;
  }
  started_.acquire();
  if (!queue_.closed()) warm_up();
  std::optional<Setup> last;
  for (std::vector<Part> parts; !(parts = queue_.take(last, number_)).empty();) {
    drawing_ = true;
    last = parts[0].job->spec().setup;
    draw(parts);
    drawing_ = false;
  }
}

// A picture while nobody waits: weights are loaded, the pace is known, and previews know the latents of the model. It gives way to a request unless
// it is about to be done.
void Worker::warm_up() {
  constexpr double soon = 2;  // seconds
  const Setup setup{.pipeline = usual(catalog_)};
  Request request{.pictures = {{.prompt = "a red castle by the blue sea under a sunset, green trees, vivid colors"}}, .steps = 6};
  if (const ModelInfo& info = catalog_.model(setup.pipeline.model).info; info.inpaints) {  // such a model draws over something
    request.init_image = Image{.width = info.width, .height = info.height, .rgb = std::vector<uint8_t>(size_t(info.width) * size_t(info.height) * 3, 255)};
    request.mask = request.init_image, request.strength = 1;
  }
  const Clock::time_point start = Clock::now();
  request.on_step = [&](const Progress& p) {
    const double left = seconds_since(start) / p.step * (p.steps - p.step + 1);
    return (queue_.empty() || left < soon) && !queue_.closed() && !stopping_;
  };
  try {
    PooledPipeline& pooled = pool_.get(setup, request);
    account(pooled, request, pooled.pipeline.generate(request));
  } catch (...) {
    if (const HttpError error = current_error(); error.code != code_of(ErrorKind::cancelled)) log_("warming up: " + error.message);
  }
}

void Worker::draw(const std::vector<Part>& given) {
  const std::vector<Part> parts = alive(given);
  if (parts.empty()) return;
  try {
    draw_together(parts);
  } catch (...) {
    const HttpError error = current_error();
    const bool cancelled = error.code == code_of(ErrorKind::cancelled);
    if (pictures_in(parts) > 1 && !cancelled) {
      const auto [first, second] = halves(parts);
      draw(first);
      draw(second);
      return;
    }
    for (const Part& part : parts) part.job->fail(error);
  }
}

void Worker::draw_together(const std::vector<Part>& parts) {
  Request request = together(parts);
  PooledPipeline& pooled = pool_.get(parts[0].job->spec().setup, request);
  for (const Part& part : parts) part.job->start(pooled.pipeline.rung());
  metrics_.observe("hayate_batch_pictures", double(request.pictures.size()));
  BatchProgress progress(parts, pace_, queue_, number_, pool_.preview(pooled.key.model));
  Clock::time_point step_began = Clock::now();
  request.on_step = [&](const Progress& p) {
    if (p.step > 1) metrics_.observe("hayate_step_seconds", seconds_since(step_began));
    step_began = Clock::now();
    return progress.step(p) && !stopping_;
  };
  request.on_decode = [&](int, int) { return !alive(parts).empty() && !stopping_; };
  Result result = pooled.pipeline.generate(request);
  account(pooled, request, result);
  deliver(parts, std::move(result));
}

// What is learnt from pictures that were drawn.
void Worker::account(PooledPipeline& pooled, const Request& request, const Result& result) {
  const Timings& t = result.timings;
  pace_.learn(pooled.key, Pace::work(request, request.pictures.size()), t.text + t.denoise + t.decode);
  if (!request.mask_area)  // else the picture is more than what the latent shows
    pool_.preview(pooled.key.model).learn(latent_of(result.latents, 0, result.images.size()), result.images[0]);
  for (const auto& [stage, seconds] : {std::pair("load", t.load), std::pair("compile", t.compile), std::pair("text", t.text),
                                       std::pair("denoise", t.denoise), std::pair("decode", t.decode)})
    metrics_.observe("hayate_stage_seconds", seconds, {{"stage", stage}});
  pooled.peak = std::max(pooled.peak, result.peak_memory);
  memory_ = pool_.bytes();
}

// Encoding a large PNG takes a tenth of a second, in which the next batch can begin.
void Worker::deliver(const std::vector<Part>& parts, Result drawn) {
  encoder_.post([this, parts, result = std::make_shared<Result>(std::move(drawn))] {
    size_t at = 0;
    for (const Part& part : parts) {
      const JobSpec& spec = part.job->spec();
      for (size_t i = part.first; i < part.first + part.count; ++i, ++at) try {
          if (part.job->ended()) continue;
          std::string file = as_text(encode_image("picture" + spec.extension, result->images[at], result->infotext[at], spec.quality));
          metrics_.count("hayate_pictures_total");
          part.job->add(i, {std::move(file), media_type(spec.extension), result->infotext[at], spec.request.pictures[i].seed});
        } catch (...) { part.job->fail(current_error()); }
    }
  });
}

}  // namespace hayate::server
