// Keys come as "Authorization: Bearer", as the password of "Basic" (AUTOMATIC1111's clients), or as X-API-Key.
#include "server/access.h"

#include <algorithm>

#include "core/error.h"
#include "core/file_reader.h"
#include "core/json.h"
#include "server/base64.h"

namespace hayate::server {

namespace {

// Without the port: "[::1]:80" and "a.b:80".
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, host.find(':'));
}

std::string_view after(std::string_view text, std::string_view scheme) {
  return text.size() > scheme.size() && std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) { return (a | 32) == (b | 32); })
             ? text.substr(scheme.size())
             : std::string_view();
}

}  // namespace

bool is_loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  unsigned different = unsigned(a.size() != b.size());
  for (size_t i = 0; i < a.size(); ++i) different |= unsigned(uint8_t(a[i]) ^ uint8_t(b.empty() ? 0 : b[i % b.size()]));
  return different == 0;
}

Access::Access(std::vector<std::string> keys, std::set<std::string> hosts, std::set<std::string> origins)
    : keys_(std::move(keys)), hosts_(std::move(hosts)), origins_(std::move(origins)) {}

bool Access::is_foreign(const HttpRequest& request, const std::string& origin) const {
  if (origin.empty() || origins_.contains(origin)) return false;
  const std::string host = request.header("host");
  return origin != "http://" + host && origin != "https://" + host;
}

std::optional<size_t> Access::key_of(const HttpRequest& request) const {
  const std::string authorization = request.header("authorization"), header = request.header("x-api-key");
  const std::string bearer(after(authorization, "bearer ")), basic = from_base64(after(authorization, "basic ")).value_or("");
  const size_t colon = basic.find(':');
  std::optional<size_t> found;
  for (size_t i = 0; i < keys_.size(); ++i)  // all of them, whichever fits
    for (std::string_view given : {std::string_view(header), std::string_view(bearer), std::string_view(basic),
                                   colon == basic.npos ? std::string_view() : std::string_view(basic).substr(colon + 1)})
      if (equal_in_constant_time(given, keys_[i])) found = i;
  return found;
}

void Access::check(HttpRequest& request, bool open_route) const {
  const std::string host = request.header("host");
  if (keys_.empty() && !is_loopback(name_of(host)) && !hosts_.contains(std::string(name_of(host))))
    throw HttpError{421, fmt::format("this server does not go by the name {}", excerpt(host)), "unknown_host"};
  if (is_foreign(request, request.header("origin"))) throw HttpError{403, "pages of other sites may not ask here", "foreign_origin"};
  if (keys_.empty()) return;
  const std::optional<size_t> key = key_of(request);
  if (key) request.client = fmt::format("key {}", *key + 1);
  if (!key && !open_route)
    throw HttpError{401, "an API key is needed: Authorization: Bearer KEY", "invalid_api_key", {{"WWW-Authenticate", "Bearer"}}};
}

std::vector<std::pair<std::string, std::string>> Access::cors(const HttpRequest& request) const {
  const std::string origin = request.header("origin");
  if (origin.empty() || !origins_.contains(origin)) return {};
  return {{"Access-Control-Allow-Origin", origin}, {"Vary", "Origin"}};
}

std::vector<std::string> read_keys(const std::string& path) {
  constexpr size_t shortest = 16;
  std::vector<std::string> keys;
  std::string text = read_text_file(path, 1 << 20);
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    require(line.size() >= shortest, ErrorKind::usage, "{}: a key of {} characters; expected at least {}", path, line.size(), shortest);
    keys.emplace_back(line);
  }
  require(!keys.empty(), ErrorKind::usage, "{}: no key; expected one a line", path);
  return keys;
}

}  // namespace hayate::server
