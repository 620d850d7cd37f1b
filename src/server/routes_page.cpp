// The page and what it is made of, and the description of the APIs.
#include "server/page_files.h"
#include "server/respond.h"
#include "server/routes.h"

namespace hayate::server {

namespace {

std::string type_of(std::string_view name) {
  return name.ends_with(".html")   ? "text/html; charset=utf-8"
         : name.ends_with(".css")  ? "text/css; charset=utf-8"
         : name.ends_with(".js")   ? "text/javascript; charset=utf-8"
         : name.ends_with(".json") ? "application/json"
                                   : "image/svg+xml";
}

// Nothing from elsewhere, and no page of others around it.
constexpr const char* policy =
    "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'";

HttpResponse serve(const PageFile& file, const HttpRequest& request) {
  const std::string tag = "\"" + std::string(file.hash) + "\"";
  HttpResponse response{.type = type_of(file.name)};
  response.headers = {{"Cache-Control", "no-cache"}, {"ETag", tag}, {"Content-Security-Policy", policy}, {"Referrer-Policy", "no-referrer"}};
  if (request.header("if-none-match") == tag)
    response.status = 304;
  else
    response.body = file.content;
  return response;
}

}  // namespace

void add_page_routes(Router& router, App&) {
  for (const PageFile& file : page_files()) {
    auto handler = [&file](const HttpRequest& request) { return serve(file, request); };
    router.add({.method = "GET", .pattern = "/" + std::string(file.name), .handler = handler, .open = true});
    if (file.name == "index.html") router.add({.method = "GET", .pattern = "/", .handler = handler, .open = true});
  }
}

}  // namespace hayate::server
