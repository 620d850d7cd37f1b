// A request against a model's configs.
#include "hayate/inspect.h"
#include "models/config.h"
#include "pipeline/canvas.h"
#include "pipeline/job.h"
#include "pipeline/open_model.h"

namespace hayate {

struct RequestCheck::Configs {
  UNetConfig unet;
  SchedulerConfig scheduler;
  int downscale;
  Part part;
};

RequestCheck::RequestCheck(const Options& options) {
  const auto model = open_base(options);
  configs_ = std::make_shared<const Configs>(Configs{.unet = parse_unet_config(model->config("unet")),
                                                     .scheduler = parse_scheduler_config(model->config("scheduler")),
                                                     .downscale = int(parse_vae_config(model->config("vae")).downscale()),
                                                     .part = options.refiner.empty() ? Part::all : Part::before_handover});
}

std::array<int, 2> RequestCheck::operator()(const Request& request) const {
  auto checked = [&](Part part, bool enlarged) { return check_request(request, configs_->unet, configs_->scheduler, part, enlarged, configs_->downscale); };
  const Job job = checked(request.hires ? Part::all : configs_->part, false);
  if (request.init_image) static_cast<void>(Canvas(request, job.width, job.height, configs_->downscale));  // throws for a mask without white
  return picture_size(request.hires ? checked(configs_->part, true) : job);
}

}  // namespace hayate
