// The public Server: checks, start and stop.
#include "core/error.h"
#include "server/http_server.h"
#include "server/routes.h"

namespace hayate {

using namespace server;

namespace {

const ServeOptions& checked(const ServeOptions& o) {
  auto at_least = [](const char* name, int64_t value, int64_t least, int64_t most) {
    require(value >= least && value <= most, ErrorKind::usage, "{} is {}; expected {} to {}", name, value, least, most);
  };
  at_least("port", o.port, 0, 65535);
  at_least("queue", o.queue, 1, 100000);
  at_least("queue_of_a_client", o.queue_of_a_client, 1, 100000);
  at_least("batch", o.batch, 1, 64);
  at_least("connections", o.connections, 1, 1000000);
  at_least("pixels", o.pixels, 64 * 64, int64_t{16384} * 16384);
  require(o.rate >= 0 && o.rate <= 1e6, ErrorKind::usage, "rate is {}; expected 0 to 1000000", o.rate);
  require(!o.key_file.empty() || o.no_key || is_loopback(o.host), ErrorKind::usage,
          "{} can be reached from other machines: give a file of API keys, or say that none are wanted", o.host);
  return o;
}

Access access_of(const ServeOptions& o) {
  std::set<std::string> hosts(o.allow_hosts.begin(), o.allow_hosts.end());
  hosts.insert(o.host);
  return {o.key_file.empty() ? std::vector<std::string>{} : read_keys(o.key_file), hosts, {o.allow_origins.begin(), o.allow_origins.end()}};
}

}  // namespace

struct Server::Impl {
  explicit Impl(const ServeOptions& options) : app(checked(options)), http(app, all_routes(app), access_of(options)), port(http.port()) {}
  App app;
  HttpServer http;
  const int port;
};

Server::Server(const ServeOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Server::~Server() {
  impl_->http.halt();  // first, as jobs that end tell its connections
  impl_->app.give_up();
  impl_->app.workers.clear();
}

int Server::port() const { return impl_->port; }

std::string Server::address() const {
  const std::string& host = impl_->app.options.host;
  return fmt::format("http://{}:{}", host.find(':') == host.npos ? host : "[" + host + "]", impl_->port);
}

void Server::start() {
  impl_->app.start();
  impl_->http.start();
}

size_t Server::stop() {
  App& app = impl_->app;
  app.draining = true;
  impl_->http.drain();
  auto wait = [&](double seconds) {
    const auto until = Clock::now() + std::chrono::duration<double>(seconds);
    while ((app.desk.unfinished() > 0 || impl_->http.busy() > 0) && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  };
  wait(app.options.drain);
  const size_t cancelled = app.desk.unfinished();
  app.desk.close();
  if (cancelled > 0) {
    app.desk.cancel_all("the server is shutting down");
    app.give_up();
    wait(2);
  }
  return cancelled;
}

}  // namespace hayate
