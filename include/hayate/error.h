// The one exception type that hayate throws.
#pragma once
#include <stdexcept>
#include <string>

namespace hayate {

// What went wrong, coarse enough to choose an exit code or an HTTP status from.
enum class ErrorKind {
  usage,          // the caller asked for something impossible: a flag, a size, a combination
  not_found,      // a file, folder or named thing does not exist
  bad_file,       // a file's content breaks its format
  bad_model,      // files are well formed, but do not make a model that hayate knows
  unsupported,    // valid, but not something this build or this device can do
  out_of_memory,  // host or device memory is not enough
  io,             // the operating system refused: disk full, permission, broken pipe
  not_finite,     // a computation produced NaN or infinity
  cancelled,      // a callback asked to stop
  internal,       // a broken invariant: a bug in hayate
};

// `what()` names the thing (value, file, flag), what was found and what was expected.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace hayate
