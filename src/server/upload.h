// Pictures that come with requests.
#pragma once
#include <string>
#include <string_view>

#include "hayate/hayate.h"

namespace hayate::server {

// The bytes that base64 stands for, alone or in a data URL. Error(usage) that names the key.
std::string file_of_base64(std::string_view text, const std::string& key);

// A PNG, JPEG or WebP, upright. Error(bad_file) or Error(unsupported) that names the key, for pictures that are too large too.
Image upload(std::string_view file, const std::string& key);

// The size of a drawing of the picture's shape with about as many pixels as the model's own, in multiples of 8.
void size_like(const Image&, int64_t pixels, int64_t& width, int64_t& height);

}  // namespace hayate::server
