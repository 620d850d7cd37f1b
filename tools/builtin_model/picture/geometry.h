// Colours, noise and signed distances (negative inside) of shapes, the same code for CPU and GPU.
#pragma once
#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define FN __host__ __device__ inline
#else
#define FN inline
#endif

constexpr float kPi = 3.14159265f;

struct Rgb { float r, g, b; };
FN Rgb operator+(Rgb a, Rgb b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
FN Rgb operator*(Rgb a, Rgb b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }
FN Rgb operator*(Rgb a, float s) { return {a.r * s, a.g * s, a.b * s}; }
FN float luma(Rgb c) { return .3f * c.r + .59f * c.g + .11f * c.b; }
FN Rgb grey(float v) { return {v, v, v}; }

FN float mix(float a, float b, float t) { return a + (b - a) * t; }
FN Rgb mix(Rgb a, Rgb b, float t) { return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)}; }
FN float clamp(float x, float lo = 0, float hi = 1) { return fminf(fmaxf(x, lo), hi); }
FN float fract(float x) { return x - floorf(x); }
FN float smooth(float lo, float hi, float x) {
  float t = clamp((x - lo) / (hi - lo));
  return t * t * (3 - 2 * t);
}

// A number in 0..1 that depends on all arguments alike at random.
FN float hash(uint32_t seed, int a, int b = 0) {
  uint32_t h = seed * 747796405u + uint32_t(a) * 2891336453u + uint32_t(b) * 277803737u + 1013904223u;
  h ^= h >> 16, h *= 2146121005u, h ^= h >> 15, h *= 2221713035u, h ^= h >> 16;
  return float(h >> 8) / 16777216.f;
}
FN float jitter(uint32_t seed, int a, int b = 0) { return 2 * hash(seed, a, b) - 1; }

// Smooth noise in -1..1 of one and of two variables, about one bump a unit.
FN float noise(uint32_t seed, float x) {
  float i = floorf(x), t = x - i;
  t = t * t * (3 - 2 * t);
  return mix(jitter(seed, int(i), 77), jitter(seed, int(i) + 1, 77), t);
}
FN float noise(uint32_t seed, float x, float y) {
  float i = floorf(x), j = floorf(y), t = x - i, u = y - j;
  t = t * t * (3 - 2 * t), u = u * u * (3 - 2 * u);
  int a = int(i), b = int(j);
  return mix(mix(jitter(seed, a, b), jitter(seed, a + 1, b), t), mix(jitter(seed, a, b + 1), jitter(seed, a + 1, b + 1), t), u);
}

FN float circle(float x, float y, float r) { return sqrtf(x * x + y * y) - r; }
FN float ellipse(float x, float y, float rx, float ry) {  // close to the distance near the edge
  float k0 = sqrtf(x * x / (rx * rx) + y * y / (ry * ry)), k1 = sqrtf(x * x / (rx * rx * rx * rx) + y * y / (ry * ry * ry * ry));
  return k1 < 1e-6f ? -fminf(rx, ry) : k0 * (k0 - 1) / k1;
}
FN float box(float x, float y, float x0, float y0, float x1, float y1) {
  float dx = fmaxf(x0 - x, x - x1), dy = fmaxf(y0 - y, y - y1);
  float ox = fmaxf(dx, 0), oy = fmaxf(dy, 0);
  return sqrtf(ox * ox + oy * oy) + fminf(fmaxf(dx, dy), 0);
}
FN float segment(float x, float y, float x0, float y0, float x1, float y1, float thickness) {
  float ax = x - x0, ay = y - y0, bx = x1 - x0, by = y1 - y0, t = clamp((ax * bx + ay * by) / (bx * bx + by * by));
  ax -= bx * t, ay -= by * t;
  return sqrtf(ax * ax + ay * ay) - thickness;
}
struct Point { float x, y; };
template <int n>
FN float polygon(float x, float y, const Point (&p)[n]) {
  float d = 1e9f;
  bool inside = false;
  for (int i = 0, j = n - 1; i < n; j = i++) {
    d = fminf(d, segment(x, y, p[i].x, p[i].y, p[j].x, p[j].y, 0));
    if ((p[i].y > y) != (p[j].y > y) && x < (p[j].x - p[i].x) * (y - p[i].y) / (p[j].y - p[i].y) + p[i].x) inside = !inside;
  }
  return inside ? -d : d;
}
FN float triangle(float x, float y, Point a, Point b, Point c) {
  const Point p[3] = {a, b, c};
  return polygon(x, y, p);
}
// A trapezium that stands on y0: half width w0 there, w1 at y1.
FN float trapezium(float x, float y, float y0, float w0, float y1, float w1) {
  const Point p[4] = {{-w0, y0}, {w0, y0}, {w1, y1}, {-w1, y1}};
  return polygon(x, y, p);
}
FN float arch(float x, float y, float width, float height) {  // a round-topped opening that stands on y = 0
  float top = height - width / 2;
  return y > top ? circle(x, y - top, width / 2) : box(x, y, -width / 2, 0, width / 2, top);
}
