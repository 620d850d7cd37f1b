// The part of AUTOMATIC1111's API that its clients use, at /sdapi/v1.
#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/system_memory.h"
#include "server/a1111_fields.h"
#include "server/base64.h"
#include "server/respond.h"
#include "server/routes.h"
#include "server/upload.h"

namespace hayate::server {

namespace {

constexpr const char* api = "a1111";

// The jobs of this client through this API that have not ended; those that are drawn first.
std::vector<JobPtr> jobs_of(const App& app, const HttpRequest& request) {
  std::vector<std::pair<int, JobPtr>> found;
  for (const JobPtr& job : app.desk.jobs())
    if (job->spec().api == api && job->spec().client == request.client && !job->ended()) found.emplace_back(job->status().position, job);
  std::ranges::sort(found, {}, [](const auto& f) { return f.first; });
  std::vector<JobPtr> jobs;
  for (auto& [position, job] : found) jobs.push_back(std::move(job));
  return jobs;
}

// What an interrupted request has finished is its answer, as in the web UI; of what was begun nothing is shown.
HttpResponse pictures(Job& job, const Json& parameters) {
  const JobStatus status = job.status();
  if (status.state == JobState::failed) throw *status.error;
  const Request& request = job.spec().request;
  Json images = Json::array(), seeds = Json::array(), prompts = Json::array(), negatives = Json::array(), infotexts = Json::array();
  for (size_t i = 0; i < status.drawn.size(); ++i) {
    if (!status.drawn[i]) continue;
    images.push_back(to_base64(status.drawn[i]->file));
    seeds.push_back(status.drawn[i]->seed);
    prompts.push_back(request.pictures[i].prompt);
    negatives.push_back(request.pictures[i].negative_prompt);
    infotexts.push_back(status.drawn[i]->infotext);
  }
  const Picture& first = request.pictures[0];
  const Json info = {{"prompt", first.prompt},
                     {"all_prompts", prompts},
                     {"negative_prompt", first.negative_prompt},
                     {"all_negative_prompts", negatives},
                     {"seed", first.seed},
                     {"all_seeds", seeds},
                     {"width", request.width},
                     {"height", request.height},
                     {"steps", request.steps},
                     {"cfg_scale", first.guidance},
                     {"sampler_name", request.scheduler},
                     {"batch_size", images.size()},
                     {"clip_skip", request.clip_skip + 1},
                     {"sd_model_name", job.spec().setup.pipeline.model},
                     {"infotexts", infotexts}};
  return json_response({{"images", images}, {"parameters", parameters}, {"info", info.dump(-1, ' ', false, Json::error_handler_t::replace)}});
}

Answer txt2img(App& app, const HttpRequest& request) {
  const JsonObject body = json_body(request);
  const JobPtr job = app.desk.submit(make_spec(a1111_fields(body, app.catalog), app, request, api));
  return WhenDone{job, [parameters = body.all()](Job& done) { return pictures(done, parameters); }};
}

Answer img2img(App& app, const HttpRequest& request) {
  return Computed{[&app, request] {
    const JsonObject body = json_body(request);
    DrawFields fields = a1111_fields(body, app.catalog);
    read_start(body, app, fields);
    const JobPtr job = app.desk.submit(make_spec(std::move(fields), app, request, api));
    Json parameters = body.all();
    if (!body.boolean("include_init_images", false)) parameters.erase("init_images"), parameters.erase("mask");
    return WhenDone{job, [parameters = std::move(parameters)](Job& done) { return pictures(done, parameters); }};
  }};
}

Answer progress(App& app, const HttpRequest& request) {
  const std::vector<JobPtr> jobs = jobs_of(app, request);
  Json state = {{"skipped", false},     {"interrupted", false}, {"stopping_generation", false}, {"job", ""},          {"job_count", jobs.size()},
                {"job_timestamp", "0"}, {"job_no", 0},          {"sampling_step", 0},           {"sampling_steps", 0}};
  Json answer = {{"progress", 0.0}, {"eta_relative", 0.0}, {"current_image", nullptr}, {"textinfo", nullptr}};
  if (!jobs.empty()) {
    jobs[0]->want_previews();
    const JobStatus status = jobs[0]->status();
    state["job"] = jobs[0]->id(), state["sampling_step"] = status.step, state["sampling_steps"] = status.steps;
    answer["progress"] = status.progress, answer["eta_relative"] = status.seconds_left.value_or(0);
    if (status.state == JobState::queued) answer["textinfo"] = fmt::format("waiting, place {}", status.position);
    const bool wants_image = !request.query.contains("skip_current_image") || request.query.at("skip_current_image") != "true";
    auto shown = std::ranges::find_if(status.previews, [](const auto& p) { return p != nullptr; });
    if (wants_image && shown != status.previews.end()) answer["current_image"] = to_base64((*shown)->file);
  }
  answer["state"] = state;
  return json_response(answer);
}

Answer interrupt(App& app, const HttpRequest& request) {
  if (const std::vector<JobPtr> jobs = jobs_of(app, request); !jobs.empty()) app.desk.cancel(jobs[0], "interrupted");
  return json_response(Json::object());
}

Json options_of(const App& app) {
  return {{"sd_model_checkpoint", app.catalog.default_model()},
          {"sd_checkpoint_hash", ""},
          {"sd_vae", "Automatic"},
          {"samples_format", "png"},
          {"CLIP_stop_at_last_layers", 1}};
}

// Clients read all options, change the checkpoint and send all of them back.
Answer set_options(App& app, const HttpRequest& request) {
  const JsonObject wanted = json_body(request);
  const Json now = options_of(app);
  for (const auto& [key, value] : wanted.all().items())
    require(key == "sd_model_checkpoint" || (now.contains(key) && now[key] == value), ErrorKind::usage, "the option {} cannot be changed here to {}",
            excerpt(key), excerpt(value));
  if (wanted.has("sd_model_checkpoint")) app.catalog.set_default_model(wanted.string("sd_model_checkpoint"));
  return json_response(Json::object());
}

Answer samplers(App&, const HttpRequest&) {
  Json all = Json::array();
  for (const SchedulerInfo& s : schedulers()) {
    std::set<std::string> aliases = {s.name, s.comfyui, s.sd_cpp, s.diffusers};
    aliases.erase("");
    all.push_back({{"name", s.label}, {"aliases", aliases}, {"options", Json::object()}});
  }
  return json_response(all);
}

Answer noise_schedules(App&, const HttpRequest&) {
  Json all = Json::array();
  auto add = [&](const std::string& name, const std::string& label) {
    all.push_back({{"name", name}, {"label", label}, {"aliases", Json::array()}, {"default_rho", -1}, {"need_inner_model", false}});
  };
  add("automatic", "Automatic");
  for (const SpacingInfo& s : spacings()) add(s.name, s.label);
  return json_response(all);
}

Answer sd_models(App& app, const HttpRequest&) {
  Json all = Json::array();
  for (const CatalogModel& m : app.catalog.models())
    all.push_back({{"title", m.name}, {"model_name", m.name}, {"hash", nullptr}, {"sha256", nullptr}, {"filename", m.name}, {"config", nullptr}});
  return json_response(all);
}

Answer loras(App& app, const HttpRequest&) {
  Json all = Json::array();
  for (const auto& [name, path] : app.catalog.loras()) all.push_back({{"name", name}, {"alias", name}, {"path", name}, {"metadata", Json::object()}});
  return json_response(all);
}

// Words, not files: what prompts call them.
Answer embeddings(App& app, const HttpRequest&) {
  Json loaded = Json::object();
  for (const std::string& name : app.catalog.model("").embeddings)
    loaded[name] = {{"step", nullptr}, {"sd_checkpoint", nullptr}, {"sd_checkpoint_name", nullptr}, {"shape", nullptr}, {"vectors", nullptr}};
  return json_response({{"loaded", loaded}, {"skipped", Json::object()}});
}

// For "hr_upscaler".
Json upscalers_named(bool latent) {
  Json all = Json::array();
  for (const UpscalerInfo& u : upscalers()) {
    if ((u.upscaler != Upscaler::lanczos) != latent) continue;
    Json entry = {{"name", u.label}};
    if (!latent) entry.update({{"model_name", nullptr}, {"model_path", nullptr}, {"model_url", nullptr}, {"scale", 4}});
    all.push_back(entry);
  }
  return all;
}

Answer memory(App& app, const HttpRequest&) {
  const int64_t free = available_memory(), used = app.model_memory();
  return json_response({{"ram", {{"free", free}, {"used", used}, {"total", free + used}}}, {"cuda", Json::object()}});
}

Answer png_info(App&, const HttpRequest& request) {
  return Computed{[request] {
    const std::string infotext = decode_image(file_of_base64(json_body(request).string("image"), "image"), "\"image\"").infotext;
    const Infotext info = parse_infotext(infotext);
    Json parameters = {{"Prompt", info.prompt}, {"Negative prompt", info.negative_prompt}};
    for (const auto& [name, value] : info.settings) parameters[name] = value;
    return json_response({{"info", infotext}, {"items", {{"parameters", infotext}}}, {"parameters", parameters}});
  }};
}

}  // namespace

void add_a1111_routes(Router& router, App& app) {
  auto add = [&](const char* method, const std::string& name, Answer (*handler)(App&, const HttpRequest&), size_t largest_body = small_body) {
    router.add({.method = method,
                .pattern = "/sdapi/v1/" + name,
                .handler = [&app, handler](const HttpRequest& r) { return handler(app, r); },
                .errors = ErrorShape::a1111,
                .largest_body = largest_body});
  };
  add("POST", "txt2img", txt2img);
  add("POST", "img2img", img2img, picture_body);
  add("GET", "progress", progress);
  add("POST", "interrupt", interrupt);
  add("POST", "skip", interrupt);
  add("GET", "options", [](App& a, const HttpRequest&) -> Answer { return json_response(options_of(a)); });
  add("POST", "options", set_options);
  add("GET", "samplers", samplers);
  add("GET", "schedulers", noise_schedules);
  add("GET", "sd-models", sd_models);
  add("GET", "loras", loras);
  add("GET", "embeddings", embeddings);
  add("GET", "upscalers", [](App&, const HttpRequest&) -> Answer { return json_response(upscalers_named(false)); });
  add("GET", "latent-upscale-modes", [](App&, const HttpRequest&) -> Answer { return json_response(upscalers_named(true)); });
  add("GET", "memory", memory);
  add("POST", "png-info", png_info, picture_body);
  for (const char* name : {"refresh-checkpoints", "refresh-loras", "refresh-embeddings"})  // LoRAs are listed afresh each time, the others when the server starts
    add("POST", name, [](App&, const HttpRequest&) -> Answer { return json_response(Json::object()); });
  for (const char* name : {"sd-vae", "hypernetworks", "face-restorers", "prompt-styles", "extensions"})  // of which there are none
    add("GET", name, [](App&, const HttpRequest&) -> Answer { return json_response(Json::array()); });
}

}  // namespace hayate::server
