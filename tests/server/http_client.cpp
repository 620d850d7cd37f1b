// Blocking sockets.
#include "server/http_client.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <stdexcept>

namespace hayate::testing {

HttpClient::HttpClient(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(uint16_t(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("cannot connect");
}

void HttpClient::send(const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // the server has closed: the reply tells
    sent += size_t(n);
  }
}

bool HttpClient::fill() {
  char bytes[16384];
  const ssize_t n = recv(socket_.get(), bytes, sizeof bytes, 0);
  if (n > 0) buffer_.append(bytes, size_t(n));
  return n > 0;
}

std::optional<std::string> HttpClient::line() {
  size_t end;
  while ((end = buffer_.find('\n')) == buffer_.npos)
    if (!fill()) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Reply HttpClient::reply(bool head) {
  Reply reply;
  std::optional<std::string> status = line();
  if (!status || status->size() < 12) return reply;
  reply.status = std::stoi(status->substr(9, 3));
  for (std::optional<std::string> header = line(); header && !header->empty(); header = line()) {
    std::string name = header->substr(0, header->find(':'));
    for (char& c : name) c = char(std::tolower(c));
    reply.headers[name] = header->substr(std::min(header->size(), name.size() + 2));
  }
  if (head || reply.status == 204) return reply;
  const auto length = reply.headers.find("content-length");
  const size_t wanted = length == reply.headers.end() ? SIZE_MAX : std::stoul(length->second);
  while (buffer_.size() < wanted && fill()) {}
  reply.body = buffer_.substr(0, wanted);
  buffer_.erase(0, reply.body.size());
  return reply;
}

Reply HttpClient::ask(const std::string& method, const std::string& target, const std::string& body, const std::string& headers) {
  std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
  if (!body.empty()) request += "Content-Type: application/json\r\n";
  if (!body.empty() || method == "POST") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(request + "\r\n" + body);
  return reply(method == "HEAD");
}

bool HttpClient::closed_by_peer() {
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte;
  for (;;) {
    const ssize_t n = recv(socket_.get(), &byte, 1, 0);
    if (n <= 0) return n == 0 || errno == ECONNRESET;
  }
}

Reply ask(int port, const std::string& method, const std::string& target, const std::string& body, const std::string& headers) {
  return HttpClient(port).ask(method, target, body, headers + "Connection: close\r\n");
}

}  // namespace hayate::testing
