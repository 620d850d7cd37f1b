// The first row that fits decides; what is left over and printable is text.
#include "weights/foreign_file.h"

#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

struct Row {
  std::string_view start;
  const char* what;
};

constexpr Row binary[] = {
    {"PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint: hayate reads .safetensors only, as a pickle can run code"},
    {"\x80", "a Python pickle, perhaps a PyTorch checkpoint: hayate reads .safetensors only, as a pickle can run code"},
    {"GGUF", "a GGUF file"},
    {"\x89HDF", "an HDF5 file"},
    {"\x1f\x8b", "gzip data"},
    {"\x89PNG", "a PNG picture"},
    {"\xff\xd8\xff", "a JPEG picture"},
    {"GIF8", "a GIF picture"},
    {"RIFF", "a WebP picture or another RIFF file"},
    {"%PDF", "a PDF document"},
};

constexpr Row text[] = {
    // after white space
    {"version https://git-lfs", "a git-lfs pointer: the file itself was not downloaded"},
    {"<", "an HTML or XML page: the download went wrong"},
    {"{", "JSON"},
};

const char* find(std::span<const Row> rows, std::string_view start) {
  auto found = std::ranges::find_if(rows, [&](const Row& row) { return start.starts_with(row.start); });
  return found == rows.end() ? nullptr : found->what;
}

bool is_text(std::string_view start) {
  return !start.empty() && std::ranges::all_of(start, [](unsigned char c) { return c >= ' ' ? c != 0x7f : c == '\n' || c == '\r' || c == '\t'; });
}

}  // namespace

std::string describe_foreign_file(std::string_view start) {
  if (const char* what = find(binary, start)) return what;
  if (!is_text(start)) return "";
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  if (const char* what = find(text, start)) return what;
  return fmt::format("text that begins with {}", excerpt(std::string(start.substr(0, start.find_first_of("\r\n")))));
}

}  // namespace hayate
