// Text to standard output and standard error, and whether a file can be written.
#pragma once
#include <string>

namespace hayate::cli {

// Writes and flushes; throws Error(io) when standard output is closed or full.
void print_result(const std::string& text);

// To standard error. Nobody listening is no reason to stop, so failures are ignored.
void print_note(const std::string& text);

// Throws Error(io) when `path` cannot become a file: found out before minutes of work, not after.
void check_writable(const std::string& path);

// out.png -> out-2.png when there are several pictures.
std::string numbered(const std::string& path, size_t index, size_t count);

}  // namespace hayate::cli
