// The one writer of text files.
#include "hayate/text_file.h"

#include "core/atomic_file.h"

namespace hayate {

void write_text_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace hayate
