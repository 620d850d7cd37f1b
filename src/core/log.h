// Messages from the library to whoever embeds it. The library itself never prints.
#pragma once
#include <functional>
#include <string>

namespace hayate {

// Called from the thread that called into hayate; may be empty.
using Warn = std::function<void(const std::string& message)>;

inline void warn(const Warn& to, const std::string& message) {
  if (to) to(message);
}

}  // namespace hayate
