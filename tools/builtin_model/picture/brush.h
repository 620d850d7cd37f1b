// The scene's numbers, its light, and a brush that paints one pixel back to front in the scene's style.
#pragma once
#include "geometry.h"

enum Time { dawn, day, sunset, night };
enum Weather { clear, cloudy, rain, snow, fog };
enum Terrain { mountains, hills, desert, sea, city, forest };
enum Palette { warm, cold, muted, vivid };
enum Style { flat, sketch, pixel_art, neon };
enum Kind { nothing, castle, lighthouse, house, tree, sailboat };

// All lengths are in heights of the whole scene: y runs from 0 (top) to 1, x from 0 to the aspect ratio. scenes.py fills a row of these.
#define INSTANCE(X, n) X(kind##n) X(x##n) X(y##n) X(size##n) X(colour##n)
#define BALLOON(X, n) X(balloon_x##n) X(balloon_y##n) X(balloon_size##n) X(balloon_colour##n)
#define FIELDS(X)                                                                                                                          \
  X(seed) X(aspect) X(horizon) X(ground) X(time) X(weather) X(terrain) X(palette) X(style) X(water)                                        \
  X(sun) X(moon) X(stars) X(light_x) X(light_y) X(birds) X(birds_x) X(birds_y)                                                             \
  X(view_x) X(view_y) X(pixel)                                                                                                             \
  INSTANCE(X, 0) INSTANCE(X, 1) INSTANCE(X, 2) INSTANCE(X, 3) BALLOON(X, 0) BALLOON(X, 1) BALLOON(X, 2)

struct Scene {
#define X(name) float name;
  FIELDS(X)
#undef X
};

FN Rgb paint_colour(int k) {
  const Rgb colours[6] = {{.86f, .22f, .19f}, {.20f, .42f, .82f}, {.98f, .80f, .24f}, {.22f, .62f, .34f}, {.56f, .30f, .70f}, {.96f, .95f, .92f}};
  return colours[k % 6];
}

struct Light {
  Rgb top, mid, low, tint, haze, glass;
  bool lamps;  // windows are lit
  bool foggy, snowy;

  FN explicit Light(const Scene& s) {
    const Rgb tops[4] = {{.52f, .64f, .90f}, {.20f, .50f, .90f}, {.25f, .15f, .42f}, {.015f, .025f, .10f}};
    const Rgb mids[4] = {{.95f, .76f, .84f}, {.46f, .74f, .97f}, {.84f, .34f, .38f}, {.06f, .11f, .29f}};
    const Rgb lows[4] = {{1.f, .94f, .80f}, {.86f, .95f, .99f}, {1.f, .72f, .32f}, {.18f, .26f, .49f}};
    const Rgb tints[4] = {{.98f, .86f, .90f}, {1.f, 1.f, 1.f}, {.80f, .55f, .54f}, {.37f, .43f, .66f}};
    const Rgb greys[4] = {{.80f, .78f, .84f}, {.72f, .77f, .83f}, {.55f, .42f, .48f}, {.10f, .13f, .22f}};
    int t = int(s.time), w = int(s.weather);
    top = tops[t], mid = mids[t], low = lows[t], tint = tints[t];
    if (s.style == neon) top = {.03f, .0f, .10f}, mid = {.12f, .02f, .24f}, low = {.42f, .06f, .42f}, tint = {1, 1, 1};
    Rgb shift = {.03f * jitter(uint32_t(s.seed), 1), .03f * jitter(uint32_t(s.seed), 2), .03f * jitter(uint32_t(s.seed), 3)};
    if (t != night) top = top + shift, mid = mid + shift;
    const float dull[5] = {0, .22f, .55f, .45f, .62f}, dark[5] = {1, .97f, .80f, 1, 1};
    Rgb cover = w == snow ? mix(greys[t], grey(1), t == night ? .08f : .35f) : greys[t];
    if (w == fog) cover = mix(cover, low, .6f);
    float k = dull[w] * (s.style == neon ? .3f : 1);
    top = mix(top, cover * dark[w], k), mid = mix(mid, cover * dark[w], k), low = mix(low, cover * dark[w], .7f * k);
    tint = tint * (w == rain ? .82f : 1);
    haze = mix(low, mid, .25f);
    foggy = w == fog, snowy = w == snow;
    lamps = t == night || t == sunset;
    glass = lamps ? Rgb{1, .84f, .42f} : (*this)(Rgb{.25f, .31f, .40f});
  }

  // A material as lit at this hour, fading into haze with depth 0..1.
  FN Rgb operator()(Rgb colour, float depth = 0) const { return mix(colour * tint, haze, foggy ? 1 - (1 - depth) * (1 - fminf(.6f, 2.4f * depth)) : depth); }
  FN Rgb covered(Rgb colour, float amount, float depth = 0) const {  // with snow when it snows
    return (*this)(snowy ? mix(colour, Rgb{.94f, .96f, 1}, amount) : colour, depth);
  }
};

struct Brush {
  Rgb c;
  float x, y, px;  // the pixel in scene units, its size
  int style;
  bool dim;        // at night a sketch is washed darker
  float scale;     // length of a shape's unit in scene units

  FN Rgb paper() const { return {.97f, .945f, .89f}; }
  FN Rgb tone(Rgb colour) const { return style == sketch ? mix(paper(), colour, dim ? .86f : .70f) : colour; }
  FN float mask(float d) const { return clamp(.5f - d * scale / px); }

  // An area without an outline.
  FN void fill(float d, Rgb colour, float alpha = 1) {
    if (style == neon) colour = colour * .22f;
    c = mix(c, tone(colour), alpha * mask(d));
  }
  // A thing: an area with an outline in the styles that have one.
  FN void shape(float d, Rgb colour, float strength = 1) {
    if (style == neon) {
      float top = fmaxf(fmaxf(colour.r, colour.g), fmaxf(colour.b, .05f)), e = d * scale;
      Rgb bright = mix(grey(luma(colour) / top), colour * (1 / top), 1.5f);
      bright = {clamp(bright.r), clamp(bright.g), clamp(bright.b)};
      c = mix(c, mix(colour * .16f, c, .12f), mask(d));
      float core = expf(-e * e / 1.6e-5f) * strength;
      c = mix(c, mix(bright, grey(1), .25f), core) + bright * (.38f * strength * expf(-fabsf(e) / .013f));
      return;
    }
    c = mix(c, tone(colour), mask(d));
    if (style == sketch) {
      float e = d * scale + .0014f * noise(5, x * 45, y * 45);
      c = mix(c, Rgb{.20f, .17f, .20f}, .8f * strength * (1 - smooth(.0016f, .0048f, fabsf(e))));
    }
  }
  // Something that shines by itself.
  FN void light(float d, Rgb colour, float alpha = 1) {
    c = mix(c, tone(colour), alpha * mask(d));
    if (style == neon) c = c + colour * (.25f * alpha * expf(-fmaxf(d * scale, 0) / .01f));
  }
  FN void glow(float distance, float radius, Rgb colour, float strength) {
    c = mix(c, tone(colour), strength * expf(-distance * distance / (radius * radius)));
  }
  // Shadow on what is there already: a tint, or hatching.
  FN void shade(float d, float amount) {
    float m = mask(d) * amount;
    if (style == sketch) m *= .45f + .8f * smooth(-.3f, .5f, sinf((x * .8f + y) * 2 * kPi / .027f + .6f * noise(9, x * 9, y * 9)));
    if (style == neon) m *= .3f;
    c = mix(c, c * Rgb{.30f, .28f, .42f}, m);
  }
};
