// What memory the machine has left for this process.
#pragma once
#include <cstdint>
#include <string>

namespace hayate {

// The least of what /proc/meminfo calls available and what is left under the limits of this process's control groups (versions 1
// and 2), bytes. Cached files count as left. The arguments are where the kernel's files lie.
int64_t available_memory(const std::string& proc = "/proc", const std::string& cgroups = "/sys/fs/cgroup");

}  // namespace hayate
