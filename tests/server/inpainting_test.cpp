// Drawing parts of a picture anew through each API, and masks that mean no good.
#include <png.h>

#include "server/forms.h"

namespace hayate::testing {
namespace {

using server::to_base64;
using ::testing::HasSubstr;

constexpr int width = 96, height = 64;

// White in a box off the middle.
bool in_box(int x, int y) { return x >= width / 4 && x < width / 2 && y >= height / 4 && y < height * 3 / 4; }
Image box_mask(bool inverted = false) {
  Image mask{.width = width, .height = height, .rgb = {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) mask.rgb.insert(mask.rgb.end(), 3, in_box(x, y) != inverted ? 255 : 0);
  return mask;
}

// `image` as a PNG that is transparent in the box, or everywhere but there.
std::string with_opacity(const Image& image, bool box_is_opaque = false) {
  std::vector<uint8_t> rgba;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const auto from = image.rgb.begin() + 3 * (y * image.width + x);
      rgba.insert(rgba.end(), from, from + 3);
      rgba.push_back(in_box(x, y) == box_is_opaque ? 255 : 0);
    }
  png_image png{};
  png.version = PNG_IMAGE_VERSION, png.format = PNG_FORMAT_RGBA;
  png.width = png_uint_32(image.width), png.height = png_uint_32(image.height);
  std::string file(rgba.size() + 4096, '\0');
  png_alloc_size_t size = file.size();
  EXPECT_TRUE(png_image_write_to_memory(&png, file.data(), &size, 0, rgba.data(), 0, nullptr));
  file.resize(size);
  return file;
}

struct Drawing {
  Image image{};
  std::string infotext{};
};
// What `hayate generate` would make of it.
Drawing drawn(Request request) {
  request.pictures = {{.prompt = "a red castle", .seed = 3}};
  request.steps = 4;
  if (!request.init_image) request.init_image = slope(width, height);
  if (!request.mask) request.mask = box_mask();
  Pipeline pipeline(in_float32().pipeline);
  Result result = pipeline.generate(request);
  return {result.images[0], result.infotext[0]};
}

Drawing drawn_by_job(Serving& serving, const FormFields& fields) {
  const Reply reply = post_form(serving, "/api/jobs", fields);
  const Json done = serving.wait_until(reply.json().value("id", ""), "done");
  if (done.value("status", "") != "done") return {{}, reply.body + done.dump()};
  return {image_of(serving.get(done["pictures"][0]["url"]).body), done["pictures"][0]["infotext"]};
}

Json web_ui(const std::string& picture, const std::string& mask, const Json& more) {
  Json body = {{"prompt", "a red castle"}, {"steps", 4},      {"seed", 3},          {"cfg_scale", 5},           {"denoising_strength", 0.5},
               {"width", width},           {"height", height}, {"inpainting_fill", 1}, {"inpaint_full_res", false}, {"mask_blur", 0},
               {"mask", to_base64(mask)},  {"init_images", {to_base64(picture)}}};
  body.update(more);
  return body;
}

TEST(Inpainting, EveryApiDrawsWhatGenerateDraws) {
  Serving serving(in_float32());
  const std::string picture = png_of(slope(width, height)), mask = png_of(box_mask());
  const Drawing expected = drawn({.width = width, .height = height, .strength = 0.5});
  const FormFields size = {{"width", "96"}, {"height", "64"}};
  FormFields fields = asked("init_image", picture, size);
  fields.push_back({"mask", mask, true});
  const Drawing job = drawn_by_job(serving, fields);
  EXPECT_EQ(job.infotext, expected.infotext);
  EXPECT_LE(largest_difference(job.image, expected.image), batch_difference);

  fields = asked("image", picture, size);
  fields.push_back({"mask", with_opacity(slope(width, height)), true});
  const Reply edit = post_form(serving, "/v1/images/edits", fields);
  ASSERT_EQ(edit.status, 200) << edit.body.substr(0, 300);
  EXPECT_LE(largest_difference(image_of_base64(edit.json()["data"][0]["b64_json"]), expected.image), batch_difference);

  // The mask white on black, the other way round, and as strokes on a transparent ground.
  for (const auto& [file, inverted] : {std::pair(mask, 0), {png_of(box_mask(true)), 1}, {with_opacity(box_mask(true), true), 0}}) {
    const Reply img2img = serving.post("/sdapi/v1/img2img", web_ui(picture, file, {{"inpainting_mask_invert", inverted}}));
    ASSERT_EQ(img2img.status, 200) << img2img.body.substr(0, 300);
    EXPECT_LE(largest_difference(image_of_base64(img2img.json()["images"][0]), expected.image), batch_difference);
    EXPECT_FALSE(img2img.json()["parameters"].contains("mask"));
  }
}

// Without a mask, what is transparent of the picture is drawn anew, and nothing of what is under it is seen.
TEST(Inpainting, APictureMayBeItsOwnMask) {
  Serving serving(in_float32());
  const std::string file = with_opacity(slope(width, height));
  FormFields fields = asked("image", file, {{"size", "96x64"}});
  std::erase_if(fields, [](const FormField& f) { return f.name == "strength"; });
  const Reply edit = post_form(serving, "/v1/images/edits", fields);
  ASSERT_EQ(edit.status, 200) << edit.body.substr(0, 300);
  const Drawing expected = drawn({.width = width, .height = height, .init_image = image_of(file), .strength = 1});
  EXPECT_LE(largest_difference(image_of_base64(edit.json()["data"][0]["b64_json"]), expected.image), batch_difference);
}

// An area is drawn at the size that is asked for, and put back into a picture of another.
TEST(Inpainting, AnAreaOfALargerPicture) {
  Serving serving(in_float32());
  const Image large = slope(width * 3, height * 3);
  const Drawing expected = drawn({.width = 64, .height = 64, .init_image = large, .strength = 0.5, .mask_blur = 4, .mask_area = 8});
  EXPECT_EQ(expected.image.width, large.width);
  FormFields fields = asked("init_image", png_of(large), {{"width", "64"}, {"height", "64"}, {"mask_blur", "4"}, {"mask_area", "8"}});
  fields.push_back({"mask", png_of(box_mask()), true});
  const Drawing job = drawn_by_job(serving, fields);
  EXPECT_EQ(job.infotext, expected.infotext);
  EXPECT_LE(largest_difference(job.image, expected.image), batch_difference);
  Json body = web_ui(png_of(large), png_of(box_mask()), {{"width", 64}, {"height", 64}, {"inpaint_full_res_padding", 8}});
  for (const char* theirs : {"mask_blur", "inpaint_full_res"}) body.erase(theirs);  // which are 4 and true
  const Reply img2img = serving.post("/sdapi/v1/img2img", body);
  ASSERT_EQ(img2img.status, 200) << img2img.body.substr(0, 300);
  EXPECT_LE(largest_difference(image_of_base64(img2img.json()["images"][0]), expected.image), batch_difference);
}

TEST(Inpainting, PicturesOfOtherShapesAreFitted) {
  Serving serving(in_float32());
  const Image tall = slope(80, 160);
  const Drawing expected = drawn({.width = width, .height = height, .init_image = tall, .strength = 0.5, .fit = Fit::crop, .mask_blur = 2});
  FormFields fields = asked("init_image", png_of(tall), {{"width", "96"}, {"height", "64"}, {"fit", "crop"}, {"mask_blur", "2"}});
  fields.push_back({"mask", png_of(box_mask()), true});
  EXPECT_LE(largest_difference(drawn_by_job(serving, fields).image, expected.image), batch_difference);
  const Reply img2img = serving.post("/sdapi/v1/img2img", web_ui(png_of(tall), png_of(box_mask()), {{"resize_mode", 1}, {"mask_blur", 2}}));
  EXPECT_LE(largest_difference(image_of_base64(img2img.json()["images"][0]), expected.image), batch_difference);
}

// As webuiapi asks where it is not told otherwise: 0, colours around what is drawn anew.
TEST(Inpainting, BeginsWithWhatIsAskedFor) {
  Serving serving(in_float32());
  const std::string picture = png_of(slope(width, height)), mask = png_of(box_mask());
  const std::pair<MaskContent, const char*> contents[] = {{MaskContent::fill, "fill"}, {MaskContent::original, "original"}, {MaskContent::noise, "noise"}, {MaskContent::nothing, "nothing"}};
  for (int number = 0; number < 4; ++number) {
    const auto& [content, name] = contents[number];
    const Drawing expected = drawn({.width = width, .height = height, .strength = 0.5, .mask_content = content});
    Json body = web_ui(picture, mask, {{"inpainting_fill", number}});
    if (number == 0) body.erase("inpainting_fill");
    const Reply img2img = serving.post("/sdapi/v1/img2img", body);
    ASSERT_EQ(img2img.status, 200) << img2img.body.substr(0, 300);
    EXPECT_LE(largest_difference(image_of_base64(img2img.json()["images"][0]), expected.image), batch_difference) << name;
    FormFields fields = asked("init_image", picture, {{"width", "96"}, {"height", "64"}, {"mask_content", name}});
    fields.push_back({"mask", mask, true});
    const Drawing job = drawn_by_job(serving, fields);
    EXPECT_EQ(job.infotext, expected.infotext);
    EXPECT_LE(largest_difference(job.image, expected.image), batch_difference) << name;
  }
}

// It cannot draw without a picture: what is drawn before the first request draws over one.
TEST(Inpainting, AModelThatIsMadeForItWarmsUp) {
  ServeOptions options = in_float32();
  const std::string models = HAYATE_SOURCE_DIR "/tests/data/parity/";
  options.models = {models + "tiny-sd15"};
  options.pipeline.unet = models + "tiny-sd15-inpaint-unet";
  std::atomic<int> lines = 0;
  options.log = [&](const std::string& line) { ADD_FAILURE() << line, ++lines; };
  Serving serving(options);
  auto is_warm = [&] { return serving.get("/metrics").body.find("hayate_stage_seconds_count{stage=\"denoise\"} 1") != std::string::npos; };
  for (int i = 0; i < 3000 && lines == 0 && !is_warm(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(is_warm());
  EXPECT_EQ(serving.get("/api/choices").json()["models"][0]["inpaints"], true);
  EXPECT_THAT(serving.post("/api/jobs", tiny()).body, HasSubstr("made for inpainting"));
}

TEST(Inpainting, RefusesMasksThatMakeNoSense) {
  ServeOptions options;
  options.pixels = 128 * 128;
  Serving serving(options);
  const std::string picture = png_of(slope(width, height)), sound = png_of(box_mask());
  Image black = box_mask();
  std::ranges::fill(black.rgb, uint8_t(0));
  struct Wrong {
    const char *what, *says;
    FormFields fields;
  };
  const std::vector<Wrong> wrong = {
      {"nothing", "mask", {{"mask", "", true}}},
      {"text", "mask", {{"mask", "a mask, really", true}}},
      {"cut short", "mask", {{"mask", sound.substr(0, sound.size() / 2), true}}},
      {"black", "no white", {{"mask", png_of(black), true}}},
      {"two", "more than one", {{"mask", sound, true}, {"mask", sound, true}}},
      {"no file", "mask_blur", {{"mask_blur", "3"}}},
      {"area without a mask", "mask_area", {{"mask_area", "3"}}},
      {"blur", "mask_blur", {{"mask", sound, true}, {"mask_blur", "1001"}}},
      {"area", "mask_area", {{"mask", sound, true}, {"mask_area", "-1"}}},
      {"fit", "fit", {{"mask", sound, true}, {"fit", "squeeze"}}},
      {"strength", "strength", {{"mask", sound, true}, {"steps", "1"}}},
  };
  for (const auto& [what, says, more] : wrong) {
    FormFields fields = asked("init_image", picture, {{"width", "64"}, {"height", "64"}});
    for (const FormField& f : more) {
      std::erase_if(fields, [&](const FormField& old) { return old.name == f.name && !f.is_file; });
      fields.push_back(f);
    }
    const Reply reply = post_form(serving, "/api/jobs", fields);
    EXPECT_EQ(reply.status, 400) << what << ": " << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(says)) << what;
  }
  EXPECT_EQ(post_form(serving, "/api/jobs", {{"prompt", "a"}, {"mask", sound, true}}).status, 400);
  FormFields opaque = asked("image", picture);
  opaque.push_back({"mask", sound, true});
  EXPECT_THAT(post_form(serving, "/v1/images/edits", opaque).body, HasSubstr("transparent"));
  FormFields large = asked("init_image", png_of(slope(200, 200)), {{"width", "64"}, {"height", "64"}});
  EXPECT_EQ(post_form(serving, "/api/jobs", large).status, 202);  // it is made smaller at once
  large.push_back({"mask", sound, true});
  EXPECT_EQ(post_form(serving, "/api/jobs", large).status, 400);

  for (const Json& mask : {Json(1), Json("!"), Json(to_base64("no picture")), Json(to_base64(png_of(black)))})
    EXPECT_EQ(serving.post("/sdapi/v1/img2img", web_ui(picture, "", {{"mask", mask}})).status, 400) << mask;
  EXPECT_EQ(serving.post("/sdapi/v1/img2img", web_ui(picture, sound, {{"mask_blur", nullptr}, {"mask_blur_x", 1}, {"mask_blur_y", 2}})).status, 501);
  for (const Json& fill : {Json(-1), Json(4), Json("fill")}) EXPECT_EQ(serving.post("/sdapi/v1/img2img", web_ui(picture, sound, {{"inpainting_fill", fill}})).status, 400) << fill;
  EXPECT_EQ(serving.get("/health").status, 200);
}

}  // namespace
}  // namespace hayate::testing
