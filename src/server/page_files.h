// The files of src/server/page, which are part of the program.
#pragma once
#include <span>
#include <string_view>

namespace hayate::server {

struct PageFile {
  std::string_view name, content, hash;  // "style.css"; hash: of the content
};
std::span<const PageFile> page_files();

}  // namespace hayate::server
