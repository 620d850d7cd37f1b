// Who may ask: API keys, Host and Origin.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"

namespace hayate::server {

bool is_loopback(std::string_view host);                          // "127.0.0.1", "::1", "localhost" and what else stays on this machine
bool equal_in_constant_time(std::string_view, std::string_view);  // takes as long wherever they differ

class Access {
 public:
  // `hosts`: names beside loopback that a Host header may have while there is no key. `origins`: of pages elsewhere that may ask, "https://a.b".
  Access(std::vector<std::string> keys, std::set<std::string> hosts, std::set<std::string> origins);

  // Throws HttpError 421, 403 or 401. A page of another site must not reach a server on loopback, be it by a name of its own that resolves to
  // 127.0.0.1 (the Host header tells) or by a request across sites (Origin tells). Sets request.client to the key's name where there is one.
  void check(HttpRequest&, bool open_route) const;
  // Headers that let a page of an allowed origin read the answer; none for others.
  std::vector<std::pair<std::string, std::string>> cors(const HttpRequest&) const;

 private:
  bool is_foreign(const HttpRequest&, const std::string& origin) const;
  std::optional<size_t> key_of(const HttpRequest&) const;

  std::vector<std::string> keys_;
  std::set<std::string> hosts_, origins_;
};

// A file with one key a line; blank lines and lines that begin with # are left out. Throws Error for none, and for short ones.
std::vector<std::string> read_keys(const std::string& path);

}  // namespace hayate::server
