// A pipeline on a thread of its own, for Python's threads to share.
#pragma once
#include <nanobind/nanobind.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drawing_thread.h"
#include "hayate/hayate.h"

namespace hayate::python {

struct Drawn {
  Result result{};
  int latent_height = 0, latent_width = 0;
};

class Session {
 public:
  explicit Session(Options);
  ~Session();

  // `on_step`, if it is not None, is called in the thread that called draw(), with (step, steps, timestep, latents): step 1..steps has finished.
  Drawn draw(Request, nanobind::object on_step);
  // Anything that is quick and cannot be stopped.
  template <class F>
  auto with_pipeline(F&& action) {
    decltype(action(*pipeline_)) result;
    thread_.run([&] { result = action(*pipeline_); });
    return result;
  }
  void stop() { thread_.stop(); }
  std::vector<std::string> take_warnings();  // what has been warned of since the last call

 private:
  std::mutex warnings_mutex_;
  std::vector<std::string> warnings_;
  DrawingThread thread_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace hayate::python
