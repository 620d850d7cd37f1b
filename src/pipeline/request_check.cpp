// A request against a model's configs.
#include <algorithm>
#include <limits>

#include "core/error.h"
#include "hayate/inspect.h"
#include "models/config.h"
#include "models/families.h"
#include "pipeline/canvas.h"
#include "pipeline/job.h"
#include "pipeline/open_model.h"

namespace hayate {

struct RequestCheck::Configs {
  UNetConfig unet;
  SchedulerConfig scheduler;
  int downscale;
  int most_clip_skip;
  Part part;
};

namespace {
int most_clip_skip(const Checkpoint& model) {
  const JsonObject index = model.index();
  const Family& family = find_family(index.string("_class_name"), index.what());
  int64_t most = std::numeric_limits<int>::max();
  for (const char* encoder : family.text_encoders)
    most = std::min(most, parse_clip_text_config(model.config(encoder)).layers - 1 - family.skip_layers);
  return int(most);
}
}  // namespace

RequestCheck::RequestCheck(const Options& options) {
  const auto model = open_base(options);
  configs_ = std::make_shared<const Configs>(Configs{.unet = parse_unet_config(model->config("unet")),
                                                     .scheduler = parse_scheduler_config(model->config("scheduler")),
                                                     .downscale = int(parse_vae_config(model->config("vae")).downscale()),
                                                     .most_clip_skip = most_clip_skip(*model),
                                                     .part = options.refiner.empty() ? Part::all : Part::before_handover});
}

std::array<int, 2> RequestCheck::operator()(const Request& request) const {
  require(request.clip_skip <= configs_->most_clip_skip, ErrorKind::usage,
          "clip_skip is {}; the text encoders of this model have layers for up to {}", request.clip_skip, configs_->most_clip_skip);
  auto checked = [&](Part part, bool enlarged) { return check_request(request, configs_->unet, configs_->scheduler, part, enlarged, configs_->downscale); };
  const Job job = checked(request.hires ? Part::all : configs_->part, false);
  if (request.init_image) static_cast<void>(Canvas(request, job.width, job.height, configs_->downscale));  // throws for a mask without white
  return picture_size(request.hires ? checked(configs_->part, true) : job);
}

}  // namespace hayate
