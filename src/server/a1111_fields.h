// What AUTOMATIC1111's txt2img and img2img are asked for, in our terms.
#pragma once
#include "server/draw_fields.h"

namespace hayate::server {

// Throws for settings that would draw something else and do not exist here; what changes nothing is ignored.
DrawFields a1111_fields(const JsonObject& body, const Catalog&);

// What img2img has beside txt2img. Decodes picture and mask, which takes a while.
void read_start(const JsonObject& body, const App&, DrawFields&);

}  // namespace hayate::server
