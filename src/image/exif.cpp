// A TIFF structure: a header, then directories of entries of 12 bytes: tag, type, count, and the value or where it is.
#include "image/exif.h"

#include <algorithm>
#include <optional>

#include "core/utf8.h"
#include "image/text.h"

namespace hayate {

namespace {

constexpr unsigned tag_orientation = 0x0112, tag_exif_directory = 0x8769, tag_user_comment = 0x9286;
constexpr unsigned type_short = 3, type_long = 4, type_undefined = 7;
constexpr std::string_view unicode{"UNICODE\0", 8}, ascii{"ASCII\0\0\0", 8}, unnamed{"\0\0\0\0\0\0\0\0", 8};

struct Entry {
  unsigned type = 0;
  uint32_t count = 0;
  size_t value = 0;  // where the entry's last 4 bytes are
};

class Tiff {
 public:
  explicit Tiff(ByteSpan bytes) : bytes_(bytes), big_(text(0, 2) == "MM") {}

  bool big_endian() const { return big_; }
  bool valid() const { return text(0, 4) == (big_ ? std::string_view("MM\0*", 4) : std::string_view("II*\0", 4)); }
  std::string_view text(size_t at, size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) return {};
    return {reinterpret_cast<const char*>(bytes_.data()) + at, count};
  }
  // 0 beyond the end.
  uint32_t number(size_t at, size_t width) const {
    std::string_view field = text(at, width);
    uint32_t n = 0;
    for (size_t i = 0; i < field.size(); ++i) n = n << 8 | uint8_t(field[big_ ? i : field.size() - 1 - i]);
    return n;
  }
  std::optional<Entry> find(size_t directory, unsigned tag) const {
    uint32_t entries = number(directory, 2);
    for (uint32_t i = 0; i < entries; ++i) {
      size_t at = directory + 2 + 12 * size_t(i);
      if (number(at, 2) == tag && !text(at, 12).empty()) return Entry{number(at + 2, 2), number(at + 4, 4), at + 8};
    }
    return std::nullopt;
  }

 private:
  ByteSpan bytes_;
  bool big_;
};

// Writers disagree on the byte order of UTF-16: some follow the file's, some are always big-endian. A mark at the start decides,
// then which order makes more units ASCII: every infotext has some.
std::string decode_unicode(std::string_view text, bool file_is_big_endian) {
  auto decode = [&](bool big) {
    std::u16string units;
    for (size_t i = 0; i + 1 < text.size(); i += 2) units += char16_t(uint8_t(text[i + !big]) << 8 | uint8_t(text[i + big]));
    return units;
  };
  auto count_ascii = [](const std::u16string& units) { return std::ranges::count_if(units, [](char16_t unit) { return unit > 0 && unit < 0x80; }); };
  std::u16string own = decode(file_is_big_endian), other = decode(!file_is_big_endian);
  bool swapped = other.starts_with(u'\xfeff') || (!own.starts_with(u'\xfeff') && count_ascii(other) > count_ascii(own));
  std::u16string_view units = swapped ? other : own;
  if (units.starts_with(u'\xfeff')) units.remove_prefix(1);
  return from_utf16(units);
}

std::string decode_comment(std::string_view text, bool file_is_big_endian) {
  if (text.starts_with(unicode)) return decode_unicode(text.substr(unicode.size()), file_is_big_endian);
  if (text.starts_with(ascii) || text.starts_with(unnamed)) text.remove_prefix(ascii.size());
  text = text.substr(0, text.find_last_not_of(std::string_view("\0 ", 2)) + 1);  // padding
  return to_utf8(code_points(text));
}

void append(Bytes& bytes, uint32_t value, int width) {  // big-endian
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) bytes.push_back(std::byte(value >> shift));
}

void append_directory(Bytes& bytes, unsigned tag, unsigned type, uint32_t count, uint32_t value) {
  append(bytes, 1, 2);
  append(bytes, tag, 2);
  append(bytes, type, 2);
  append(bytes, count, 4);
  append(bytes, value, 4);
  append(bytes, 0, 4);  // no further directory
}

}  // namespace

Exif parse_exif(ByteSpan bytes) {
  Exif exif;
  const Tiff tiff(bytes);
  if (!tiff.valid()) return exif;
  const size_t root = tiff.number(4, 4);
  if (auto entry = tiff.find(root, tag_orientation); entry && entry->type == type_short) exif.orientation = int(tiff.number(entry->value, 2));
  auto directory = tiff.find(root, tag_exif_directory);
  if (!directory || directory->type != type_long) return exif;
  if (auto entry = tiff.find(tiff.number(directory->value, 4), tag_user_comment); entry && entry->count > 4)
    exif.comment = decode_comment(tiff.text(tiff.number(entry->value, 4), entry->count), tiff.big_endian());
  return exif;
}

Bytes make_exif(const std::string& comment, size_t most_bytes) {
  constexpr uint32_t header = 8, directory = 18;
  static_assert(exif_overhead == header + 2 * directory + unicode.size() && unicode.size() == ascii.size());
  const std::u16string units = to_utf16(comment);
  const bool narrow = exif_overhead + 2 * units.size() > most_bytes && std::ranges::all_of(units, [](char16_t unit) { return unit < 0x80; });
  const int width = narrow ? 1 : 2;
  Bytes bytes;
  for (char c : std::string_view("MM\0*", 4)) bytes.push_back(std::byte(c));
  append(bytes, header, 4);
  append_directory(bytes, tag_exif_directory, type_long, 1, header + directory);
  append_directory(bytes, tag_user_comment, type_undefined, uint32_t(unicode.size() + size_t(width) * units.size()), header + 2 * directory);
  for (char c : narrow ? ascii : unicode) bytes.push_back(std::byte(c));
  for (char16_t unit : units) append(bytes, unit, width);
  return bytes;
}

ByteSpan without_exif_prefix(ByteSpan bytes) {
  auto prefix = std::as_bytes(std::span(exif_prefix));
  bool has = bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin());
  return has ? bytes.subspan(prefix.size()) : bytes;
}

}  // namespace hayate
