// The program `hayate`: parse, run, and turn errors into a message and an exit status.
#include <fmt/format.h>

#include <exception>
#include <new>

#include "commands.h"
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
  watch_signals();
  try {
    return std::visit([](const auto& command) { return run(command); }, parse(argc, argv));
  } catch (const Error& error) { return report(error.kind(), error.what()); } catch (const std::bad_alloc&) {
    return report(ErrorKind::out_of_memory, "out of memory");
  } catch (const std::exception& error) { return report(ErrorKind::internal, fmt::format("{} (this is a bug in hayate)", error.what())); }
}

}  // namespace

int run(const ShowText& show) {
  print_result(show.text);
  return exit_ok;
}

int run(const RungsCommand&) {
  std::string text;
  for (const RungInfo& rung : rungs()) text += fmt::format("{:<12} {}\n", rung.name, rung.what);
  print_result(text);
  return exit_ok;
}

}  // namespace hayate::cli

int main(int argc, char** argv) { return hayate::cli::guarded_main(argc, argv); }
