// What lies in a folder, for choosing files by name and for errors that say what is there instead.
#pragma once
#include <string>
#include <vector>

namespace hayate {

bool present(const std::string& path);                               // true also for a broken link: opening it gives the better error
std::vector<std::string> folder_entries(const std::string& folder);  // sorted names; empty if it cannot be read
std::string list_entries(const std::string& folder);                 // "unet/, vae/, README.md", at most a dozen of them
std::string list_names(std::vector<std::string> names);              // likewise
bool is_plain_name(const std::string& name);                         // of a file or folder inside a folder: no way out of it

}  // namespace hayate
