// The listener, and the thread that everything about sockets happens on.
#include "server/http_server.h"

#include <sys/resource.h>

#include "core/error.h"
#include "server/session.h"

namespace hayate::server {

namespace {

// Each connection takes a file.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct HttpServer::Impl {
  Impl(App& app, Router router, Access access)
      : network(app, std::move(router), std::move(access)), acceptor(network.context), timer(network.context) {
    listen();
  }

  void listen() {
    const ServeOptions& o = network.app.options;
    ErrorCode error;
    const net::ip::address address = net::ip::make_address(o.host == "localhost" ? "127.0.0.1" : o.host, error);
    require(!error, ErrorKind::usage, "{} is not an address to listen on; expected one like 127.0.0.1, 0.0.0.0 or ::1", o.host);
    const tcp::endpoint endpoint(address, uint16_t(o.port));
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
    require(!error, ErrorKind::io, "cannot listen on {} port {}: {}", o.host, o.port, error.message());
    acceptor.non_blocking(true);
  }

  void accept() {
    acceptor.async_accept([this](ErrorCode error, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (!error) return admit(std::move(socket)), accept();
      timer.expires_after(std::chrono::milliseconds(100));  // no files left, say
      timer.async_wait([this](ErrorCode) {
        if (acceptor.is_open()) accept();
      });
    });
  }

  void admit(tcp::socket socket) {
    auto session = std::make_shared<Session>(std::move(socket), network);
    if (network.sessions.size() > size_t(network.app.options.connections))
      session->refuse();
    else
      session->start();
  }

  void tick() {
    ticker.expires_after(std::chrono::seconds(1));
    ticker.async_wait([this](ErrorCode error) {
      if (error) return;
      network.app.desk.tick();
      network.rates.forget_quiet();
      const std::set<Session*> all = network.sessions;
      for (Session* session : all)
        if (network.sessions.contains(session)) session->shared_from_this()->tick();
      tick();
    });
  }

  void drain() {
    ErrorCode none;
    while (!none) {  // who is connected already is served
      tcp::socket socket(network.context);
      acceptor.accept(socket, none);
      if (!none) admit(std::move(socket));
    }
    acceptor.close(none);
    const std::set<Session*> all = network.sessions;
    for (Session* session : all)
      if (network.sessions.contains(session)) session->shared_from_this()->drain();
  }

  Network network;
  tcp::acceptor acceptor;
  net::steady_timer timer, ticker{network.context};
  std::thread thread{};
};

HttpServer::HttpServer(App& app, Router router, Access access) {
  allow_many_files();
  impl_ = std::make_unique<Impl>(app, std::move(router), std::move(access));
}

HttpServer::~HttpServer() { halt(); }

void HttpServer::halt() {
  impl_->network.context.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

int HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }

void HttpServer::start() {
  impl_->accept();
  impl_->tick();
  impl_->thread = std::thread([this] { impl_->network.context.run(); });
}

void HttpServer::drain() {
  net::post(impl_->network.context, [this] { impl_->drain(); });
}

size_t HttpServer::busy() const { return impl_->network.busy; }

}  // namespace hayate::server
