// What listener and sessions share, and Boost's names. Included by those only: it takes seconds to compile.
#pragma once
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <set>
#include <utility>  // which Boost 1.74 uses without including it

#include "server/access.h"
#include "server/app.h"
#include "server/router.h"

namespace hayate::server {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;

class Session;

struct Network {
  Network(App& a, Router r, Access c) : app(a), router(std::move(r)), access(std::move(c)) {}

  App& app;
  const Router router;
  const Access access;
  net::io_context context{1};
  TaskThread computing{16};
  std::set<Session*> sessions{};  // on the network's thread
  std::atomic<size_t> busy = 0;
};

}  // namespace hayate::server
