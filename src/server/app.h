// What handlers work with.
#pragma once
#include "hayate/serve.h"
#include "server/catalog.h"
#include "server/desk.h"
#include "server/worker.h"

namespace hayate::server {

struct App {
  explicit App(const ServeOptions&);  // throws what opening a model on one of the devices throws
  void start();                       // begins to draw
  void give_up();                     // workers end what they draw within a step
  int64_t model_memory() const;       // bytes, of what is open on all devices
  void log(const std::string& line) const {
    if (options.log) options.log(line);
  }

  const ServeOptions options;
  Catalog catalog;
  Metrics metrics;
  Desk desk;
  std::atomic<size_t> connections = 0;
  std::atomic<bool> draining = false;
  std::vector<std::unique_ptr<Worker>> workers{};  // one for each device
};

}  // namespace hayate::server
