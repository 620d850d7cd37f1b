// A client of few words for tests: what it sends is up to the test, byte by byte.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "core/file_descriptor.h"
#include "core/json.h"

namespace hayate::testing {

struct Reply {
  int status = 0;                                // 0: the connection was closed without one
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};
  Json json() const { return Json::parse(body, nullptr, false); }
};

class HttpClient {
 public:
  explicit HttpClient(int port);
  void send(const std::string& bytes);
  Reply reply(bool head = false);  // waits for 60 s at most; the body is read to its end
  Reply ask(const std::string& method, const std::string& target, const std::string& body = "", const std::string& headers = "");
  std::optional<std::string> line();  // the next one, without its end; nothing at the end
  void close() { socket_.close(); }
  bool closed_by_peer();  // waits for it, 10 s at most

 private:
  bool fill();
  FileDescriptor socket_;
  std::string buffer_;
};

// One request on a connection of its own.
Reply ask(int port, const std::string& method, const std::string& target, const std::string& body = "", const std::string& headers = "");

}  // namespace hayate::testing
