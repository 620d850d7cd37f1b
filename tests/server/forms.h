// Pictures sent in forms, and what comes back.
#pragma once
#include <fmt/format.h>

#include "server/base64.h"
#include "server/pictures.h"
#include "server/serving.h"

namespace hayate::testing {

inline std::string text_of(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline std::string png_of(const Image& image) { return text_of(encode_image("a.png", image)); }
inline Image image_of(const std::string& file) { return decode_image(file, "answer").image; }
inline Image image_of_base64(const Json& text) { return image_of(server::from_base64(text.get<std::string>()).value_or("")); }

// A slope of colours, of which any part differs from any other.
inline Image slope(int width, int height) {
  Image image{.width = width, .height = height, .rgb = {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int v : {255 * x / width, 255 * y / height, 128}) image.rgb.push_back(uint8_t(v));
  return image;
}

struct FormField {
  std::string name, content;
  bool is_file = false;
};
using FormFields = std::vector<FormField>;

constexpr const char* form_type = "Content-Type: multipart/form-data; boundary=\"a b\"\r\n";
inline std::string form_of(const FormFields& fields) {
  std::string body;
  for (const FormField& f : fields)
    body += fmt::format("--a b\r\nContent-Disposition: form-data; name=\"{}\"{}\r\n\r\n{}\r\n", f.name, f.is_file ? "; filename=\"../../x.png\"" : "",
                        f.content);
  return body + "--a b--\r\n";
}
inline Reply post_form(Serving& serving, const std::string& target, const std::string& body) {
  HttpClient client(serving.port());
  client.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + form_type + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return client.reply();
}
inline Reply post_form(Serving& serving, const std::string& target, const FormFields& fields) { return post_form(serving, target, form_of(fields)); }

// What every API is asked for here.
inline FormFields asked(const std::string& picture, const std::string& file, const FormFields& more = {}) {
  FormFields fields = {{"prompt", "a red castle"}, {"steps", "4"}, {"seed", "3"}, {"strength", "0.5"}, {picture, file, true}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace hayate::testing
