// Glyphs from FreeType. No shaping: one glyph for each character, from left to right.
#include "label_font.h"

#include <ft2build.h>
#include <utf8proc.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <span>

#include "embedded_font.h"
#include "hayate/error.h"

namespace hayate::cli {

namespace {

constexpr size_t most_characters = 1000;  // of a label: a prompt can be long

void check(FT_Error error, const char* what) {
  if (error) throw Error(ErrorKind::internal, std::string("FreeType: ") + what + " failed");
}

std::u32string characters_of(const std::string& utf8) {
  std::u32string text;
  for (size_t at = 0; at < utf8.size() && text.size() < most_characters;) {
    utf8proc_int32_t c;
    const utf8proc_ssize_t length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()) + at, utf8proc_ssize_t(utf8.size() - at), &c);
    at += size_t(std::max<utf8proc_ssize_t>(length, 1));
    if (length <= 0) c = 0xfffd;
    text += utf8proc_category(c) == UTF8PROC_CATEGORY_CC ? U' ' : char32_t(c);
  }
  return text;
}

}  // namespace

struct LabelFont::Face {
  FT_Library library = nullptr;
  FT_Face face = nullptr;
  ~Face() {
    if (face) FT_Done_Face(face);
    if (library) FT_Done_FreeType(library);
  }
  FT_GlyphSlot load(char32_t c, FT_Int32 how) const {
    check(FT_Load_Glyph(face, FT_Get_Char_Index(face, c), how), "a glyph");  // 0, where there is none, is a box
    return face->glyph;
  }
};

LabelFont::LabelFont(int pixels) : face_(std::make_unique<Face>()) {
  const std::span<const unsigned char> font = embedded_font();
  check(FT_Init_FreeType(&face_->library), "the library");
  check(FT_New_Memory_Face(face_->library, font.data(), FT_Long(font.size()), 0, &face_->face), "the font");
  check(FT_Set_Pixel_Sizes(face_->face, 0, FT_UInt(pixels)), "the size");
}
LabelFont::~LabelFont() = default;

int LabelFont::line_height() const { return int(face_->face->size->metrics.height >> 6); }

int LabelFont::width(const std::u32string& text) const {
  int width = 0;
  for (char32_t c : text) width += int(face_->load(c, FT_LOAD_DEFAULT)->advance.x >> 6);
  return width;
}

std::vector<std::u32string> LabelFont::wrapped(const std::string& utf8, int width, size_t most) const {
  std::vector<std::u32string> lines;
  for (std::u32string rest = characters_of(utf8); !rest.empty();) {
    size_t fits = 1;  // a column may be narrower than a character
    for (int used = this->width(rest.substr(0, 1)); fits < rest.size() && (used += this->width(rest.substr(fits, 1))) <= width;) ++fits;
    if (lines.size() + 1 == most && fits < rest.size()) {
      rest.resize(fits);
      while (!rest.empty() && this->width(rest + U'…') > width) rest.pop_back();
      lines.push_back(rest + U'…');
      break;
    }
    const size_t blank = fits < rest.size() ? rest.rfind(U' ', fits) : rest.npos;
    const size_t end = blank == rest.npos || blank == 0 ? fits : blank;
    lines.push_back(rest.substr(0, end));
    rest.erase(0, std::min(rest.find_first_not_of(U' ', end), rest.size()));
  }
  return lines;
}

void LabelFont::draw(Image& image, int left, int top, const std::u32string& text) const {
  const int baseline = top + int(face_->face->size->metrics.ascender >> 6);
  for (char32_t c : text) {
    const FT_GlyphSlot glyph = face_->load(c, FT_LOAD_RENDER);
    const FT_Bitmap& bitmap = glyph->bitmap;  // 8 bits a pixel: how much of it is covered
    for (int row = 0; row < int(bitmap.rows); ++row)
      for (int column = 0; column < int(bitmap.width); ++column) {
        const int x = left + glyph->bitmap_left + column, y = baseline - glyph->bitmap_top + row;
        if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue;
        uint8_t* pixel = &image.rgb[(size_t(y) * size_t(image.width) + size_t(x)) * 3];
        const int covered = bitmap.buffer[row * bitmap.pitch + column];
        for (int channel = 0; channel < 3; ++channel) pixel[channel] = uint8_t(pixel[channel] * (255 - covered) / 255);
      }
    left += int(glyph->advance.x >> 6);
  }
}

}  // namespace hayate::cli
