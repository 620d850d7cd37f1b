// A Gaussian as three boxes with soft edges: Gwosdek, Grewenig, Bruhn, Weickert, "Theoretical foundations of Gaussian convolution by extended box
// filtering", 2011. The work does not grow with the deviation.
#include <algorithm>
#include <cmath>
#include <vector>

#include "image/pixels.h"

namespace hayate {

namespace {
constexpr int kBoxes = 3;

struct Box {
  int radius;  // of what counts whole
  float whole, edge;
};

Box box_of(double deviation) {
  const double variance = deviation * deviation / kBoxes, length = std::sqrt(12 * variance + 1);
  const double l = std::floor((length - 1) / 2), a = (2 * l + 1) * (l * (l + 1) - 3 * variance) / (6 * (variance - (l + 1) * (l + 1)));
  return {int(l), float(1 / (2 * l + 1 + 2 * a)), float(a / (2 * l + 1 + 2 * a))};
}

// `line` has `count` values, `stride` apart; beyond its ends it goes on as it ends.
void blur_line(float* line, int count, size_t stride, const Box& box, std::vector<float>& before) {
  before.resize(size_t(count));
  for (int i = 0; i < count; ++i) before[size_t(i)] = line[size_t(i) * stride];
  auto at = [&](int i) { return before[size_t(std::clamp(i, 0, count - 1))]; };
  double sum = 0;
  for (int i = -box.radius; i <= box.radius; ++i) sum += double(at(i));
  for (int i = 0; i < count; ++i) {
    line[size_t(i) * stride] = float(sum) * box.whole + (at(i - box.radius - 1) + at(i + box.radius + 1)) * box.edge;
    sum += double(at(i + box.radius + 1)) - double(at(i - box.radius));
  }
}
}  // namespace

void blur(std::span<float> map, int width, int height, double deviation) {
  if (deviation <= 0) return;
  const Box box = box_of(deviation);
  std::vector<float> before;
  for (int pass = 0; pass < kBoxes; ++pass) {
    for (int y = 0; y < height; ++y) blur_line(&map[size_t(y) * size_t(width)], width, 1, box, before);
    for (int x = 0; x < width; ++x) blur_line(&map[size_t(x)], height, size_t(width), box, before);
  }
}

}  // namespace hayate
