// Sizes are given width first, and kept height first.
#include "micro_options.h"

namespace hayate::cli {

void MicroOptions::add_to(Table table, const std::string& prefix, const std::string& fallback) {
  auto size = [&](const char* name, const char* help, std::optional<std::array<int, 2>>& value) {
    std::string option = prefix + name;
    table.text(option.c_str(), "WxH", help + fallback, [option, &value](const std::string& given) {
      auto [width, height] = parse_pair(option, given, 'x', "WIDTHxHEIGHT as in 1024x768", 1);
      value = {height, width};
    });
  };
  size("original-size", "size of the training picture to imitate", original_size);
  std::string crop = prefix + "crop";
  table.text(crop.c_str(), "X,Y", "left and top edge cut off that picture" + fallback, [crop, this](const std::string& given) {
    auto [left, top] = parse_pair(crop, given, ',', "LEFT,TOP as in 0,64", 0);
    crop_top_left = {top, left};
  });
  size("target-size", "size that the picture should look made for", target_size);
}

}  // namespace hayate::cli
