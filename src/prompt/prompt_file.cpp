// Line by line.
#include "prompt/prompt_file.h"

#include "core/error.h"
#include "tokenizer/unicode.h"

namespace hayate {

std::vector<std::string> prompt_lines(const std::string& text, const std::string& what) {
  std::vector<std::string> prompts;
  std::string_view rest = text;
  if (rest.starts_with("\ufeff")) rest.remove_prefix(3);
  for (int number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    require(from_utf8(line).has_value(), ErrorKind::bad_file, "{}: line {} is not UTF-8 text", what, number);
    require(line.find('\0') == line.npos, ErrorKind::bad_file, "{}: line {} has a zero byte", what, number);
    bool blank = line.find_first_not_of(" \t") == line.npos;
    if (!blank && !line.starts_with('#')) prompts.emplace_back(line);
  }
  return prompts;
}

}  // namespace hayate
