// Our own API: hand in a job, watch it, fetch its pictures, cancel it; and what there is to choose from.
#include "core/error.h"
#include "server/base64.h"
#include "server/draw_fields.h"
#include "server/respond.h"
#include "server/routes.h"

namespace hayate::server {

namespace {

std::string base_of(const Job& job) { return "/api/jobs/" + job.id(); }

Json optional_seconds(const std::optional<double>& s) { return s ? Json(*s) : Json(nullptr); }

Json error_json(const HttpError& e) { return {{"code", e.code}, {"message", e.message}}; }

Json job_json(const Job& job) {
  const JobStatus s = job.status();
  const Request& request = job.spec().request;
  Json pictures = Json::array();
  for (size_t i = 0; i < s.drawn.size(); ++i) {
    Json picture = {{"seed", request.pictures[i].seed}, {"url", nullptr}, {"infotext", nullptr}};
    if (s.drawn[i]) picture["url"] = base_of(job) + "/pictures/" + std::to_string(i), picture["infotext"] = s.drawn[i]->infotext;
    pictures.push_back(picture);
  }
  Json json = {{"id", job.id()},
               {"status", name_of(s.state)},
               {"position", s.position},
               {"step", s.step},
               {"steps", s.steps},
               {"progress", s.progress},
               {"seconds_left", optional_seconds(s.seconds_left)},
               {"seconds_queued", s.seconds_queued},
               {"seconds_drawing", s.seconds_drawing},
               {"model", job.spec().setup.pipeline.model},
               {"rung", s.rung.empty() ? Json(nullptr) : Json(s.rung)},
               {"width", job.spec().width},
               {"height", job.spec().height},
               {"pictures", pictures},
               {"events", base_of(job) + "/events"}};
  if (s.error) json["error"] = error_json(*s.error);
  return json;
}

std::string event(const char* name, const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// What has changed since it was asked last: previews that are new, and how far the job is.
class JobEvents {
 public:
  explicit JobEvents(bool with_pictures) : with_pictures_(with_pictures) {}

  std::string operator()(Job& job) {
    const JobStatus s = job.status();
    std::string text;
    shown_.resize(s.previews.size());
    for (size_t i = 0; i < s.previews.size(); ++i) {
      if (!s.previews[i] || s.previews[i] == shown_[i]) continue;
      shown_[i] = s.previews[i];
      text += event("preview", {{"picture", i}, {"step", shown_[i]->step}, {"image", "data:image/jpeg;base64," + to_base64(shown_[i]->file)}});
    }
    if (has_ended(s.state)) return text + event(name_of(s.state), ended_json(job, s));
    const Json now = {{"status", name_of(s.state)}, {"position", s.position}, {"step", s.step},
                      {"steps", s.steps},           {"progress", s.progress}, {"seconds_left", optional_seconds(s.seconds_left)}};
    return text + event("progress", now);
  }

 private:
  Json ended_json(const Job& job, const JobStatus& s) const {
    Json json = job_json(job);
    for (size_t i = 0; with_pictures_ && i < s.drawn.size(); ++i)
      if (s.drawn[i]) json["pictures"][i]["image"] = "data:" + s.drawn[i]->type + ";base64," + to_base64(s.drawn[i]->file);
    return json;
  }

  const bool with_pictures_;
  std::vector<std::shared_ptr<const Preview>> shown_;
};

JobPtr job_of(const App& app, const HttpRequest& request) {
  JobPtr job = app.desk.find(request.captured.at(0));
  if (!job) throw HttpError{404, "no such job; jobs are forgotten ten minutes after they have ended", "not_found"};
  return job;
}

HttpResponse submit(App& app, const HttpRequest& request, const JsonObject& body, DrawFields fields) {
  refuse_unknown_fields(body);
  body.string("prompt");  // the one field that must be there
  fields.pictures = body.integer("n", 1, most_pictures_of_a_job, 1);
  read_draw_fields(body, fields);
  const JobPtr job = app.desk.submit(make_spec(std::move(fields), app, request, "jobs"));
  HttpResponse response = json_response(job_json(*job), 202);
  response.headers.emplace_back("Location", base_of(*job));
  return response;
}

Answer submit(App& app, const HttpRequest& request) {
  if (!is_form(request)) return submit(app, request, json_body(request), {});
  return Computed{[&app, request] {
    DrawFields fields;
    const JsonObject body = form_body(request, app, "init_image", MaskShows::white, fields);
    return submit(app, request, body, std::move(fields));
  }};
}

Answer events(App& app, const HttpRequest& request) {
  auto is_set = [&](const char* name) { return request.query.contains(name) && request.query.at(name) != "0"; };
  const JobPtr job = job_of(app, request);
  if (is_set("previews")) job->want_previews();
  return EventStream{.job = job, .cancels = is_set("cancel"), .render = JobEvents(is_set("pictures"))};
}

Answer cancel(App& app, const HttpRequest& request) {
  const JobPtr job = job_of(app, request);
  app.desk.cancel(job, "cancelled on request");
  return json_response(job_json(*job));
}

Answer picture(App& app, const HttpRequest& request) {
  const JobPtr job = job_of(app, request);
  const JobStatus status = job->status();
  for (size_t i = 0; i < status.drawn.size(); ++i)
    if (request.captured.at(1) == std::to_string(i) && status.drawn[i])
      return HttpResponse{
          .type = status.drawn[i]->type, .body = status.drawn[i]->file, .headers = {{"Cache-Control", "private, max-age=600, immutable"}}};
  throw HttpError{404, "this job has no such picture, or not yet", "not_found"};
}

// What the page offers.
Answer choices(App& app, const HttpRequest&) {
  Json models = Json::array(), all_rungs = Json::array(), all_schedulers = Json::array(), all_spacings = Json::array(), loras = Json::array(), all_upscalers = Json::array();
  for (const CatalogModel& m : app.catalog.models())
    models.push_back({{"name", m.name}, {"name_in_pictures", m.info.name}, {"family", m.info.family}, {"width", m.info.width}, {"height", m.info.height}, {"inpaints", m.info.inpaints}, {"embeddings", m.embeddings}});
  for (const RungInfo& r : rungs(app.options.pipeline.device)) all_rungs.push_back({{"name", r.name}, {"what", r.what}});
  for (const SchedulerInfo& s : schedulers()) all_schedulers.push_back({{"name", s.name}, {"label", s.label}, {"what", s.what}, {"options", s.options}});
  for (const SpacingInfo& s : spacings()) all_spacings.push_back({{"name", s.name}, {"label", s.label}, {"what", s.what}, {"sigmas", s.sigmas}});
  for (const auto& [name, path] : app.catalog.loras()) loras.push_back(name);
  for (const UpscalerInfo& u : upscalers()) all_upscalers.push_back({{"name", u.name}, {"label", u.label}});
  return json_response({{"models", models},
                        {"default_model", app.catalog.default_model()},
                        {"rungs", all_rungs},
                        {"default_rung", app.options.pipeline.rung},
                        {"schedulers", all_schedulers},
                        {"spacings", all_spacings},
                        {"loras", loras},
                        {"upscalers", all_upscalers},
                        {"limits", {{"n", most_pictures_of_a_job}, {"steps", most_steps}, {"pixels", app.options.pixels}}}});
}

HttpResponse settings_of(const std::string& file) {
  const ImageFile picture = decode_image(file, "the picture");
  const Infotext info = parse_infotext(picture.infotext);
  Json settings = Json::object();
  for (const auto& [name, value] : info.settings) settings[name] = value;
  return json_response({{"format", picture.format},
                        {"width", picture.image.width},
                        {"height", picture.image.height},
                        {"infotext", picture.infotext},
                        {"prompt", info.prompt},
                        {"negative_prompt", info.negative_prompt},
                        {"settings", settings}});
}

}  // namespace

void add_job_routes(Router& router, App& app) {
  auto with_app = [&app](auto handler) { return [&app, handler](const HttpRequest& request) -> Answer { return handler(app, request); }; };
  router.add({.method = "GET", .pattern = "/api/choices", .handler = with_app(choices)});
  router.add({.method = "POST",
              .pattern = "/api/jobs",
              .handler = with_app([](App& a, const HttpRequest& r) { return submit(a, r); }),
              .largest_form = picture_body});
  router.add(
      {.method = "GET", .pattern = "/api/jobs/{}", .handler = [&app](const HttpRequest& r) { return json_response(job_json(*job_of(app, r))); }});
  router.add({.method = "DELETE", .pattern = "/api/jobs/{}", .handler = with_app(cancel)});
  router.add({.method = "GET", .pattern = "/api/jobs/{}/events", .handler = with_app(events)});
  router.add({.method = "GET", .pattern = "/api/jobs/{}/pictures/{}", .handler = with_app(picture)});
  router.add({.method = "POST",
              .pattern = "/api/settings-of-picture",
              .handler = [](const HttpRequest& r) { return Computed{[file = r.body] { return settings_of(file); }}; },
              .largest_body = picture_body});
}

}  // namespace hayate::server
