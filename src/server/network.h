// What listener and sessions share, and Boost's names. Included by those only: it takes seconds to compile.
#pragma once
// clang-format off
#include <utility>  // which Boost.Asio 1.74 uses without including it
// clang-format on
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <set>

#include "server/access.h"
#include "server/app.h"
#include "server/rate_limit.h"
#include "server/router.h"

namespace hayate::server {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;

class Session;

struct Network {
  Network(App& a, Router r, Access c) : app(a), router(std::move(r)), access(std::move(c)), rates(a.options.rate) {}

  App& app;
  const Router router;
  const Access access;
  RateLimit rates;                // on the network's thread
  std::set<Session*> sessions{};  // on the network's thread
  std::atomic<size_t> busy = 0;
  size_t large_bodies = 0;  // bytes of those that are there or on their way; on the network's thread
  // In this order: what is pending in the context holds sessions, and what is computed ends in the context.
  net::io_context context{1};
  TaskThread computing{16};
};

}  // namespace hayate::server
