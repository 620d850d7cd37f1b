// Signal handlers.
#include "interrupt.h"

#include <csignal>

namespace hayate::cli {

namespace {
volatile std::sig_atomic_t received = 0;
}

void watch_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { received = signal; };
  action.sa_flags = int(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

int interrupted() { return received; }

}  // namespace hayate::cli
