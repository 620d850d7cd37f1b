// Everything behind the objects: sky, sun, moon, stars, clouds, and one function for each terrain.
#pragma once
#include "objects.h"

// Distance to the land below a ridge of height y = f(x), from two samples of f.
FN float below(float y, float ridge, float ridge_beside, float step) {
  float slope = (ridge_beside - ridge) / step;
  return (ridge - y) / sqrtf(1 + slope * slope);
}

FN void paint_cloud(Brush& b, float u, float v, Rgb lit, Rgb shaded, float alpha) {
  float d = fminf(fminf(circle(u, v + .1f, .52f), circle(u + .62f, v - .12f, .34f)), fminf(circle(u - .60f, v - .06f, .40f), circle(u - 1.02f, v - .24f, .24f)));
  d = fminf(d, circle(u + 1.0f, v - .26f, .22f));
  d = fmaxf(d, v - .42f);
  float m = clamp(.5f + (v + .25f) * 1.1f);
  if (b.style == neon) b.shape(d, shaded, .8f * alpha);
  else if (b.style == sketch) b.shape(d, mix(lit, shaded, m * .8f), .7f);
  else b.fill(d, mix(lit, shaded, m), alpha);
}

FN void paint_sky(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  float t = clamp(y / (s.horizon + .03f));
  b.c = b.tone(t < .55f ? mix(light.top, light.mid, smooth(0, 1, t / .55f)) : mix(light.mid, light.low, smooth(0, 1, (t - .55f) / .45f)));
  if (s.stars > 0) {
    const float cell = .062f;
    int cx = int(floorf(x / cell)), cy = int(floorf(y / cell));
    if (hash(seed, cx * 131 + 7, cy) < .55f && y < s.horizon) {
      float sx = (cx + .16f + .68f * hash(seed, cx, cy * 7 + 1)) * cell, sy = (cy + .16f + .68f * hash(seed, cx + 5, cy * 3)) * cell;
      float r = .0040f + .0045f * hash(seed, cx * 3, cy + 900) * hash(seed, cx, cy + 17), d = sqrtf((x - sx) * (x - sx) + (y - sy) * (y - sy));
      b.glow(d, r * 2.6f, {.65f, .72f, 1}, .35f);
      b.light(d - r, {1, 1, .93f}, .95f);
    }
  }
  float lx = x - s.light_x, ly = y - s.light_y, d = sqrtf(lx * lx + ly * ly);
  if (s.sun > 0) {
    const Rgb disc[4] = {{1, .95f, .80f}, {1, .96f, .66f}, {1, .86f, .46f}, {1, 1, 1}};
    float r = s.time == day ? .062f : .078f;
    b.glow(d, r * 5.0f, disc[int(s.time)], .38f);
    b.glow(d, r * 2.0f, disc[int(s.time)], .50f);
    if (s.style == sketch) b.shape(d - r, disc[int(s.time)]);
    b.light(d - r, s.style == sketch ? disc[int(s.time)] * Rgb{1, .88f, .55f} : mix(disc[int(s.time)], {1, 1, 1}, s.time == sunset ? .12f : .3f));
  }
  if (s.moon > 0) {
    float r = .060f;
    b.glow(d, r * 3.2f, {.50f, .58f, .86f}, .5f);
    float m = s.moon == 1 ? fmaxf(d - r, -circle(lx - .030f, ly + .012f, r * .92f)) : d - r;
    b.light(m, {.99f, .97f, .86f});
    if (s.moon == 2) {
      const float craters[4][3] = {{-.30f, -.22f, .22f}, {.35f, .12f, .17f}, {-.05f, .45f, .18f}, {.22f, -.45f, .13f}};
      for (int k = 0; k < 4; ++k) b.fill(fmaxf(m, circle(lx - craters[k][0] * r, ly - craters[k][1] * r, craters[k][2] * r)), {.87f, .86f, .80f}, .8f);
    }
  }
  if (s.weather != cloudy && s.weather != rain) return;
  const Rgb lits[4] = {{1, .95f, .95f}, {1, 1, 1}, {1, .66f, .50f}, {.42f, .48f, .67f}}, shades[4] = {{.82f, .70f, .80f}, {.74f, .83f, .93f}, {.58f, .30f, .42f}, {.16f, .20f, .35f}};
  Rgb lit = lits[int(s.time)], shaded = shades[int(s.time)];
  if (s.weather == rain) lit = mix(mix(lit, light.mid, .55f), grey(luma(light.mid)), .4f) * .86f, shaded = shaded * .62f;
  if (s.style == neon) shaded = {.42f, .36f, .75f};
  int n = int(s.aspect / .20f) + 2;
  for (int layer = 0; layer < 2; ++layer)
    for (int k = 0; k < n; ++k) {
      int id = k + 40 * layer;
      float size = (s.weather == rain ? .15f : .085f) * (.75f + .55f * hash(seed, id, 201));
      float cx = (k - .2f + .6f * jitter(seed, id, 200)) * .22f, cy = s.weather == rain ? .03f + .10f * hash(seed, id, 202) + .03f * layer : .07f + .27f * hash(seed, id, 202);
      if (s.weather == cloudy && ((id & 1) || (s.sun + s.moon > 0 && fabsf(cx - s.light_x) < size * 1.3f + .07f && fabsf(cy - s.light_y) < size * .6f + .08f))) continue;
      b.scale = size;
      paint_cloud(b, (x - cx) / size, (y - cy) / size, lit, shaded, .93f);
    }
  b.scale = 1;
}

FN void paint_mountains(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  float from = s.light_x < s.aspect / 2 ? -1.f : 1.f;
  for (int layer = 0; layer < 2; ++layer) {
    float gap = layer ? .42f : .30f, base = s.horizon + (layer ? .12f : .04f), depth = layer ? .30f : .55f;
    int n = int(s.aspect / gap) + 3;
    for (int j = 0; j < n; ++j) {
      int k = layer * 50 + (j * 2) % n + ((j * 2) / n) * (n % 2 == 0);  // every second one first: they overlap both ways
      float px = (k - layer * 50 - .5f + .35f * jitter(seed, k, 301)) * gap, h = (layer ? .24f : .25f) * (.72f + .28f * hash(seed, k, 302)), top = base - h;
      float slope = 1.0f + .35f * hash(seed, k, 303), rough = .012f * noise(seed, y * 34, float(k)) + .006f * noise(seed + 1, y * 80, float(k));
      float side = x - px, d = (fabsf(side) + rough - (y - top) * slope) / sqrtf(1 + slope * slope);
      Rgb rock = mix(Rgb{.46f, .47f, .56f}, Rgb{.52f, .46f, .44f}, hash(seed, 304));
      b.shape(d, light.covered(rock, .35f, depth), .8f);
      float fold = .05f * noise(seed + 2, y * 13, float(k)) + (y - top) * .18f * jitter(seed, k, 305);
      float cap = h * (s.weather == snow ? .62f : .36f) + .022f * noise(seed + 3, x * 26, float(k)) + .016f * noise(seed + 4, x * 60, float(k));
      b.fill(fmaxf(d, y - top - cap), light({.97f, .98f, 1}, depth * .75f));
      b.shade(fmaxf(d, (side * -from + fold) * .7f), .36f * (1 - depth * .6f));
    }
    if (layer == 0) b.fill(base - .08f - y, mix(light.haze, light.low, .4f), .25f);
  }
  float r = s.ground - .055f + .018f * noise(seed + 6, x * 5), r2 = s.ground - .055f + .018f * noise(seed + 6, (x + .01f) * 5);
  b.shape(below(y, r, r2, .01f), light.covered({.24f, .46f, .40f}, .8f, .22f), .7f);
}

FN float hill_ridge(uint32_t seed, int k, float x) { return .5f * sinf(x * (4.6f - .5f * k) + 6.28f * hash(seed, k, 401)) + .3f * sinf(x * 8.3f + 6.28f * hash(seed, k, 402)); }

FN void paint_hills(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  float hue = hash(seed, 403);
  for (int k = 0; k < 4; ++k) {
    float amp = .075f - .006f * k, base = mix(s.horizon - .02f, s.ground - .02f, k / 3.f), depth = .48f - .13f * k;
    float r = base + amp * hill_ridge(seed, k, x), r2 = base + amp * hill_ridge(seed, k, x + .01f);
    float d = below(y, r, r2, .01f);
    Rgb green = mix(mix(Rgb{.42f, .70f, .32f}, Rgb{.66f, .74f, .28f}, hue), Rgb{.26f, .56f, .30f}, hash(seed, k, 404) * .7f);
    b.shape(d, light.covered(mix(green, {1, 1, .7f}, .16f), .85f, depth), .9f);
    b.shade(fmaxf(d, -d - .16f) + .001f, .10f + .20f * smooth(.0f, .14f, y - r));
    if (hash(seed, k, 405) < .6f) {  // rows of a field
      float row = sinf((x * (1.2f - .2f * k) + (y - r) * 2.6f * (k & 1 ? 1 : -1)) * 62);
      b.fill(fmaxf(d + .016f, fabsf(x - s.aspect * hash(seed, k, 406)) - .26f), light.covered(green * .80f, .85f, depth), .38f * smooth(-.2f, .6f, row));
    }
  }
}

FN float dune_ridge(uint32_t seed, int k, float x) { return .5f * sinf(x * 4.2f + 6.28f * hash(seed, k, 501)) + .25f * fabsf(sinf(x * 3.1f + 6.28f * hash(seed, k, 502))) + .12f * sinf(x * 10 + k); }

FN void paint_desert(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  int mesas = int(s.aspect / .45f) + 2;
  for (int k = 0; k < mesas; ++k) {  // flat-topped rocks far away
    float cx = (k + .1f + .35f * jitter(seed, k, 503)) * .45f, w = .06f + .10f * hash(seed, k, 504), h = .08f + .10f * hash(seed, k, 505), foot = s.horizon + .06f;
    float d = trapezium(x - cx + .006f * noise(seed, y * 40), foot - y, -.02f, w * 1.35f, h, w);
    b.shape(d, light.covered({.80f, .44f, .30f}, .3f, .42f), .8f);
    b.shade(fmaxf(d, .025f - (y - foot + h)), .14f);
    b.shade(fmaxf(d, (cx + w * .3f - x) * (s.light_x < cx ? 1.f : -1.f)), .22f);
  }
  for (int k = 0; k < 4; ++k) {
    float base = mix(s.horizon + .03f, s.ground - .005f, k / 3.f), amp = .052f, depth = .34f - .11f * k;
    float r = base + amp * dune_ridge(seed, k, x), r2 = base + amp * dune_ridge(seed, k, x + .008f);
    float d = below(y, r, r2, .008f);
    b.shape(d, light.covered(mix(Rgb{.97f, .80f, .50f}, Rgb{.93f, .66f, .38f}, hash(seed, 506)), .6f, depth), .9f);
    float crest = (y - r) * 1.5f - .10f * (.5f + .5f * sinf(x * 4.2f + 6.28f * hash(seed, k, 501) + 1.3f));
    b.shade(fmaxf(d, crest), .24f);
  }
  int cacti = 2 + int(2.9f * hash(seed, 507));
  for (int k = 0; k < cacti; ++k) {
    float h = .095f + .04f * hash(seed, k, 508), cx = s.aspect * (k + .25f + .5f * hash(seed, k, 509)) / cacti, foot = s.ground + .004f;
    b.scale = h;
    paint_cactus(b, light, (x - cx) / h * (hash(seed, k, 510) < .5f ? 1 : -1), (foot - y) / h, .10f);
  }
  b.scale = 1;
}

FN void paint_sea_coast(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  if (hash(seed, 601) < .55f) {  // an island on the horizon
    float cx = s.aspect * (.15f + .7f * hash(seed, 602)), w = .14f + .12f * hash(seed, 603), h = .035f + .03f * hash(seed, 604);
    float t = (x - cx) / w, r = s.horizon - h * fmaxf(0, 1 - t * t) * (1 + .25f * noise(seed, x * 18));
    b.fill(fmaxf(r - y, fabsf(x - cx) - w), light({.34f, .46f, .50f}, .58f));
  }
}

FN void paint_city(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  float base = s.horizon + .06f;
  for (int layer = 0; layer < 2; ++layer) {
    float w = layer ? .105f : .075f, depth = layer ? .12f : .42f, tall = layer ? .25f : .33f;
    int cell = int(floorf(x / w + .37f * layer));
    for (int k = cell - 1; k <= cell + 1; ++k) {
      int id = k + 1000 * layer;
      float cx = (k + .5f - .37f * layer) * w, half = w * (.40f + .09f * hash(seed, id, 701)), h = tall * (.35f + .65f * hash(seed, id, 702)), u = x - cx, v = base - y;
      int roof = int(4 * hash(seed, id, 703));
      Rgb wall = mix(mix(Rgb{.42f, .50f, .64f}, Rgb{.72f, .58f, .52f}, hash(seed, id, 704)), Rgb{.85f, .84f, .80f}, .35f * hash(seed, id, 705));
      if (b.style == neon) wall = paint_colour(int(6 * hash(seed, id, 711)) % 3 == 2 ? 4 : int(6 * hash(seed, id, 711)) % 3);
      if (roof == 1) b.fill(segment(u, v, 0, h, 0, h + .045f, .0035f), light(wall * .7f, depth));
      float d = box(u, v, -half, -.05f, half, h);
      if (roof == 2) d = fminf(d, box(u, v, -half * .55f, h, half * .55f, h + .03f));
      if (roof == 3) d = fminf(d, triangle(u, v, {-half, h}, {half, h}, {half * .2f, h + .045f}));
      b.shape(d, light(wall, depth), layer ? .9f : .6f);
      b.shade(fmaxf(d, half * .2f - u), .18f);
      float gx = .0235f, gy = .030f, wx = fract((u + half) / gx) - .5f, wy = fract((v + .01f) / gy) - .5f;
      int column = int(floorf((u + half) / gx)), row = int(floorf((v + .01f) / gy));
      bool lit = light.lamps && hash(seed, id * 61 + column, row) < (s.time == night ? .62f : .5f);
      float pane = fmaxf(fmaxf(fabsf(wx) * gx - .0066f, fabsf(wy) * gy - .0082f), box(u, v, -half + .008f, .0f, half - .008f, h - .008f));
      if (lit) b.light(pane, mix(Rgb{1, .82f, .42f}, Rgb{1, .93f, .75f}, hash(seed, column, row + id)), layer ? 1.f : .75f);
      else if (b.style != neon) b.fill(pane, light(light.lamps ? wall * .62f : mix(wall * .55f, {.45f, .62f, .80f}, .4f), depth), .8f);
    }
  }
  b.shape(base - y, light.covered({.36f, .38f, .42f}, .8f, .08f), .8f);
}

FN void paint_forest(Brush& b, const Scene& s, const Light& light, float x, float y) {
  uint32_t seed = uint32_t(s.seed);
  Rgb green = mix(Rgb{.12f, .40f, .28f}, Rgb{.26f, .44f, .18f}, hash(seed, 801));
  for (int row = 0; row < 3; ++row) {
    float w = .066f + .026f * row, foot = mix(s.horizon + .03f, s.ground - .005f, row / 2.f), depth = .52f - .20f * row;
    int cell = int(floorf(x / w));
    for (int k = cell - 2; k <= cell + 2; ++k) {
      int id = k + 300 * row;
      float h = (.17f + .035f * row) * (.72f + .5f * hash(seed, id, 802)), cx = (k + .5f + .3f * jitter(seed, id, 803)) * w;
      if (fabsf(x - cx) > h * .34f + .02f) continue;
      b.scale = h;
      paint_pine(b, light, (x - cx) / h, (foot + .012f * jitter(seed, id, 804) - y) / h, green * (.9f + .25f * hash(seed, id, 805)), depth);
    }
    b.scale = 1;
    b.fill(foot - .012f - y, light.covered(green * .85f, .7f, depth * .8f));
    if (row < 2) b.fill(foot - .05f - y, light.haze, .16f);
  }
}

FN void paint_backdrop(Brush& b, const Scene& s, const Light& light, float x, float y) {
  paint_sky(b, s, light, x, y);
  switch (int(s.terrain)) {
    case mountains: return paint_mountains(b, s, light, x, y);
    case hills: return paint_hills(b, s, light, x, y);
    case desert: return paint_desert(b, s, light, x, y);
    case sea: return paint_sea_coast(b, s, light, x, y);
    case city: return paint_city(b, s, light, x, y);
    default: return paint_forest(b, s, light, x, y);
  }
}
