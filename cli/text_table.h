// Text for people in columns, and text for programs as JSON.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hayate::cli {

// Rows of cells; each column is as wide as its widest cell, and the last one is not padded. Cells show what a terminal must not
// obey (control characters) as dots; lines after the first of a cell stand below it.
class TextTable {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Cut to that many bytes, without line ends.
std::string one_line(const std::string& text, size_t most);

std::string json_text(const nlohmann::ordered_json&);  // indented, with U+FFFD for what is not UTF-8

}  // namespace hayate::cli
