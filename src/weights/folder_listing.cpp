// Through std::filesystem, without exceptions.
#include "weights/folder_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace hayate {

namespace fs = std::filesystem;

bool present(const std::string& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

std::vector<std::string> folder_entries(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::string list_names(std::vector<std::string> names) {
  constexpr size_t shown = 12;
  const size_t more = names.size() - std::min(names.size(), shown);
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more ? fmt::format(" and {} more", more) : "");
}

std::string list_entries(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names = folder_entries(folder);
  if (names.empty()) return fs::is_directory(folder, error) || !error ? "nothing" : error.message();
  for (std::string& name : names)
    if (fs::is_directory(folder + "/" + name, error)) name += "/";
  return list_names(std::move(names));
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

}  // namespace hayate
