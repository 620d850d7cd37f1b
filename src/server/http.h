// Requests and answers as handlers see them: text, no sockets.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hayate::server {

class Job;

struct HttpRequest {
  std::string method{}, path{};                  // "GET", "/api/jobs/0f.."; the path is decoded, without the query
  std::map<std::string, std::string> query{};    // decoded
  std::map<std::string, std::string> headers{};  // names in lower case; of several with one name the last
  std::string body{};
  std::string client{};                 // who asks, for fairness: the name of an API key, or an address
  std::vector<std::string> captured{};  // what the route's {} stand for

  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpResponse {
  int status = 200;
  std::string type = "application/json", body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

// An answer that comes once a job has ended. A client that goes away before cancels the job.
struct WhenDone {
  std::shared_ptr<Job> job;
  std::function<HttpResponse(Job&)> respond;
};

// Server-sent events about a job: `render` is asked for text whenever it has changed, and the stream ends with the job.
struct EventStream {
  std::shared_ptr<Job> job;
  bool cancels = false;  // whether a client that goes away cancels the job
  std::function<std::string(Job&)> render;
};

// An answer that takes a while to find, as where a picture came with the request; another thread does.
using Found = std::variant<HttpResponse, WhenDone, EventStream>;
struct Computed {
  std::function<Found()> compute;
};

using Answer = std::variant<HttpResponse, WhenDone, EventStream, Computed>;
using Handler = std::function<Answer(const HttpRequest&)>;

// Shapes of error bodies: each API's clients look for their own.
enum class ErrorShape { openai, a1111, inference };

// What handlers throw to answer with a status of their own. Other errors get theirs from status_of().
struct HttpError {
  int status;
  std::string message, code{};  // code: for programs, "queue_full"
  std::vector<std::pair<std::string, std::string>> headers{};
};

}  // namespace hayate::server
