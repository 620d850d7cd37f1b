// The font of labels, DejaVu Sans, as a TrueType file. cli/embed_font.cmake writes the definition.
#pragma once
#include <span>

namespace hayate::cli {

std::span<const unsigned char> embedded_font();

}  // namespace hayate::cli
