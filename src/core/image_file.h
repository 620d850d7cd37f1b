// Pictures as PNG files, with their settings in the text chunk where other programs look for them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hayate {

// `rgb` is row-major, 3 bytes a pixel. A non-empty `infotext` (UTF-8) becomes the chunk "parameters", of the kind that
// Pillow, and so AUTOMATIC1111, chooses: tEXt if Latin-1 holds it, else iTXt.
std::vector<std::byte> encode_png(int width, int height, std::span<const uint8_t> rgb, const std::string& infotext);
void write_png_file(const std::string& path, int width, int height, std::span<const uint8_t> rgb, const std::string& infotext);

}  // namespace hayate
