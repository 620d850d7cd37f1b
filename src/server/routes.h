// THE TABLE of what is served: one function a file.
#pragma once
#include "server/app.h"
#include "server/router.h"

namespace hayate::server {

void add_service_routes(Router&, App&);  // /health, /version, /metrics, /openapi.json
void add_job_routes(Router&, App&);      // /api: our own

void add_openai_routes(Router&, App&);     // /v1: OpenAI's Images
void add_a1111_routes(Router&, App&);      // /sdapi/v1: AUTOMATIC1111's
void add_inference_routes(Router&, App&);  // /v2: Open Inference Protocol
void add_page_routes(Router&, App&);       // /: the page

inline Router all_routes(App& app) {
  Router router;
  for (auto add : {add_service_routes, add_job_routes, add_openai_routes, add_a1111_routes, add_inference_routes, add_page_routes}) add(router, app);
  return router;
}

}  // namespace hayate::server
