// The kernel's text files. What is missing or unreadable limits nothing.
#include "core/system_memory.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

namespace hayate {
namespace {

constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();

// The number after `key` at the start of a line; the first number of the file if there is no key.
std::optional<int64_t> number(const std::string& path, const std::string& key = "") {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    if (!key.empty() && (!(words >> word) || word != key)) continue;
    int64_t value = 0;
    if (words >> value) return value;
    return std::nullopt;  // "max"
  }
  return std::nullopt;
}

// What is left in one control group.
int64_t left_in(const std::string& group, const std::string& limit_file, const std::string& usage_file, const std::string& prefix) {
  std::optional<int64_t> limit = number(group + limit_file), usage = number(group + usage_file);
  if (!limit || !usage) return unlimited;
  for (const char* cached : {"inactive_file", "active_file"}) *usage -= number(group + "/memory.stat", prefix + cached).value_or(0);
  return std::max<int64_t>(0, *limit - std::max<int64_t>(0, *usage));
}

// What is left in the group and all that it lies in. Within a container the path may be the one outside of it: then only the root exists.
int64_t left_along(const std::string& root, std::filesystem::path group, const char* limit_file, const char* usage_file, const char* prefix) {
  int64_t left = unlimited;
  for (;; group = group.parent_path()) {
    left = std::min(left, left_in(root + group.string(), limit_file, usage_file, prefix));
    if (group == group.parent_path()) return left;
  }
}

}  // namespace

int64_t available_memory(const std::string& proc, const std::string& cgroups) {
  int64_t left = unlimited;
  if (auto kilobytes = number(proc + "/meminfo", "MemAvailable:")) left = *kilobytes * 1024;
  std::ifstream groups(proc + "/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:path
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",", path = line.substr(second + 1);
    if (controllers == ",,") left = std::min(left, left_along(cgroups, path, "/memory.max", "/memory.current", ""));
    if (controllers.find(",memory,") != controllers.npos)
      left = std::min(left, left_along(cgroups + "/memory", path, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_"));
  }
  return left;
}

}  // namespace hayate
