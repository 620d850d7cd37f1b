// OpenAI's Images API, with fields of ours beside its own.
#include <chrono>

#include "core/error.h"
#include "server/base64.h"
#include "server/draw_fields.h"
#include "server/respond.h"
#include "server/routes.h"

namespace hayate::server {

namespace {

constexpr int64_t most_partial_images = 10;

int64_t unix_time() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string data_url(const std::string& type, const std::string& file) { return "data:" + type + ";base64," + to_base64(file); }

// Their clients send the names of their models; those mean the default here.
std::string model_of(const App& app, const std::string& given) {
  const bool theirs = given.starts_with("dall-e") || given.starts_with("gpt-image") || given.starts_with("chatgpt-image");
  return theirs ? app.catalog.default_model() : given;
}

struct Wanted {
  JobSpec spec{};
  bool url = false, stream = false;
  int64_t partial_images = 0;
};

void read_size(const JsonObject& body, DrawFields& fields) {
  const std::string size = body.string("size", "auto");
  if (size == "auto") return;
  require(parse_size_text(size, fields.width, fields.height), ErrorKind::usage, "\"size\" is {}, expected WIDTHxHEIGHT or auto", excerpt(size));
}

// Of their body, or of a form of their fields.
Wanted wanted_of(const App& app, const HttpRequest& request, const JsonObject& given, DrawFields fields) {
  Json ours = given.all();
  ours.erase("quality");  // theirs is a word, which means nothing here
  const JsonObject body(std::move(ours), given.what(), ErrorKind::usage);
  body.string("prompt");  // the one field that must be there
  read_draw_fields(body, fields);
  fields.model = model_of(app, fields.model);
  fields.pictures = body.integer("n", 1, most_pictures_of_a_job, 1);
  fields.format = body.string("output_format", fields.format);
  if (body.has("output_compression")) fields.quality = std::max(1, int(body.integer("output_compression", 0, 100)));
  read_size(body, fields);
  const std::string form = body.string("response_format", "b64_json");
  require(form == "b64_json" || form == "url", ErrorKind::usage, "\"response_format\" is {}, expected b64_json or url", excerpt(form));
  Wanted wanted{
      .url = form == "url", .stream = body.boolean("stream", false), .partial_images = body.integer("partial_images", 0, most_partial_images, 0)};
  require(!wanted.stream || fields.pictures == 1, ErrorKind::usage, "\"n\" is {}, expected 1 where \"stream\" is true", fields.pictures);
  wanted.spec = make_spec(std::move(fields), app, request, "openai");
  return wanted;
}

Json image_json(const Drawn& drawn, bool url) {
  Json image = {{"seed", drawn.seed}, {"infotext", drawn.infotext}};
  // A data URL, which needs no second request and leaves nothing behind.
  url ? image["url"] = data_url(drawn.type, drawn.file) : image["b64_json"] = to_base64(drawn.file);
  return image;
}

HttpResponse pictures(Job& job, bool url, int64_t created) {
  const JobStatus status = job.status();
  if (status.error) throw *status.error;
  Json data = Json::array();
  for (const auto& drawn : status.drawn) data.push_back(image_json(*drawn, url));
  return json_response({{"created", created}, {"data", data}, {"output_format", job.spec().extension.substr(1)}});
}

std::string event(Json data) { return fmt::format("event: {}\ndata: {}\n\n", data["type"].get<std::string>(), data.dump()); }

// As many previews as were asked for, evenly over the steps, then the picture, as events "image_generation.completed" or "image_edit.completed".
class PartialImages {
 public:
  PartialImages(std::string kind, int64_t wanted, int64_t created) : kind_(std::move(kind)), wanted_(wanted), created_(created) {}

  std::string operator()(Job& job) {
    const JobStatus status = job.status();
    if (status.error) {
      const Json body = Json::parse(error_response(*status.error, ErrorShape::openai).body);
      return event({{"type", "error"}, {"error", body["error"]}});
    }
    const Json common = {{"created_at", created_}, {"size", fmt::format("{}x{}", job.spec().width, job.spec().height)}};
    Json data = common;
    if (status.state == JobState::done) {
      data.update(image_json(*status.drawn[0], false));
      data.update({{"type", kind_ + ".completed"}, {"output_format", job.spec().extension.substr(1)}});
      return event(data);
    }
    if (sent_ >= wanted_ || !status.previews[0]) return "";
    if (status.previews[0]->step < status.steps * (sent_ + 1) / (wanted_ + 1)) return "";
    data.update({{"type", kind_ + ".partial_image"},
                 {"partial_image_index", sent_++},
                 {"b64_json", to_base64(status.previews[0]->file)},
                 {"output_format", "jpeg"}});
    return event(data);
  }

 private:
  const std::string kind_;
  const int64_t wanted_, created_;
  int64_t sent_ = 0;
};

Found draw(App& app, Wanted wanted, const char* kind) {
  const JobPtr job = app.desk.submit(std::move(wanted.spec));
  const int64_t created = unix_time();
  if (!wanted.stream) return WhenDone{job, [url = wanted.url, created](Job& done) { return pictures(done, url, created); }};
  if (wanted.partial_images > 0) job->want_previews();
  return EventStream{.job = job, .cancels = true, .render = PartialImages(kind, wanted.partial_images, created)};
}

Answer generate(App& app, const HttpRequest& request) {
  return std::visit([](auto&& answer) -> Answer { return std::move(answer); },
                    draw(app, wanted_of(app, request, json_body(request), {}), "image_generation"));
}

Answer edit(App& app, const HttpRequest& request) {
  return Computed{[&app, request] {
    DrawFields fields;
    const JsonObject body = form_body(request, app, "image", MaskShows::transparent, fields);
    require(fields.start.has_value(), ErrorKind::usage, "the form has no file \"image\", the picture to start from");
    if (fields.start->mask) fields.strength = 1;  // what is transparent has nothing to keep
    return draw(app, wanted_of(app, request, body, std::move(fields)), "image_edit");
  }};
}

Answer variations(const HttpRequest&) {
  throw HttpError{501, "variations without a prompt do not exist here; edits take a picture and a prompt", "not_implemented"};
}

Json model_json(const std::string& name) { return {{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", "hayate"}}; }

Answer models(App& app, const HttpRequest&) {
  Json data = Json::array();
  for (const CatalogModel& model : app.catalog.models()) data.push_back(model_json(model.name));
  return json_response({{"object", "list"}, {"data", data}});
}

}  // namespace

void add_openai_routes(Router& router, App& app) {
  auto with_app = [&app](auto handler) { return [&app, handler](const HttpRequest& request) { return handler(app, request); }; };
  router.add({.method = "POST", .pattern = "/v1/images/generations", .handler = with_app(generate)});
  router.add({.method = "POST", .pattern = "/v1/images/edits", .handler = with_app(edit), .largest_form = picture_body});
  router.add({.method = "POST", .pattern = "/v1/images/variations", .handler = variations, .largest_form = picture_body});
  router.add({.method = "GET", .pattern = "/v1/models", .handler = with_app(models)});
  router.add({.method = "GET", .pattern = "/v1/models/{}", .handler = [&app](const HttpRequest& r) -> Answer {
                return json_response(model_json(app.catalog.model(r.captured.at(0)).name));
              }});
}

}  // namespace hayate::server
