// THE TABLE of metrics, and the parts put together.
#include "server/app.h"

#include <unistd.h>

#include <fstream>

#include "hayate/names.h"

namespace hayate::server {

namespace {

// Doubling, from `first` on.
std::vector<double> doubling(double first, int count) {
  std::vector<double> bounds;
  for (int i = 0; i < count; ++i, first *= 2) bounds.push_back(first);
  return bounds;
}

double resident_bytes() {
  int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return double(resident) * double(sysconf(_SC_PAGESIZE));
}

void declare(Metrics& m, App& app) {
  m.declare_counter("hayate_http_requests_total", "Answers by route and status.");
  m.declare_counter("hayate_jobs_total", "Requests for pictures by API and outcome.");
  m.declare_counter("hayate_pictures_total", "Pictures drawn.");
  m.declare_histogram("hayate_queue_seconds", "From acceptance to the first step.", doubling(0.01, 16));
  m.declare_histogram("hayate_job_seconds", "From acceptance to the last picture, of requests that were drawn.", doubling(0.05, 16));
  m.declare_histogram("hayate_stage_seconds", "Stages of drawing a batch.", doubling(0.01, 16));
  m.declare_histogram("hayate_step_seconds", "Denoising steps of a batch.", doubling(0.002, 16));
  m.declare_histogram("hayate_batch_pictures", "Pictures drawn together.", {1, 2, 4, 8, 16, 32, 64});
  m.declare_gauge("hayate_jobs_queued", "Requests that wait.", [&app] { return double(app.desk.queued()); });
  m.declare_gauge("hayate_jobs_unfinished", "Requests that wait or are drawn.", [&app] { return double(app.desk.unfinished()); });
  m.declare_gauge("hayate_connections", "Open connections.", [&app] { return double(app.connections); });
  m.declare_gauge("hayate_model_memory_bytes", "What open models take at most.", [&app] { return double(app.model_memory()); });
  m.declare_gauge("process_resident_memory_bytes", "Resident memory of the process.", resident_bytes);
}

// With the rung by its name, so that a request that names it shares a pipeline with those that do not.
ServeOptions resolved(ServeOptions o) {
  if (o.pipeline.rung.empty()) o.pipeline.rung = default_rung();
  return o;
}

}  // namespace

App::App(const ServeOptions& o)
    : options(resolved(o)),
      catalog(o.models, options.pipeline, o.lora_folder, o.embedding_folder),
      desk({.jobs = size_t(o.queue), .jobs_of_a_client = size_t(o.queue_of_a_client), .pictures_at_once = size_t(o.batch), .drawers = 1 + o.replicas.size()}, metrics) {
  declare(metrics, *this);
  auto open = [this](const std::string& device) {
    auto say = [this](const std::string& line) { log(line); };
    workers.push_back(std::make_unique<Worker>(catalog, device, workers.size(), desk.queue(), desk.pace(), metrics, say));
  };
  open(options.pipeline.device);
  for (const std::string& device : options.replicas) open(device);
}

void App::start() {
  for (const auto& worker : workers) worker->start();
}

void App::give_up() {
  for (const auto& worker : workers) worker->stop();
}

int64_t App::model_memory() const {
  int64_t bytes = 0;
  for (const auto& worker : workers) bytes += worker->memory();
  return bytes;
}

}  // namespace hayate::server
