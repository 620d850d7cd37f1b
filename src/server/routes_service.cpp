// How the service is: /health, /version, /metrics.
#include "server/respond.h"
#include "server/routes.h"

namespace hayate::server {

namespace {

HttpResponse health(const App& app) {
  const bool ok = !app.draining;
  return json_response({{"status", ok ? "ok" : "shutting down"}, {"queued", app.desk.queued()}, {"unfinished", app.desk.unfinished()}},
                       ok ? 200 : 503);
}

}  // namespace

void add_service_routes(Router& router, App& app) {
  router.add({.method = "GET", .pattern = "/health", .handler = [&app](const HttpRequest&) { return health(app); }, .open = true});
  router.add({.method = "GET",
              .pattern = "/version",
              .handler =
                  [](const HttpRequest&) {
                    return json_response({{"name", "hayate"}, {"version", version()}});
                  },
              .open = true});
  router.add({.method = "GET", .pattern = "/metrics", .handler = [&app](const HttpRequest&) {
                return HttpResponse{.type = "text/plain; version=0.0.4; charset=utf-8", .body = app.metrics.text()};
              }});
}

}  // namespace hayate::server
