// Text in pictures: one line or several, in DejaVu Sans, which is part of the program. What it has no glyph for is a box.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate::cli {

class LabelFont {
 public:
  explicit LabelFont(int pixels);  // size of the font: about the height of a capital letter, and the descent of a g
  ~LabelFont();

  int line_height() const;
  int width(const std::u32string&) const;
  // Broken at blanks, and where there is none anywhere, into lines of at most `width` pixels; what does not fit the last of `most` ends with an
  // ellipsis. Bytes that are not UTF-8 show as U+FFFD, control characters as blanks.
  std::vector<std::u32string> wrapped(const std::string& utf8, int width, size_t most) const;
  // Black; `top` is that of the line. What is outside of the picture is cut off.
  void draw(Image&, int left, int top, const std::u32string&) const;

 private:
  struct Face;
  std::unique_ptr<Face> face_;
};

}  // namespace hayate::cli
