// The picture of a grid: pictures in rows and columns, with labels above and to the left, black on white.
#pragma once
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate::cli {

class GridSheet {
 public:
  // Pixels of each column and row; a label may be empty. Throws Error(usage) for a sheet that read_image would refuse.
  GridSheet(const std::vector<int>& widths, const std::vector<int>& heights, const std::vector<std::string>& above,
            const std::vector<std::string>& beside);

  int left(size_t column) const { return lefts_[column]; }
  int top(size_t row) const { return tops_[row]; }
  int width() const { return image_.width; }
  int height() const { return image_.height; }
  void place(size_t column, size_t row, const Image&);
  const Image& image() const { return image_; }

 private:
  Image image_;
  std::vector<int> lefts_, tops_;
};

}  // namespace hayate::cli
