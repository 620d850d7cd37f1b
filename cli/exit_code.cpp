// The table of exit statuses.
#include "exit_code.h"

#include <fmt/format.h>

namespace hayate::cli {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::not_found:
    case ErrorKind::bad_file:
    case ErrorKind::bad_model: return 3;
    case ErrorKind::unsupported:
    case ErrorKind::out_of_memory: return 4;
    case ErrorKind::io: return 5;
    case ErrorKind::not_finite: return 6;
    case ErrorKind::cancelled: return 130;
    case ErrorKind::internal: return exit_internal;
  }
  return exit_internal;
}

std::string exit_code_help() {
  return fmt::format(
      "Exit status:\n"
      "  {:<4}done; compare: no difference above the tolerance\n"
      "  {:<4}compare: a difference\n"
      "  {:<4}the command line asks for something impossible\n"
      "  {:<4}a file or model is missing, broken or unknown\n"
      "  {:<4}not enough memory, or not supported by this build or device\n"
      "  {:<4}a file could not be written\n"
      "  {:<4}the computation produced NaN or infinity\n"
      "  {:<4}a bug in hayate\n"
      "  {:<4}interrupted with Ctrl-C (143: terminated); no file is half-written\n",
      exit_ok, exit_different, exit_code(ErrorKind::usage), exit_code(ErrorKind::bad_file), exit_code(ErrorKind::unsupported),
      exit_code(ErrorKind::io), exit_code(ErrorKind::not_finite), exit_internal, exit_code(ErrorKind::cancelled));
}

}  // namespace hayate::cli
