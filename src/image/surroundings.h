// Parts of a picture replaced by the colours around them.
#pragma once
#include "hayate/hayate.h"

namespace hayate {

// Where the mask, of the picture's size and grey, is white, soft colours of what is near; where it is grey as much of both. Black where all of it is white. This is "fill" of AUTOMATIC1111's web UI
// (modules/masking.py).
Image filled_from_around(const Image&, const Image& mask);

}  // namespace hayate
