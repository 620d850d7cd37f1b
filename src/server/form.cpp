// A part begins after a line of its own, the boundary, and ends before the next (RFC 2046, section 5.1).
#include "server/form.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/utf8.h"

namespace hayate::server {

namespace {

constexpr std::string_view media_type = "multipart/form-data";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return result;
}

// The value of `name=value` or `name="va\"lue"` among the parameters of a header's value, which are set off by semicolons.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::optional<std::string> found;
  size_t at = header.find(';');
  while (at < header.size()) {
    at = header.find_first_not_of("; \t", at);
    const size_t equals = header.find('=', at);
    if (equals == header.npos) break;
    const bool wanted = lower(header.substr(at, equals - at)) == name;
    std::string value;
    at = equals + 1;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size()) ++at;
        value += header[at];
      }
      at = header.find(';', at);
    } else {
      const size_t end = std::min(header.find(';', at), header.size());
      value = header.substr(at, end - at);
      value.erase(value.find_last_not_of(" \t") + 1);
      at = end;
    }
    if (wanted && !found) found = std::move(value);
  }
  return found;
}

// Of the lines before a part's content, the value of one.
std::string header_named(std::string_view lines, std::string_view name) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    const size_t colon = line.find(':');
    if (colon != line.npos && lower(line.substr(0, colon)) == name) return std::string(line.substr(colon + 1));
  }
  return "";
}

FormPart parse_part(std::string_view part) {
  constexpr size_t most_header_bytes = 4096;
  const size_t end = part.substr(0, most_header_bytes).find("\r\n\r\n");
  require(end != part.npos, ErrorKind::usage, "a part of the form has no header");
  const std::string_view lines = part.substr(0, end);
  const std::string disposition = header_named(lines, "content-disposition"), encoding = lower(header_named(lines, "content-transfer-encoding"));
  const std::optional<std::string> name = parameter(disposition, "name");
  require(name && !name->empty() && name->size() <= 100, ErrorKind::usage, "a part of the form has no name");
  require(encoding.find("base64") == encoding.npos && encoding.find("quoted-printable") == encoding.npos, ErrorKind::usage,
          "the part {} of the form is in the encoding {}; expected bytes as they are", excerpt(*name), excerpt(encoding));
  return {.name = *name, .is_file = parameter(disposition, "filename").has_value(), .content = part.substr(end + 4)};
}

bool is_form(const std::string& content_type) { return lower(content_type).starts_with(media_type); }

}  // namespace

bool is_form(const HttpRequest& request) { return is_form(request.header("content-type")); }

std::vector<FormPart> form_parts(const HttpRequest& request) {
  constexpr size_t most_parts = 64, longest_boundary = 70;
  const std::string type = request.header("content-type");
  if (!is_form(type))
    throw HttpError{415, fmt::format("the body is {}, expected {}", type.empty() ? "of no type" : excerpt(type), media_type),
                    "unsupported_media_type"};
  const std::optional<std::string> boundary = parameter(type, "boundary");
  require(boundary && !boundary->empty() && boundary->size() <= longest_boundary, ErrorKind::usage, "the form's boundary is missing or too long");
  const std::string line = "--" + *boundary, next = "\r\n" + line;
  std::string_view rest = request.body;
  auto skip = [&](std::string_view expected) {
    require(rest.starts_with(expected), ErrorKind::usage, "the form is not one of the boundary that it names");
    rest.remove_prefix(expected.size());
  };
  std::vector<FormPart> parts;
  for (skip(line); !rest.starts_with("--");) {
    skip("\r\n");
    const size_t end = rest.find(next);
    require(end != rest.npos, ErrorKind::usage, "the form is cut short");
    require(parts.size() < most_parts, ErrorKind::usage, "the form has more than {} parts", most_parts);
    parts.push_back(parse_part(rest.substr(0, end)));
    rest.remove_prefix(end + next.size());
  }
  return parts;
}

JsonObject form_fields(const std::vector<FormPart>& parts, const std::vector<std::string_view>& texts) {
  constexpr JsonLimits limits{.max_bytes = 1 << 16, .max_depth = 32};
  Json fields = Json::object();
  for (const FormPart& part : parts) {
    if (part.is_file) continue;
    require(!fields.contains(part.name), ErrorKind::usage, "the form has {} twice", excerpt(part.name));
    require(from_utf8(part.content).has_value(), ErrorKind::usage, "{} of the form is not UTF-8", excerpt(part.name));
    Json& field = fields[part.name] = std::string(part.content);
    const bool may_be_json = std::ranges::find(texts, part.name) == texts.end() && part.content.size() <= size_t(limits.max_bytes);
    if (may_be_json && Json::accept(part.content)) field = parse_json(part.content, "\"" + part.name + "\"", limits);
  }
  return JsonObject(std::move(fields), "the form", ErrorKind::usage);
}

}  // namespace hayate::server
