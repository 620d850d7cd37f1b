// Recording, climbing the ladder, compiling, caching.
#include "pipeline/component.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "core/error.h"
#include "core/stopwatch.h"
#include "hayate/text_file.h"

namespace hayate {

namespace {
constexpr size_t kPlanned = 64;  // programs are small; a decoder in tiles has up to 30

// Writes each program as FOLDER/COMPONENT/NN-pass.txt.
PassObserver printer(const std::string& folder, const std::string& component) {
  if (folder.empty()) return {};
  std::filesystem::path path = std::filesystem::path(folder) / component;
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  require(!failure, ErrorKind::io, "{}: cannot create the folder: {}", path.string(), failure.message());
  return [path, number = 0](const std::string& pass, const Program& p) mutable {
    write_text_file((path / fmt::format("{:02}-{}.txt", number++, pass)).string(), print(p));
  };
}
// A handle that brings the executable to rest when it is dropped.
std::shared_ptr<Executable> awake(const std::shared_ptr<Executable>& executable) {
  return {executable.get(), [executable](Executable* e) { e->rest(); }};
}
}  // namespace

Component::Component(std::string name, std::shared_ptr<const TensorSource> source, const Compiler& compiler, size_t executables)
    : name_(std::move(name)), compiler_(compiler), weights_(compiler.backend, std::move(source), name_, compiler.stream_weights), executables_(executables) {}

const Component::Planned& Component::plan(const Recording& r, const Rung& rung, bool keep_all) {
  auto same = [&](const Planned& p) { return p.key == r.key && p.rung == &rung && p.keep_all == keep_all; };
  if (auto found = std::ranges::find_if(planned_, same); found != planned_.end()) {
    planned_.splice(planned_.begin(), planned_, found);
    return planned_.front();
  }
  std::vector<Program> programs;
  for (const auto& record : r.record) programs.push_back(climb(record(), rung, *compiler_.backend, compiler_.climb));
  Footprint running = compiler_.backend->footprint(programs, {.keep_all = keep_all, .stream_weights = compiler_.stream_weights});
  planned_.push_front({r.key, &rung, keep_all, std::move(programs), running});
  if (planned_.size() > kPlanned) planned_.pop_back();
  return planned_.front();
}

Component::Need Component::need(const std::vector<Held>& programs, const Rung& rung, bool keep_all) {
  Need need{.weights = weights_.bytes()};
  std::unordered_set<std::string> counted;
  for (const Held& held : programs) {
    const Planned& planned = plan(held.recording, rung, keep_all);
    Footprint running = planned.running;
    running.activations += held.beside;
    int64_t streaming = 0;
    for (const Program& p : planned.programs) {
      const PreparedWeights::Need missing = weights_.need(p, counted);
      need.weights += missing.bytes;
      need.loading = std::max(need.loading, missing.loading + held.beside);
      streaming = std::max(streaming, missing.streaming);
    }
    running.scratch += streaming;
    if (running.total() > need.running.total()) need.running = running;
  }
  return need;
}

PreparedWeights::Changed Component::change(std::shared_ptr<const TensorSource> source, const std::set<std::string>& changed, Originals::Room room) {
  try {
    return weights_.change(std::move(source), changed, room);
  } catch (...) {
    release();
    throw;
  }
}

void Component::release() {
  recent_.clear();
  weights_.release();
}

std::shared_ptr<Executable> Component::executable(const Recording& r, bool keep_all, CompileSeconds& seconds) {
  for (auto it = recent_.begin(); it != recent_.end() && !keep_all; ++it)
    if (it->key == r.key) {
      recent_.splice(recent_.begin(), recent_, it);
      return awake(it->executable);
    }
  Stopwatch watch;
  for (size_t i = 0; i < r.record.size() && !compiler_.print_program.empty(); ++i)
    climb(r.record[i](), *compiler_.rung, *compiler_.backend, compiler_.climb, printer(compiler_.print_program, i ? fmt::format("{}-{}", name_, i + 1) : name_));
  std::vector<Program> programs = plan(r, *compiler_.rung, keep_all).programs;
  seconds.compile += watch.lap();
  for (const Program& p : programs) weights_.prepare(p);
  CompileOptions options{.keep_all = keep_all, .capture = compiler_.rung->hoists && !keep_all, .tf32 = compiler_.rung->tf32, .stream_weights = compiler_.stream_weights};
  std::shared_ptr<Executable> made = compiler_.backend->compile_turns(std::move(programs), weights_, options);
  seconds.load += watch.lap();
  if (!keep_all) {
    recent_.push_front({r.key, made});
    if (recent_.size() > executables_) recent_.pop_back();
  }
  return awake(made);
}

}  // namespace hayate
