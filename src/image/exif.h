// The two things of EXIF that matter here: a comment, and which way is up.
// Format: CIPA DC-008 (EXIF 2.32), section 4.6; the comment as AUTOMATIC1111 writes and reads it through piexif.
#pragma once
#include <string>

#include "image/image_format.h"

namespace hayate {

struct Exif {
  std::string comment{};  // UserComment, as UTF-8
  int orientation = 1;
};

// Never throws over content: whatever is broken counts as absent, since pixels are worth more than their notes.
Exif parse_exif(ByteSpan tiff);

// A TIFF structure that holds the comment: in UTF-16 as others write it; in ASCII if it is that, and UTF-16 would take more than
// `most_bytes`. It takes exif_overhead bytes beside the characters.
Bytes make_exif(const std::string& comment, size_t most_bytes);
constexpr size_t exif_overhead = 52;

// What comes before the structure in a JPEG, and in the WebP files of some programs.
constexpr std::string_view exif_prefix{"Exif\0\0", 6};
ByteSpan without_exif_prefix(ByteSpan);

}  // namespace hayate
