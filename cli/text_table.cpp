// Columns and JSON.
#include "text_table.h"

#include <algorithm>

namespace hayate::cli {

namespace {

// Characters, not bytes: what is wider on a terminal than one column is rare in names.
size_t width_of(const std::string& cell) {
  return size_t(std::ranges::count_if(cell, [](char c) { return (uint8_t(c) & 0xc0) != 0x80; }));
}

std::string harmless(const std::string& cell, size_t indent) {
  std::string text;
  for (char c : cell) {
    bool control = uint8_t(c) < 0x20 || uint8_t(c) == 0x7f;
    if (c == '\n')
      text += '\n' + std::string(indent, ' ');
    else
      text += control ? '.' : c;
  }
  return text;
}

}  // namespace

std::string TextTable::text() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_)
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  std::string text;
  for (const auto& row : rows_) {
    size_t indent = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      text += harmless(row[i], indent);
      if (i + 1 == row.size()) break;
      text += std::string(widths[i] - width_of(row[i]) + 2, ' ');
      indent += widths[i] + 2;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string one_line(const std::string& text, size_t most) {
  std::string line = text.substr(0, most);
  std::ranges::replace(line, '\n', ' ');
  return line.size() < text.size() ? line + "..." : line;
}

std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace hayate::cli
