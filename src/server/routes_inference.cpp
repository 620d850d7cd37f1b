// The Open Inference Protocol, version 2 (KServe's): prompts are a tensor of BYTES, and so are pictures, in base64.
#include <algorithm>

#include "core/error.h"
#include "server/base64.h"
#include "server/draw_fields.h"
#include "server/respond.h"
#include "server/routes.h"

namespace hayate::server {

namespace {

Json tensor(const char* name, const char* datatype, Json shape) { return {{"name", name}, {"datatype", datatype}, {"shape", std::move(shape)}}; }

// One input: a list of `count` texts or numbers, or of any count while that is 0.
JsonObject input_named(const Json& inputs, const std::string& name, const char* datatype) {
  for (const Json& entry : inputs) {
    const JsonObject input(entry, "an entry of \"inputs\"", ErrorKind::usage);
    if (input.string("name") != name) continue;
    require(input.string("datatype") == datatype, ErrorKind::usage, "the datatype of input {} is {}, expected {}", name,
            excerpt(input.raw("datatype")), datatype);
    const Json& data = input.raw("data");
    require(data.is_array(), ErrorKind::usage, "the data of input {} is {}, expected a list", name, excerpt(data));
    const std::vector<int64_t> shape = input.integers("shape", 1, most_pictures_of_a_job);
    require(shape.size() == 1 && size_t(shape[0]) == data.size(), ErrorKind::usage, "the shape of input {} is not [{}], the length of its data", name,
            data.size());
    return input;
  }
  return JsonObject(Json::object(), "no input " + name, ErrorKind::usage);
}

std::vector<std::string> texts(const Json& inputs, const std::string& name) {
  const JsonObject input = input_named(inputs, name, "BYTES");
  std::vector<std::string> all;
  if (!input.has("data")) return all;
  for (const Json& text : input.raw("data")) {
    require(text.is_string(), ErrorKind::usage, "the data of input {} holds {}, expected texts", name, excerpt(text));
    all.push_back(text.get<std::string>());
  }
  return all;
}

void check_names(const Json& inputs) {
  for (const Json& entry : inputs) {
    const std::string name = JsonObject(entry, "an entry of \"inputs\"", ErrorKind::usage).string("name");
    require(name == "prompt" || name == "negative_prompt" || name == "seed", ErrorKind::usage,
            "there is no input {}; there are: prompt, negative_prompt, seed", excerpt(name));
  }
}

// Fields beside tensors are "parameters", under the names of our own API; prompts differ between pictures.
JobSpec spec_of(const App& app, const HttpRequest& request, const JsonObject& body) {
  const Json none, &inputs = body.has("inputs") ? body.raw("inputs") : none;
  require(inputs.is_array() && !inputs.empty(), ErrorKind::usage, "\"inputs\" is {}, expected a list of tensors", excerpt(inputs));
  check_names(inputs);
  const std::vector<std::string> prompts = texts(inputs, "prompt"), negatives = texts(inputs, "negative_prompt");
  require(!prompts.empty(), ErrorKind::usage, "there is no input prompt");
  DrawFields fields{.model = request.captured.at(0), .pictures = int64_t(prompts.size())};
  if (body.has("parameters")) read_draw_fields(JsonObject(body.raw("parameters"), "\"parameters\"", ErrorKind::usage), fields);
  fields.model = request.captured.at(0);
  require(negatives.empty() || negatives.size() == prompts.size(), ErrorKind::usage, "{} negative prompts for {} prompts", negatives.size(),
          prompts.size());
  JobSpec spec = make_spec(fields, app, request, "inference");
  const JsonObject seeds = input_named(inputs, "seed", "UINT64");
  const std::vector<int64_t> given = seeds.has("data") ? seeds.integers("data", 0, INT64_MAX) : std::vector<int64_t>{};
  require(given.empty() || given.size() == prompts.size(), ErrorKind::usage, "{} seeds for {} prompts", given.size(), prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    Picture& picture = spec.request.pictures[i];
    check_prompt("prompt", picture.prompt = prompts[i]);
    if (!negatives.empty()) check_prompt("negative_prompt", picture.negative_prompt = negatives[i]);
    if (!given.empty()) picture.seed = uint64_t(given[i]);
  }
  return spec;
}

HttpResponse pictures(Job& job, const Json& id) {
  const JobStatus status = job.status();
  if (status.error) throw *status.error;
  const Json shape = {status.drawn.size()};
  Json images = tensor("image", "BYTES", shape), seeds = tensor("seed", "UINT64", shape), infotexts = tensor("infotext", "BYTES", shape);
  images["parameters"] = {{"content_type", status.drawn[0]->type}, {"encoding", "base64"}};
  for (const auto& drawn : status.drawn) {
    images["data"].push_back(to_base64(drawn->file));
    seeds["data"].push_back(drawn->seed);
    infotexts["data"].push_back(drawn->infotext);
  }
  return json_response({{"model_name", job.spec().setup.pipeline.model}, {"id", id}, {"outputs", {images, seeds, infotexts}}});
}

Answer infer(App& app, const HttpRequest& request) {
  const JsonObject body = json_body(request);
  const std::string id = body.string("id", "");
  const JobPtr job = app.desk.submit(spec_of(app, request, body));
  return WhenDone{job, [id = id.empty() ? job->id() : id](Job& done) { return pictures(done, id); }};
}

Answer model(App& app, const HttpRequest& request) {
  const CatalogModel& model = app.catalog.model(request.captured.at(0));
  return json_response({{"name", model.name},
                        {"versions", Json::array()},
                        {"platform", "hayate"},
                        {"inputs", {tensor("prompt", "BYTES", {-1}), tensor("negative_prompt", "BYTES", {-1}), tensor("seed", "UINT64", {-1})}},
                        {"outputs", {tensor("image", "BYTES", {-1}), tensor("seed", "UINT64", {-1}), tensor("infotext", "BYTES", {-1})}}});
}

Answer model_ready(App& app, const HttpRequest& request) {
  const std::string name = app.catalog.model(request.captured.at(0)).name;
  return json_response({{"name", name}, {"ready", !app.draining}}, app.draining ? 503 : 200);
}

}  // namespace

void add_inference_routes(Router& router, App& app) {
  auto add = [&](const char* method, const char* pattern, auto handler, bool open = false) {
    router.add({.method = method,
                .pattern = pattern,
                .handler = [&app, handler](const HttpRequest& r) -> Answer { return handler(app, r); },
                .open = open,
                .errors = ErrorShape::inference});
  };
  add(
      "GET", "/v2",
      [](App&, const HttpRequest&) {
        return json_response({{"name", "hayate"}, {"version", version()}, {"extensions", Json::array()}});
      },
      true);
  add(
      "GET", "/v2/health/live",
      [](App&, const HttpRequest&) {
        return json_response({{"live", true}});
      },
      true);
  add(
      "GET", "/v2/health/ready",
      [](App& a, const HttpRequest&) {
        return json_response({{"ready", !a.draining}}, a.draining ? 503 : 200);
      },
      true);
  add("GET", "/v2/models/{}", model);
  add("GET", "/v2/models/{}/ready", model_ready);
  add("POST", "/v2/models/{}/infer", infer);
}

}  // namespace hayate::server
