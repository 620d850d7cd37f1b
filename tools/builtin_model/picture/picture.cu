// Draws scenes: every pixel on its own, on the GPU (nvcc) or the CPU (g++ -x c++), called from scenes.py.
#include "backdrop.h"

FN void paint_kind(Brush& b, const Light& light, const Scene& s, int kind, float u, float v, Rgb colour, uint32_t id) {
  switch (kind) {
    case castle: return paint_castle(b, light, u, v, colour);
    case lighthouse: return paint_lighthouse(b, light, u, v, light.lamps || s.weather == fog);
    case house: return paint_house(b, light, u, v, colour);
    case sailboat: return paint_sailboat(b, light, u, v, colour, hash(uint32_t(s.seed), id, 905) < .5f);
    case tree:
      if (s.terrain == mountains || hash(uint32_t(s.seed), 906) < .3f) return paint_pine(b, light, u, v, {.16f, .46f, .30f}, 0);
      const Rgb leaves[3] = {{.30f, .60f, .28f}, {.46f, .66f, .24f}, {.90f, .48f, .16f}};
      return paint_round_tree(b, light, u, v, leaves[int(2.99f * hash(uint32_t(s.seed), 907))]);
  }
}

FN void paint_shadow(Brush& b, const Scene& s, float dx, float dy, float size) {
  if (s.weather == rain || s.weather == fog || s.style == neon) return;
  float away = clamp((s.aspect / 2 - s.light_x) * .5f, -.25f, .25f) * size;
  b.scale = 1;
  b.shade(ellipse(dx - away, dy, size * .58f, size * .085f), s.time == night ? .35f : .42f);
}

FN void paint_ground(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  const Rgb near[6] = {{.36f, .58f, .34f}, {.44f, .70f, .30f}, {.95f, .76f, .46f}, {.4f, .6f, .4f}, {.42f, .55f, .40f}, {.22f, .44f, .24f}};
  Rgb colour = near[int(s.terrain)];
  float r = s.ground + .010f * noise(seed + 8, x * 6), r2 = s.ground + .010f * noise(seed + 8, (x + .01f) * 6), d = below(y, r, r2, .01f);
  float t = clamp((y - s.ground) / (1 - s.ground));
  if (b.style == neon) b.shape(d, mix(paint_colour(int(5 * hash(seed, 30))), {.5f, .3f, .9f}, .3f));
  else b.shape(d, light.covered(mix(colour * 1.05f, colour * .74f, t), .9f, .06f * (1 - t)), .9f);
  if (s.terrain == desert) b.shade(fmaxf(d, fabsf(fract(y * 22 + .25f * sinf(x * 9)) - .5f) * .04f - .008f), .10f);
  if (s.terrain == city) b.fill(fmaxf(d, fabsf(y - s.ground - .05f - .01f * sinf(x * 3)) - .014f), light.covered({.78f, .74f, .68f}, .9f), .9f);
  if ((s.terrain == hills || s.terrain == mountains) && !light.snowy && b.style != neon) {  // flowers
    const float cell = .055f;
    int cx = int(floorf(x / cell)), cy = int(floorf(y / cell));
    float fx = (cx + .25f + .5f * hash(seed, cx, cy + 31)) * cell, fy = (cy + .25f + .5f * hash(seed, cx, cy + 57)) * cell;
    if (fy > s.ground + .04f && hash(seed, cx, cy + 91) < .45f) b.fill(circle(x - fx, y - fy, .0062f), light(paint_colour(int(6 * hash(seed, 92)) + (cx & 1) * 5)), .9f);
  }
}

struct Thing { int kind; float x, y, size; Rgb colour; };
FN int things_of(const Scene& s, Thing (&out)[4]) {  // sorted by y in scenes.py
  int n = 0;
#define X(k) if (s.kind##k > 0) out[n++] = {int(s.kind##k), s.x##k, s.y##k, s.size##k, paint_colour(int(s.colour##k))};
  X(0) X(1) X(2) X(3)
#undef X
  return n;
}

FN void paint_things(Brush& b, const Scene& s, const Light& light, float x, float y) {
  Thing things[4];
  int n = things_of(s, things);
  if (s.water > 0)
    for (int k = 0; k < n; ++k) {  // what each thing leaves on the water before it
      const Thing& o = things[k];
      float depth = y - o.y, sway = .10f * o.size * noise(uint32_t(s.seed) + 20, y * 55, x * 3);
      if (depth < 0 || depth > o.size * .75f) continue;
      Brush mirror = b;
      mirror.scale = o.size;
      paint_kind(mirror, light, s, o.kind, (x + sway - o.x) / o.size, depth / o.size * 1.35f, o.colour, k);
      b.c = mix(b.c, mirror.c, .42f * (1 - depth / (o.size * .75f)));
    }
  for (int k = 0; k < n; ++k) {
    const Thing& o = things[k];
    float dx = x - o.x, dy = y - o.y;
    if (s.water > 0 && o.kind != sailboat) {  // an islet of its own
      float w = o.size * (o.kind == lighthouse ? .34f : .62f) + .035f, top = o.y - .012f;
      float t = dx / w, r = top + .055f * t * t + .004f * noise(uint32_t(s.seed) + 21, x * 30), d = fmaxf((r - y) * .8f, y - o.y - .03f);
      d = fmaxf(d, fabsf(dx) - w);
      b.scale = 1;
      b.shape(d, light.covered({.50f, .47f, .46f}, .3f));
      b.fill(fmaxf(d + .003f, y - r - .018f), light.covered({.42f, .62f, .33f}, .9f));
    } else if (s.water == 0) {
      paint_shadow(b, s, dx, dy, o.size * (o.kind == lighthouse ? .42f : o.kind == castle ? .95f : .8f));
    }
    b.scale = o.size;
    if (fabsf(dx) < o.size * 1.3f + .25f * (o.kind == lighthouse)) paint_kind(b, light, s, o.kind, dx / o.size, -dy / o.size, o.colour, k);
  }
  b.scale = 1;
}

FN void paint_water(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  float top = s.terrain == city ? s.horizon + .085f : s.horizon, d = top - y;
  if (d > b.px) return;
  float depth = clamp(-d / (1 - top)), sway = (.004f + .03f * depth) * noise(seed + 22, y * (70 - 40 * depth), x * 4);
  Brush mirror = b;
  paint_backdrop(mirror, s, light, x + sway, top - fmaxf(0, -d) * .95f);
  Rgb deep = s.style == neon ? Rgb{.03f, .02f, .12f} : mix(light({.12f, .42f, .62f}), light.mid, .15f);
  Rgb colour = mix(mirror.c, b.tone(deep), s.style == neon ? .45f : s.terrain == city ? .35f : .40f + .28f * depth);
  b.c = mix(b.c, colour, b.mask(d));
  if (s.style == neon || s.style == sketch) b.shape(fabsf(d) - .0005f, s.style == neon ? Rgb{.2f, .7f, 1} : Rgb{.3f, .4f, .5f}, .6f);
  float row = (.018f + .035f * depth), line = floorf(-d / row), across = x / (.10f + .16f * depth) + 7 * hash(seed, int(line), 23);
  float wave = fmaxf(fabsf(fract(-d / row) - .5f) * row - .0028f - .0016f * depth, (fabsf(fract(across) - .5f) - .10f - .22f * hash(seed, int(floorf(across)), int(line) + 24)) * .12f);
  if (d < -.012f) b.fill(wave, mix(light.haze, {1, 1, 1}, s.time == night ? .08f : .35f), s.style == neon ? 1.f : .34f);
  if (s.sun + s.moon > 0) {  // the path of light
    float w = .035f + .075f * depth, e = fabsf(x - s.light_x + sway * 2.2f) / w, glint = smooth(-.1f, .7f, sinf(-d * (190 - 110 * depth) + 2 * noise(seed + 25, x * 14)));
    Rgb shine = s.sun > 0 ? (s.time == sunset ? Rgb{1, .80f, .45f} : Rgb{1, .96f, .80f}) : Rgb{.80f, .85f, .96f};
    if (d < 0) b.c = mix(b.c, b.tone(shine), .72f * glint * expf(-e * e));
  }
}

FN void paint_weather(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  if (s.weather == rain)
    for (int layer = s.style == pixel_art; layer < 2; ++layer) {  // the finer half would be noise in big pixels
      float w = layer ? .046f : .033f, length = layer ? .20f : .14f, u = x + .24f * y;
      int column = int(floorf(u / w));
      float v = y / length + 9 * hash(seed, column, 51 + layer);
      int row = int(floorf(v));
      float d = segment((fract(u / w) - .5f) * w, (fract(v) - .5f) * length, w * .3f * jitter(seed, column, row), -length * .27f, w * .3f * jitter(seed, column, row), length * .27f, layer ? .0030f : .0024f);
      if (hash(seed, column * 17 + layer, row) < .75f) b.fill(d, s.style == neon ? Rgb{2.2f, 3.0f, 4.2f} : mix(light.low, {.92f, .96f, 1}, s.time == night ? .35f : .6f), layer ? .62f : .45f);
    }
  if (s.weather == snow)
    for (int layer = s.style == pixel_art; layer < 2; ++layer) {
      float cell = layer ? .092f : .056f;
      int cx = int(floorf(x / cell)), cy = int(floorf(y / cell));
      float r = (layer ? .0095f : .0060f) * (.75f + .4f * hash(seed, cx, cy + 61)), fx = (cx + .22f + .56f * hash(seed, cx, cy + 62 + layer)) * cell, fy = (cy + .22f + .56f * hash(seed, cx + 1, cy + 63)) * cell;
      if (hash(seed, cx, cy + 64 + 9 * layer) < .72f) b.light(circle(x - fx, y - fy, r), s.time == night ? Rgb{.80f, .85f, .97f} : Rgb{1, 1, 1}, .92f);
    }
  if (s.weather == fog) {
    float drift = .5f + .5f * noise(seed + 70, x * 2.2f, y * 9), low = smooth(s.ground + .02f, 1, y);
    Rgb mist = s.style == neon ? Rgb{.36f, .14f, .44f} : mix(light.haze, {1, 1, 1}, s.time == night ? .06f : .22f);
    b.c = mix(b.c, b.tone(mist), .55f * low * drift + .10f);
  }
}

// Mist between the backdrop and the objects.
FN void paint_mist(Brush& b, const Scene& s, const Light& light, float x, float y) {
  if (s.weather != fog) return;
  float drift = noise(uint32_t(s.seed) + 71, x * 2.4f, y * 8), band = expf(-powf((y - s.horizon + .01f) / .17f, 2));
  Rgb mist = s.style == neon ? Rgb{.40f, .16f, .46f} : mix(light.haze, {1, 1, 1}, s.time == night ? .05f : .18f);
  b.c = mix(b.c, b.tone(mist), clamp(band * (.62f + .22f * drift)));
}

FN Rgb graded(const Scene& s, Rgb c) {
  c = {clamp(c.r), clamp(c.g), clamp(c.b)};
  float l = luma(c), strong = s.style == neon ? .18f : s.style == sketch ? .06f : 0;
  switch (int(s.palette)) {
    case warm: c = mix(c, Rgb{1.36f, .95f, .52f} * l, .40f + strong); break;
    case cold: c = mix(c, Rgb{.58f, .98f, 1.50f} * l, .43f + strong); break;
    case muted: c = mix(grey(l), c, .40f), c = mix(grey(.48f), c, .82f); break;
    default: c = mix(grey(l), c, 1.30f), c = mix(grey(.45f), c, 1.06f);
  }
  return {clamp(c.r), clamp(c.g), clamp(c.b)};
}

FN Rgb colour_at(const Scene& s, float x, float y, float px) {
  Light light(s);
  Brush b{{0, 0, 0}, x, y, px, int(s.style), s.time == night, 1};
  paint_backdrop(b, s, light, x, y);
  if (s.water > 0) paint_water(b, s, light, x, y);
  paint_mist(b, s, light, x, y);
  if (s.water == 0) paint_ground(b, s, light, x, y);
  if (s.birds > 0) {
    int n = 4 + int(3.9f * hash(uint32_t(s.seed), 80));
    for (int k = 0; k < n; ++k) {
      float bx = s.birds_x + .056f * (k - n / 2.f + .5f) + .012f * jitter(uint32_t(s.seed), k, 81), by = s.birds_y + .03f * jitter(uint32_t(s.seed), k, 82) + .014f * abs(k - n / 2);
      b.scale = .045f;
      if (fabsf(x - bx) < .06f && fabsf(y - by) < .05f) paint_bird(b, light, (x - bx) / b.scale, (by - y) / b.scale);
    }
  }
#define X(k)                                                                                                              \
  if (s.balloon_size##k > 0) {                                                                                            \
    b.scale = s.balloon_size##k;                                                                                          \
    float u = (x - s.balloon_x##k) / b.scale, v = (s.balloon_y##k - y) / b.scale + .5f;                                   \
    if (fabsf(u) < 1 && fabsf(v - .5f) < 1) paint_balloon(b, light, u, v, paint_colour(int(s.balloon_colour##k)));        \
  }
  X(0) X(1) X(2)
#undef X
  b.scale = 1;
  paint_things(b, s, light, x, y);
  paint_weather(b, s, light, x, y);
  if (s.style == sketch) {  // an unpainted margin and the paper's grain
    float edge = fminf(fminf(x, s.aspect - x), fminf(y, 1 - y)) + .008f * noise(11, x * 22, y * 22);
    b.c = mix(b.paper(), b.c, smooth(.016f, .030f, edge));
    b.c = b.c * (1 + .022f * noise(12, x * 38, y * 38));
  }
  return graded(s, b.c);
}

FN void draw_pixel(const Scene& s, uint8_t* out, int width, int row, int column) {
  bool blocks = s.style == pixel_art;
  int block = blocks ? 4 * int(fmaxf(1, roundf(1 / (256 * s.pixel)))) : 1;  // about 64 of them in a height
  float cx = blocks ? (column / block + .5f) * block : column + .5f, cy = blocks ? (row / block + .5f) * block : row + .5f;
  Rgb sum = {0, 0, 0};
  for (int k = 0; k < 4; ++k) {
    float dx = (k & 1 ? .25f : -.25f) * block, dy = (k & 2 ? .25f : -.25f) * block;
    sum = sum + colour_at(s, s.view_x + (cx + dx) * s.pixel, s.view_y + (cy + dy) * s.pixel, .6f * s.pixel * block);
  }
  sum = sum * .25f;
  if (blocks) {
    auto step = [](float v) {  // few shades, closer together in the dark
      float k = roundf(sqrtf(v) * 13) / 13;
      return k * k;
    };
    sum = {step(sum.r), step(sum.g), step(sum.b)};
  }
  uint8_t* p = out + 3 * (int64_t(row) * width + column);
  p[0] = uint8_t(sum.r * 255 + .5f), p[1] = uint8_t(sum.g * 255 + .5f), p[2] = uint8_t(sum.b * 255 + .5f);
}

extern "C" const char* field_names() {
#define X(name) #name " "
  return FIELDS(X);
#undef X
}

// scenes: n rows of fields; out: (n, height, width, 3). Pointers of the GPU's memory if compiled for it.
#ifdef __CUDACC__
__global__ void __launch_bounds__(128) draw_kernel(const Scene* scenes, uint8_t* out, int height, int width) {
  __shared__ Scene s;
  float* to = reinterpret_cast<float*>(&s);
  const float* from = reinterpret_cast<const float*>(scenes + blockIdx.y);
  for (int k = threadIdx.x; k < int(sizeof(Scene) / 4); k += blockDim.x) to[k] = from[k];
  __syncthreads();
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < height * width) draw_pixel(s, out + int64_t(blockIdx.y) * height * width * 3, width, k / width, k % width);
}
extern "C" int draw(const Scene* scenes, uint8_t* out, int n, int height, int width, cudaStream_t stream) {
  draw_kernel<<<dim3((height * width + 127) / 128, n), 128, 0, stream>>>(scenes, out, height, width);
  return int(cudaGetLastError());
}
#else
extern "C" int draw(const Scene* scenes, uint8_t* out, int n, int height, int width, void*) {
  for (int64_t k = 0; k < int64_t(n) * height * width; ++k) {
    int pixel = int(k % (height * width));
    draw_pixel(scenes[k / (height * width)], out + (k - pixel) * 3, width, pixel / width, pixel % width);
  }
  return 0;
}
#endif
