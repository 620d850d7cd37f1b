// What handlers work with.
#pragma once
#include "hayate/serve.h"
#include "server/catalog.h"
#include "server/desk.h"
#include "server/worker.h"

namespace hayate::server {

struct App {
  explicit App(const ServeOptions&);
  void start() {
    worker.emplace(catalog, desk.queue(), desk.pace(), metrics, [this](const std::string& line) { log(line); });
  }
  void log(const std::string& line) const {
    if (options.log) options.log(line);
  }

  const ServeOptions options;
  Catalog catalog;
  Metrics metrics;
  Desk desk;
  std::atomic<size_t> connections = 0;
  std::atomic<bool> draining = false;
  std::optional<Worker> worker{};
};

}  // namespace hayate::server
