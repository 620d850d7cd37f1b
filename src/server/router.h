// Which handler a method and a path belong to.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"

namespace hayate::server {

constexpr size_t small_body = size_t{1} << 20, picture_body = size_t{32} << 20;

struct Route {
  std::string method{}, pattern{};  // "/api/jobs/{}/events": {} stands for one part of the path, not empty; GET serves HEAD too
  Handler handler{};
  bool open = false;  // answers without an API key
  ErrorShape errors = ErrorShape::openai;
  size_t largest_body = small_body;  // bytes
  size_t largest_form = 0;           // likewise of a form with files; 0: it takes none
};

class Router {
 public:
  void add(Route);
  // Fills in what {} stand for. Throws HttpError 404, or 405 with the methods that there are.
  const Route& find(HttpRequest&) const;
  const std::vector<Route>& all() const { return routes_; }
  ErrorShape errors_under(std::string_view path) const;  // where no route was found

 private:
  std::vector<Route> routes_;
};

}  // namespace hayate::server
