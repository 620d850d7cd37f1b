// The things that scenes are about. Each stands on (0, 0) of its own coordinates, u to the right and v up, and is about one unit high.
#pragma once
#include "brush.h"

FN void paint_tower(Brush& b, const Light& light, float u, float v, float w, float top, float roof, Rgb roof_colour, bool flag) {
  Rgb stone = light({.80f, .76f, .72f});
  b.shape(box(u, v, -w / 2, -.02f, w / 2, top), stone);
  b.shade(box(u, v, w * .14f, -.02f, w / 2, top), .32f);
  b.shape(box(u, v, -w * .62f, top - .05f, w * .62f, top + .02f), stone * .93f);
  float d = triangle(u, v, {-w * .72f, top + .02f}, {w * .72f, top + .02f}, {0, top + roof});
  if (flag) {
    b.fill(box(u, v, -.008f, top + roof - .02f, .008f, top + roof + .13f), light({.3f, .22f, .2f}));
    b.shape(triangle(u, v, {0, top + roof + .13f}, {.14f, top + roof + .09f}, {0, top + roof + .05f}), roof_colour);
  }
  b.shape(d, light.snowy ? mix(roof_colour, light({.95f, .97f, 1}), .55f) : roof_colour);
  b.shade(fmaxf(d, w * .14f - u), .3f);
  b.light(arch(u + w * .04f, v - top + .22f, .065f, .12f), light.glass);
}

FN void paint_castle(Brush& b, const Light& light, float u, float v, Rgb colour) {
  Rgb stone = light({.80f, .76f, .72f}), roof = light(colour);
  paint_tower(b, light, u, v, .25f, .70f, .30f, roof, true);
  float notch = fabsf(fract(u / .105f) - .5f) * .105f, d = box(u, v, -.42f, -.02f, .42f, .36f);
  d = fminf(d, fmaxf(box(u, v, -.42f, .3f, .42f, .42f), notch - .028f));
  b.shape(d, stone * .95f);
  b.shade(box(u, v, -.42f, -.02f, .42f, .06f), .22f);
  for (int side = -1; side <= 1; side += 2) {
    paint_tower(b, light, u - side * .40f, v, .21f, .52f, .27f, roof, false);
    b.light(arch(u - side * .19f, v - .14f, .06f, .12f), light.glass);
  }
  b.shape(arch(u, v + .02f, .17f, .26f), light.lamps ? mix(light({.42f, .27f, .17f}), light.glass, .4f) : light({.36f, .24f, .17f}), .6f);
}

FN void paint_lighthouse(Brush& b, const Light& light, float u, float v, bool beams) {
  if (beams) {
    float a = fabsf(u), spread = .02f + a * .17f, e = fabsf(v - .90f + a * .04f) / spread;
    b.c = mix(b.c, b.tone({1, .95f, .70f}), (1 - smooth(.35f, 1, e)) * .55f * clamp(1.3f - a * .75f));
  }
  Rgb white = light({.97f, .96f, .93f}), red = light({.86f, .22f, .19f});
  float d = trapezium(u, v, -.02f, .125f, .78f, .078f);
  b.shape(d, white);
  float band = fract(v / .312f);
  b.fill(fmaxf(d + .006f, (fabsf(band - .5f) - .25f) * .312f), red);
  b.shade(fmaxf(d, .03f - u), .30f);
  b.shape(box(u, v, -.12f, .78f, .12f, .825f), light({.30f, .32f, .38f}));
  b.light(box(u, v, -.065f, .825f, .065f, .93f), beams ? Rgb{1, .93f, .62f} : light({.72f, .86f, .93f}));
  b.fill(box(u, v, -.008f, .825f, .008f, .93f), light({.25f, .25f, .3f}));
  b.shape(triangle(u, v, {-.10f, .93f}, {.10f, .93f}, {0, 1.05f}), light.covered({.78f, .20f, .18f}, .6f));
  if (beams) b.glow(sqrtf(u * u + (v - .88f) * (v - .88f)), .22f, {1, .93f, .65f}, .75f);
  b.shape(arch(u + .01f, v + .02f, .08f, .16f), light({.36f, .24f, .17f}), .5f);
}

FN void paint_house(Brush& b, const Light& light, float u, float v, Rgb colour) {
  Rgb wall = light(mix(colour, {.96f, .93f, .86f}, .25f)), roof = light.covered(colour.r > .8f && colour.g < .5f ? Rgb{.36f, .34f, .40f} : Rgb{.62f, .30f, .24f}, .85f);
  for (int k = 0; k < 4; ++k)  // smoke
    b.fill(circle(u - .31f - .05f * k, v - 1.02f - .10f * k, .045f + .018f * k), mix(light({.95f, .95f, .96f}), light.haze, .3f), .5f);
  b.shape(box(u, v, .24f, .5f, .37f, .95f), light({.62f, .40f, .34f}));
  b.shape(box(u, v, -.46f, -.02f, .46f, .50f), wall);
  b.shade(box(u, v, .14f, -.02f, .46f, .5f), .16f);
  b.shade(box(u, v, -.46f, .44f, .46f, .5f), .3f);
  const Point gable[4] = {{-.56f, .46f}, {.56f, .46f}, {.40f, .88f}, {-.40f, .88f}};
  b.shape(polygon(u, v, gable), roof);
  b.shape(box(u, v, -.09f, -.02f, .09f, .30f), light({.42f, .27f, .19f}), .6f);
  for (int side = -1; side <= 1; side += 2) {
    float w = u - side * .28f;
    b.shape(box(w, v, -.115f, .145f, .115f, .36f), light({.98f, .97f, .94f}), .4f);
    b.light(box(w, v, -.09f, .17f, .09f, .335f), light.glass);
    b.fill(box(w, v, -.012f, .17f, .012f, .335f), light({.98f, .97f, .94f}));
  }
}

FN void paint_pine(Brush& b, const Light& light, float u, float v, Rgb green, float depth) {
  b.fill(box(u, v, -.045f, -.03f, .045f, .2f), light({.36f, .25f, .18f}, depth));
  const float base[3] = {.14f, .38f, .62f}, half[3] = {.30f, .24f, .17f}, high[3] = {.44f, .40f, .38f};
  for (int k = 0; k < 3; ++k) {
    float d = triangle(u, v, {-half[k], base[k]}, {half[k], base[k]}, {0, base[k] + high[k]});
    b.shape(d, light.covered(green * (.88f + .09f * k), .22f, depth), depth > .3f ? .45f : .8f);
    if (light.snowy) b.fill(triangle(u, v, {-half[k] * .55f, base[k] + high[k] * .45f}, {half[k] * .55f, base[k] + high[k] * .45f}, {0, base[k] + high[k]}), light({.95f, .97f, 1}, depth));
    b.shade(fmaxf(d, .03f - u), .22f * (1 - depth));
  }
}

FN void paint_round_tree(Brush& b, const Light& light, float u, float v, Rgb green) {
  b.shape(trapezium(u, v, -.02f, .065f, .5f, .04f), light({.45f, .30f, .20f}), .8f);
  float d = fminf(fminf(circle(u, v - .76f, .25f), circle(u + .19f, v - .57f, .20f)), fminf(circle(u - .19f, v - .57f, .20f), circle(u, v - .58f, .2f)));
  b.shape(d, light.covered(green, .55f));
  b.shade(fmaxf(d, -circle(u + .10f, v - .80f, .33f)), .28f);
  b.fill(fmaxf(d + .03f, circle(u + .09f, v - .78f, .13f)), light.covered(mix(green, {1, 1, .6f}, .25f), .8f), .8f);
}

FN void paint_sailboat(Brush& b, const Light& light, float u, float v, Rgb colour, bool flip) {
  u = flip ? -u : u;
  Rgb sail = light(colour);
  b.fill(box(u, v, -.014f, .1f, .014f, 1.0f), light({.40f, .28f, .2f}));
  const Point main_sail[4] = {{.04f, .24f}, {.50f, .24f}, {.22f, .68f}, {.04f, .97f}};
  b.shape(polygon(u, v, main_sail), sail);
  b.shade(fmaxf(polygon(u, v, main_sail), .52f - v - u), .20f);
  b.shape(triangle(u, v, {-.04f, .24f}, {-.42f, .26f}, {-.04f, .86f}), mix(sail, light({1, 1, .98f}), .55f));
  const Point hull[4] = {{-.48f, .18f}, {.54f, .18f}, {.36f, -.03f}, {-.34f, -.03f}};
  b.shape(polygon(u, v, hull), light({.50f, .29f, .20f}));
  b.fill(fmaxf(polygon(u, v, hull), .125f - v), light({.97f, .94f, .88f}));
}

FN void paint_balloon(Brush& b, const Light& light, float u, float v, Rgb colour) {  // hangs around (0, .5)
  for (int side = -1; side <= 1; side += 2) b.fill(segment(u, v, side * .17f, .32f, side * .06f, .13f, .008f), light({.3f, .25f, .22f}));
  b.shape(box(u, v, -.08f, .0f, .08f, .12f), light({.58f, .40f, .24f}), .7f);
  float d = fminf(circle(u, v - .66f, .34f), trapezium(u, v, .27f, .11f, .55f, .322f));
  b.shape(d, light(colour, .04f));
  float across = u / fmaxf(.05f, sqrtf(fmaxf(0, .116f - (v - .66f) * (v - .66f)))) ;
  if (v < .5f) across = u / mix(.11f, .322f, clamp((v - .27f) / .28f));
  float stripe = fabsf(across) < .28f ? 1.f : fabsf(across) > .68f ? 1.f : 0.f;
  b.fill(d + .012f, light(stripe > .5f ? colour : mix(colour, {1, .97f, .88f}, .72f), .04f));
  b.fill(fmaxf(d + .012f, fabsf(v - .62f) - .035f), light(mix(colour, {.15f, .1f, .2f}, .25f), .04f));
  b.shade(fmaxf(d, -circle(u + .12f, v - .72f, .40f)), .30f);
  b.fill(ellipse(u + .12f, v - .80f, .07f, .10f), light({1, 1, 1}), .28f);
  if (light.lamps) b.glow(sqrtf(u * u + (v - .30f) * (v - .30f)), .13f, {1, .75f, .3f}, .55f);
}

FN void paint_bird(Brush& b, const Light& light, float u, float v) {
  float a = fabsf(u), d = segment(a, v, 0, 0, .28f, .20f, .062f);
  d = fminf(d, segment(a, v, .28f, .20f, .56f, .10f, .046f));
  b.fill(d, b.style == neon ? Rgb{4, 4, 4} : light.lamps && light.tint.r < .4f ? Rgb{.62f, .66f, .78f} : Rgb{.13f, .12f, .18f});
}

FN void paint_cactus(Brush& b, const Light& light, float u, float v, float depth) {
  float d = segment(u, v, 0, 0, 0, .92f, .09f);
  d = fminf(d, fminf(segment(u, v, 0, .40f, .26f, .44f, .06f), segment(u, v, .26f, .44f, .26f, .70f, .06f)));
  d = fminf(d, fminf(segment(u, v, 0, .52f, -.24f, .56f, .055f), segment(u, v, -.24f, .56f, -.24f, .80f, .055f)));
  b.shape(d, light.covered({.28f, .52f, .30f}, .3f, depth), .7f);
}
