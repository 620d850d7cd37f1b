// The program `hayate`: parse, run, and turn errors into a message and an exit status.
#include <fmt/format.h>

#include <exception>
#include <new>

#include "command_line.h"
#include "exit_code.h"
#include "interrupt.h"
#include "output.h"

namespace hayate::cli {
namespace {

int report(ErrorKind kind, const std::string& message) {
  print_note(fmt::format("hayate: {}\n", message));
  if (kind == ErrorKind::usage) print_note("Options and examples: hayate --help, hayate generate --help\n");
  return kind == ErrorKind::cancelled && interrupted() ? 128 + interrupted() : exit_code(kind);
}

int guarded_main(int argc, char** argv) {
  try {
    watch_signals();
    return parse(argc, argv)();
  } catch (const Error& error) { return report(error.kind(), error.what()); } catch (const std::bad_alloc&) {
    return report(ErrorKind::out_of_memory, "out of memory");
  } catch (const std::exception& error) { return report(ErrorKind::internal, fmt::format("{} (this is a bug in hayate)", error.what())); }
}

}  // namespace
}  // namespace hayate::cli

int main(int argc, char** argv) { return hayate::cli::guarded_main(argc, argv); }
