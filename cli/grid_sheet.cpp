// Where pictures and labels of a grid go.
#include "grid_sheet.h"

#include <algorithm>
#include <numeric>

#include "label_font.h"
#include "table.h"

namespace hayate::cli {

namespace {

constexpr int64_t most_pixels = int64_t{1} << 27;  // as read_image has it
constexpr size_t most_lines = 4;                   // of a label

using Lines = std::vector<std::u32string>;

// Offsets of things of these sizes, with gaps between them, and behind the last the end of all.
std::vector<int64_t> placed(int64_t begin, const std::vector<int>& sizes, int gap) {
  std::vector<int64_t> at;
  for (int size : sizes) at.push_back(begin), begin += size + gap;
  at.push_back(sizes.empty() ? begin : begin - gap);
  return at;
}

}  // namespace

GridSheet::GridSheet(const std::vector<int>& widths, const std::vector<int>& heights, const std::vector<std::string>& above,
                     const std::vector<std::string>& beside) {
  const int widest = *std::ranges::max_element(widths), side = std::min(widest, *std::ranges::max_element(heights));
  const LabelFont font(std::clamp(side / 18, 11, 40));
  const int pad = font.line_height() / 2, gap = std::max(2, side / 64);
  std::vector<Lines> columns, rows;
  for (size_t i = 0; i < above.size(); ++i) columns.push_back(font.wrapped(above[i], widths[i], most_lines));
  for (const std::string& text : beside) rows.push_back(font.wrapped(text, widest, most_lines));
  size_t lines = 0;
  int beside_width = 0;
  for (const Lines& label : columns) lines = std::max(lines, label.size());
  for (const Lines& label : rows)
    for (const std::u32string& line : label) beside_width = std::max(beside_width, font.width(line));

  const int64_t header = lines ? int64_t(lines) * font.line_height() + 2 * pad : 0, margin = beside_width ? beside_width + 2 * pad : 0;
  const std::vector<int64_t> x = placed(margin, widths, gap), y = placed(header, heights, gap);
  if (x.back() > largest_side || y.back() > largest_side || x.back() * y.back() > most_pixels)
    refuse("the grid would have {}x{} pixels; at most {} a side and {} in all are possible", x.back(), y.back(), largest_side, most_pixels);
  lefts_.assign(x.begin(), x.end()), tops_.assign(y.begin(), y.end());
  image_ = {.width = lefts_.back(), .height = tops_.back(), .rgb = std::vector<uint8_t>(size_t(x.back() * y.back()) * 3, 255)};

  auto draw = [&](const Lines& label, int left, int width, int top, int height) {  // in the middle of a box
    top += (height - int(label.size()) * font.line_height()) / 2;
    for (const std::u32string& line : label) {
      font.draw(image_, left + (width - font.width(line)) / 2, top, line);
      top += font.line_height();
    }
  };
  for (size_t i = 0; i < columns.size(); ++i) draw(columns[i], lefts_[i], widths[i], 0, int(header));
  for (size_t i = 0; i < rows.size(); ++i) draw(rows[i], 0, int(margin), tops_[i], heights[i]);
}

void GridSheet::place(size_t column, size_t row, const Image& picture) {
  for (int y = 0; y < picture.height; ++y)
    std::copy_n(&picture.rgb[size_t(y) * size_t(picture.width) * 3], size_t(picture.width) * 3,
                &image_.rgb[(size_t(top(row) + y) * size_t(image_.width) + size_t(left(column))) * 3]);
}

}  // namespace hayate::cli
