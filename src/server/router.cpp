// A list that is walked: there are some dozens of routes, and requests that take seconds.
#include "server/router.h"

#include <algorithm>
#include <optional>

#include "core/error.h"

namespace hayate::server {

namespace {

std::string_view first_part(std::string_view& path) {
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(part.size() + 1, path.size()));
  return part;
}

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return std::nullopt;
  std::vector<std::string> captured;
  while (!pattern.empty() || !path.empty()) {
    const std::string_view expected = first_part(pattern), part = first_part(path);
    if (expected == "{}" && !part.empty())
      captured.emplace_back(part);
    else if (expected != part)
      return std::nullopt;
  }
  return captured;
}

}  // namespace

void Router::add(Route route) { routes_.push_back(std::move(route)); }

const Route& Router::find(HttpRequest& request) const {
  std::vector<std::string> methods;
  for (const Route& route : routes_) {
    std::optional<std::vector<std::string>> captured = match(route.pattern, request.path);
    if (!captured) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      request.captured = std::move(*captured);
      return route;
    }
    methods.push_back(route.method);
    if (route.method == "GET") methods.push_back("HEAD");
  }
  if (methods.empty()) throw HttpError{404, "nothing is here; /openapi.json lists what there is", "not_found"};
  const std::string allowed = fmt::format("{}", fmt::join(methods, ", "));
  throw HttpError{405, fmt::format("this address takes {}", allowed), "method_not_allowed", {{"Allow", allowed}}};
}

ErrorShape Router::errors_under(std::string_view path) const {
  return path.starts_with("/sdapi/") ? ErrorShape::a1111 : path.starts_with("/v2/") ? ErrorShape::inference : ErrorShape::openai;
}

}  // namespace hayate::server
