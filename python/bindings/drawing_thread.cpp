// Work is handed over and waited for; the waiting thread looks after signals and questions meanwhile.
#include "drawing_thread.h"

#include <nanobind/nanobind.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>

#include "hayate/error.h"

namespace nb = nanobind;
using namespace std::chrono_literals;

namespace hayate::python {

namespace {

constexpr auto kAttention = 50ms;  // how often Python hears of signals

// All but those that a fault of the thread itself raises.
sigset_t outside_signals() {
  sigset_t all;
  sigfillset(&all);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, own);
  return all;
}

void throw_pending() {
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

}  // namespace

DrawingThread::DrawingThread() : pid_(getpid()) {
  const sigset_t blocked = outside_signals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);  // threads inherit it
  thread_ = std::thread([this] { serve(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

DrawingThread::~DrawingThread() {
  if (!is_here()) {
    thread_.detach();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DrawingThread::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return work_ || ending_; });
    if (ending_) return;
    lock.unlock();
    try {
      (*work_)();
    } catch (...) { error_ = std::current_exception(); }
    lock.lock();
    work_ = nullptr;
    changed_.notify_all();
  }
}

void DrawingThread::run(const std::function<void()>& work) {
  if (!is_here()) throw Error(ErrorKind::usage, "this pipeline was opened before the process was forked; open one in the child");
  nb::gil_scoped_release released;
  while (!turn_.try_lock_for(kAttention)) {
    nb::gil_scoped_acquire gil;
    throw_pending();
  }
  std::lock_guard turn(turn_, std::adopt_lock);
  stopping_ = false;
  {
    std::lock_guard lock(mutex_);
    work_ = &work;
  }
  changed_.notify_all();
  wait();
  std::exception_ptr interruption = std::exchange(interruption_, nullptr), error = std::exchange(error_, nullptr);
  if (interruption) std::rethrow_exception(interruption);
  if (error) std::rethrow_exception(error);
}

void DrawingThread::wait() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kAttention, [&] { return !work_ || question_; }) || work_) {
    const std::function<void()>* question = question_;
    lock.unlock();
    try {
      nb::gil_scoped_acquire gil;
      throw_pending();
      if (question && !interruption_) (*question)();
    } catch (...) {
      interruption_ = std::current_exception();
      stopping_ = true;
    }
    lock.lock();
    if (question) question_ = nullptr;
    changed_.notify_all();
  }
}

bool DrawingThread::ask(const std::function<void()>& question) {
  std::unique_lock lock(mutex_);
  question_ = &question;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !question_; });
  return !stopping_;
}

}  // namespace hayate::python
