// A thread that waits for signals. No handler: kernels of oneDNN point the stack pointer into the heap while they run, and the frame of a
// handler that came in between would land there.
#include "interrupt.h"

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace hayate::cli {

namespace {
std::atomic<int> received = 0;
}

void watch_signals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);  // threads inherit it
  std::thread([stop] {
    int signal = 0;
    sigwait(&stop, &signal);
    received = signal;
    pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);  // the next one ends the process
  }).detach();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

int interrupted() { return received; }

}  // namespace hayate::cli
