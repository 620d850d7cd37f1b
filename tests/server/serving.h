// A server on a free port for one test, with the built-in model.
#pragma once
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "hayate/serve.h"
#include "server/http_client.h"

namespace hayate::testing {

// As quick as the built-in model can be; whoever tests how long things take gives more steps.
inline Json tiny(Json more = Json::object()) {
  Json all = {{"prompt", "a red castle"}, {"width", 64}, {"height", 64}, {"steps", 2}, {"seed", 3}};
  all.update(more);
  return all;
}
inline Json endless(Json more = Json::object()) {  // longer than any test waits
  Json all = tiny({{"width", 512}, {"height", 512}, {"steps", 150}});
  all.update(more);
  return all;
}

class Serving {
 public:
  explicit Serving(ServeOptions options = {}) : server_(with_free_port(std::move(options))) { server_.start(); }

  Server& server() { return server_; }
  int port() const { return server_.port(); }
  Reply get(const std::string& target, const std::string& headers = "") { return ask(port(), "GET", target, "", headers); }
  Reply post(const std::string& target, const Json& body, const std::string& headers = "") {
    return ask(port(), "POST", target, body.dump(), headers);
  }
  Json submit(const Json& body) { return post("/api/jobs", body).json(); }
  Json status(const std::string& id) { return get("/api/jobs/" + id).json(); }

  // The job once `condition` holds of it, or after a minute.
  template <class Condition>
  Json wait_for(const std::string& id, Condition condition) {
    Json job;
    for (int i = 0; i < 6000; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(10)))
      if (condition(job = status(id))) break;
    return job;
  }
  Json wait_until(const std::string& id, const std::string& state) {
    return wait_for(id, [&](const Json& job) { return job.value("status", "") == state; });
  }

 private:
  static ServeOptions with_free_port(ServeOptions options) {
    options.port = 0;
    return options;
  }
  Server server_;
};

}  // namespace hayate::testing
