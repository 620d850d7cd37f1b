// The thread that one pipeline computes on. Signals are blocked there and in the threads that it starts, as hayate::Pipeline asks; callers wait
// without the GIL, one after another.
#pragma once
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace hayate::python {

class DrawingThread {
 public:
  DrawingThread();
  ~DrawingThread();  // nothing runs any more

  // Does `work` there. Called with the GIL; throws what `work` throws. If the caller's Python gets a signal whose handler raises (Ctrl-C), work is
  // told to stop and that exception is thrown.
  void run(const std::function<void()>& work);
  // In `work`: has the thread that waits for it do something with the GIL. What it throws ends the work, and is what run() throws; then false.
  bool ask(const std::function<void()>& question);
  bool stopping() const { return stopping_; }
  void stop() { stopping_ = true; }  // from any thread
  bool is_here() const { return pid_ == getpid(); }

 private:
  void serve();
  void wait();

  const pid_t pid_;  // a forked child has no such thread
  std::timed_mutex turn_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;  // to do or being done
  const std::function<void()>* question_ = nullptr;
  std::exception_ptr error_, interruption_;
  bool ending_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace hayate::python
