// Text to standard output and standard error, and whether a file can be written.
#pragma once
#include <string>

namespace hayate::cli {

// Writes and flushes; throws Error(io) when standard output is closed or full.
void print_result(const std::string& text);

// To standard error. Nobody listening is no reason to stop, so failures are ignored.
void print_note(const std::string& text);

// Throws Error(io) when `path` cannot become a file: found out before minutes of work, not after. A missing folder is no
// obstacle where the one above is there: make_folder() makes it when there is something to put in.
void check_writable(const std::string& path);
void make_folder(const std::string& path_of_file);

}  // namespace hayate::cli
