// A line for each client, and turns between lines.
#include "server/job_queue.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace hayate::server {

namespace {

bool same_image(const std::optional<Image>& x, const std::optional<Image>& y) {
  if (!x || !y) return !x && !y;
  return x->width == y->width && x->height == y->height && x->rgb == y->rgb;
}

// A batch starts from one picture, with one mask.
bool same_start(const Request& x, const Request& y) {
  if (!x.init_image && !y.init_image) return true;
  return x.strength == y.strength && x.fit == y.fit && x.mask_blur == y.mask_blur && x.mask_area == y.mask_area && x.mask_content == y.mask_content && same_image(x.mask, y.mask) &&
         same_image(x.init_image, y.init_image);
}

}  // namespace

bool share_batch(const JobSpec& a, const JobSpec& b) {
  const Request &x = a.request, &y = b.request;
  auto guided = [](const Request& r) { return std::ranges::any_of(r.pictures, [](const Picture& p) { return p.guidance > 1; }); };
  // AUTOMATIC1111's syntax pads prompts to the longest of a batch, and padding changes pictures.
  return a.setup == b.setup && x.width == y.width && x.height == y.height && x.steps == y.steps && x.scheduler == y.scheduler &&
         x.spacing == y.spacing && x.eta == y.eta && x.s_noise == y.s_noise && x.s_churn == y.s_churn && x.s_tmin == y.s_tmin &&
         x.s_tmax == y.s_tmax && x.noise == y.noise && x.clip_skip == y.clip_skip && x.prompt_syntax == y.prompt_syntax &&
         x.prompt_syntax != PromptSyntax::a1111 && x.hires == y.hires && x.seamless_x == y.seamless_x && x.seamless_y == y.seamless_y && guided(x) == guided(y) && same_start(x, y);
}

size_t JobQueue::count() const {
  size_t jobs = 0;
  for (const auto& [client, line] : lines_) jobs += line.size();
  return jobs;
}

size_t JobQueue::size() const {
  std::lock_guard lock(mutex_);
  return count();
}

bool JobQueue::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

// As turns go, if none is put off.
std::vector<const JobQueue::Waiting*> JobQueue::in_order() const {
  std::vector<const Waiting*> all;
  for (size_t round = 0, jobs = count(); all.size() < jobs; ++round)
    for (const auto& [client, line] : lines_)
      if (round < line.size()) all.push_back(&line[round]);
  return all;
}

void JobQueue::tell_places() const {
  int position = 0;
  double seconds = first_free();
  for (const Waiting* w : in_order()) {
    const std::optional<double> own = pace_.seconds(w->job->spec().setup.pipeline, w->work());
    seconds += own.value_or(0) / double(limits_.drawers);
    w->job->place(++position, own ? std::optional(seconds) : std::nullopt);
  }
}

double JobQueue::first_free() const { return std::ranges::min(running_left_); }

// Until a place is free: what runs now has to end.
int JobQueue::retry_after() const { return int(std::clamp(std::ceil(first_free()), 1.0, 3600.0)); }

void JobQueue::add(JobPtr job) {
  std::lock_guard lock(mutex_);
  if (closed_) throw HttpError{503, "the server is shutting down", "shutting_down", {{"Retry-After", "10"}}};
  drop_ended();
  auto busy = [&](const std::string& what) {
    throw HttpError{429, fmt::format("{}; try again in {} s", what, retry_after()), "queue_full", {{"Retry-After", std::to_string(retry_after())}}};
  };
  if (const size_t all = count(); all >= limits_.jobs) busy(fmt::format("{} requests are waiting, which is all that may", all));
  auto line = std::ranges::find(lines_, job->spec().client, [](const auto& l) { return l.first; });
  if (line == lines_.end()) line = lines_.insert(lines_.end(), {job->spec().client, {}});
  if (line->second.size() >= limits_.jobs_of_a_client)
    busy(fmt::format("{} requests of yours are waiting, which is all that may", line->second.size()));
  line->second.push_back({std::move(job), 0});
  tell_places();
  changed_.notify_one();
}

void JobQueue::drop_ended() {
  const Clock::time_point now = Clock::now();
  for (auto& [client, line] : lines_)
    std::erase_if(line, [&](const Waiting& w) {
      if (w.job->deadline() <= now) w.job->fail({504, "the deadline passed before the request was drawn", "deadline"});
      return w.job->ended();
    });
  std::erase_if(lines_, [](const auto& l) { return l.second.empty(); });
}

void JobQueue::sweep() {
  std::lock_guard lock(mutex_);
  const size_t before = count();
  drop_ended();
  if (count() != before) tell_places();
  changed_.notify_one();
}

// Which line is served: the first, unless another has less to change in what is loaded.
size_t JobQueue::choose(const std::optional<Setup>& last) {
  constexpr int most_put_off = 4;
  if (!last || put_off_ >= most_put_off) return put_off_ = 0;
  auto changes = [&](const auto& line) {
    const Setup& wanted = line.second.front().job->spec().setup;
    return wanted == *last ? 0 : wanted.pipeline == last->pipeline ? 1 : 2;
  };
  const size_t least = size_t(std::ranges::min_element(lines_, {}, changes) - lines_.begin());  // of several the first
  put_off_ = least == 0 ? 0 : put_off_ + 1;
  return least;
}

std::vector<Part> JobQueue::take(const std::optional<Setup>& last, size_t drawer) {
  std::unique_lock lock(mutex_);
  running_left_[drawer] = 0;
  changed_.wait(lock, [&] {
    drop_ended();
    return closed_ || !lines_.empty();
  });
  if (lines_.empty()) return {};

  const auto chosen = lines_.begin() + ptrdiff_t(choose(last));
  std::rotate(lines_.begin(), chosen, chosen + 1);
  std::vector<Part> parts;
  size_t room = limits_.pictures_at_once;
  const JobPtr leader = lines_.front().second.front().job;
  for (bool more = true; more && room > 0;) {  // each line gives one job a round
    more = false;
    for (auto& [client, line] : lines_)
      for (Waiting& w : line) {
        if (w.left() == 0 || room == 0) continue;
        if (w.job != leader && !share_batch(w.job->spec(), leader->spec())) continue;
        const size_t count = std::min(room, w.left());
        parts.push_back({w.job, w.taken, count});
        w.taken += count;
        room -= count;
        more = true;
        break;
      }
  }
  for (auto& [client, line] : lines_) std::erase_if(line, [](const Waiting& w) { return w.left() == 0; });
  std::rotate(lines_.begin(), lines_.begin() + 1, lines_.end());  // the next client's turn
  std::erase_if(lines_, [](const auto& l) { return l.second.empty(); });
  tell_places();
  return parts;
}

void JobQueue::running_left(double seconds, size_t drawer) {
  std::lock_guard lock(mutex_);
  running_left_[drawer] = seconds;
}

void JobQueue::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace hayate::server
