// Fuzz target: the first byte says which config.json, the rest is its text.
#include "input.h"
#include "core/json.h"
#include "models/config.h"
#include "schedule/schedule.h"
#include "schedule/scheduler_config.h"

using namespace hayate;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  fuzz::MemoryFile file(fuzz::text_of(data + 1, size - 1));
  fuzz::tolerate([&] {
    JsonObject config(read_json_file(file.path()), "config.json");
    switch (data[0] % 4) {
      case 0: parse_unet_config(config); break;
      case 1: parse_vae_config(config); break;
      case 2: parse_clip_text_config(config); break;
      case 3: make_schedule(parse_scheduler_config(config), 20, {}); break;
    }
  });
  return 0;
}
