// Sockets: HTTP/1.1 on one thread of its own (Boost.Beast, which stays behind this header).
#pragma once
#include <memory>

#include "server/access.h"
#include "server/app.h"
#include "server/router.h"

namespace hayate::server {

class HttpServer {
 public:
  HttpServer(App&, Router, Access);  // listens; throws Error(io) that names the address
  ~HttpServer();

  int port() const;
  void start();  // begins to answer
  // Takes no more connections, closes those that are between requests, and the others when they have their answer.
  void drain();
  void halt();          // answers no more
  size_t busy() const;  // connections with a request that is not answered yet

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hayate::server
