// A request is looked at when its header is there: who may not ask, or asks for nothing that exists, is told before it sends a body.
#include "server/session.h"

#include <sys/socket.h>

#include "core/error.h"
#include "server/form.h"
#include "server/respond.h"
#include "server/target.h"

namespace hayate::server {

namespace {

constexpr size_t most_header_bytes = 16 << 10;
constexpr double slowest_bytes_a_second = 64 << 10;
constexpr size_t most_large_bodies = 8 * picture_body;  // bytes of all at once

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = char(std::tolower(uint8_t(c)));
  return result;
}

}  // namespace

Session::Session(tcp::socket socket, Network& network) : network_(network), stream_(std::move(socket)) {
  network_.sessions.insert(this);
  network_.app.connections = network_.sessions.size();
  ErrorCode ignored;
  const tcp::endpoint peer = stream_.socket().remote_endpoint(ignored);
  address_ = peer.address().to_string(ignored);
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

Session::~Session() {
  finish_request();
  network_.sessions.erase(this);
  network_.app.connections = network_.sessions.size();
}

void Session::allow(size_t bytes) {
  const double seconds = network_.app.options.patience + double(bytes) / slowest_bytes_a_second;
  stream_.expires_after(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
}

void Session::refuse() {
  keep_alive_ = false;
  send_error({503, "too many connections", "too_many_connections", {{"Retry-After", "5"}}});
}

void Session::drain() {
  ErrorCode ignored;
  if (!busy_ && !writing_ && buffer_.size() == 0 && stream_.socket().available(ignored) == 0) close();
}

void Session::tick() {
  constexpr std::chrono::seconds silence{15};  // proxies close streams that are silent for long
  if (streaming_ && !writing_ && Clock::now() - last_write_ > silence) stream_more(": still here\n\n");
}

void Session::read_header() {
  if (closed_) return;
  parser_.emplace();
  parser_->header_limit(most_header_bytes);
  parser_->body_limit(picture_body);
  request_ = {};
  route_ = nullptr;
  allow(0);
  http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, size_t) { self->on_header(error); });
}

void Session::on_header(ErrorCode error) {
  if (closed_) return;
  if (error) return on_broken(error);
  busy_ = true;
  ++network_.busy;
  keep_alive_ = parser_->get().keep_alive() && !network_.app.draining;
  try {
    if (!begin_request()) return;
  } catch (...) {
    if (!parser_->is_done()) keep_alive_ = false;  // its body is not read
    return send_error(current_error());
  }
  read_body();
}

// What is not HTTP gets an answer where that makes sense; the connection is of no more use.
void Session::on_broken(ErrorCode error) {
  keep_alive_ = false;
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return send_error({431, "the header is too large", "header_too_large"});
  if (error == http::error::body_limit) return send_error({413, "the body is too large", "body_too_large"});
  if (error == http::error::end_of_stream || error.category() != make_error_code(http::error::bad_method).category()) return close();
  send_error({400, "not a valid HTTP request: " + error.message(), "bad_http"});
}

// Takes the header apart. False where an answer is on its way already; throws HttpError.
bool Session::begin_request() {
  const auto& message = parser_->get();
  request_.method = std::string(message.method_string());
  request_.client = address_;
  size_t hosts = 0;
  for (const auto& field : message) {
    hosts += field.name() == http::field::host;
    request_.headers[lower(std::string_view(field.name_string().data(), field.name_string().size()))] = std::string(field.value());
  }
  const std::optional<Target> target = parse_target({message.target().data(), message.target().size()});
  if (!target) throw HttpError{400, "the target of the request is not a path", "bad_target"};
  request_.path = target->path;
  request_.query = target->query;
  if (hosts != 1 && message.version() == 11) throw HttpError{400, fmt::format("{} Host headers, expected one", hosts), "bad_http"};
  if (request_.method == "OPTIONS") {  // what browsers ask before they ask across sites
    network_.access.check(request_, true);
    HttpResponse allowed{.status = 204};
    allowed.headers = {{"Access-Control-Allow-Methods", "GET, POST, DELETE"},
                       {"Access-Control-Allow-Headers", "Authorization, Content-Type, X-API-Key"}};
    if (!parser_->is_done()) keep_alive_ = false;
    return send(std::move(allowed)), false;
  }
  route_ = &network_.router.find(request_);
  network_.access.check(request_, route_->open);
  if (!route_->open) network_.rates.take(request_.client);
  largest_body_ = route_->largest_form > 0 && is_form(request_) ? route_->largest_form : route_->largest_body;
  const auto length = parser_->content_length();
  if (length && *length > largest_body_)
    throw HttpError{413, fmt::format("the body has {} bytes, expected at most {}", *length, largest_body_), "body_too_large"};
  expect_body();
  return true;
}

// Bodies beyond small ones share a bound, whoever sends them: connections are many.
void Session::expect_body() {
  const size_t bytes = parser_->content_length().value_or(parser_->chunked() ? largest_body_ : 0);
  if (bytes <= small_body) return;
  if (network_.large_bodies + bytes > most_large_bodies)
    throw HttpError{503, "too many large requests at once; try again", "busy", {{"Retry-After", "2"}}};
  network_.large_bodies += large_body_ = bytes;
}

void Session::drop_body() {
  request_.body = {};
  network_.large_bodies -= std::exchange(large_body_, 0);
}

void Session::read_body() {
  parser_->body_limit(largest_body_);
  allow(parser_->content_length().value_or(0));
  auto read = [self = shared_from_this()](ErrorCode failed, size_t) {
    if (failed) return self->on_broken(failed);
    http::async_read(self->stream_, self->buffer_, *self->parser_, [self](ErrorCode error, size_t) {
      if (self->closed_) return;
      if (error) return self->on_broken(error);
      self->answer();
    });
  };
  if (lower(request_.header("expect")) != "100-continue") return read({}, 0);
  outgoing_ = "HTTP/1.1 100 Continue\r\n\r\n";
  net::async_write(stream_, net::buffer(outgoing_), read);
}

void Session::answer() {
  request_.body = std::move(parser_->get().body());
  try {
    Answer answer = route_->handler(request_);
    if (!std::holds_alternative<Computed>(answer)) drop_body();
    std::visit([this](auto&& given) { give(std::move(given)); }, std::move(answer));
  } catch (...) { send_error(current_error()); }
}

void Session::give(HttpResponse&& response) { send(std::move(response)); }

// The session goes with what is posted, as it may end on the network's thread only.
void Session::give(Computed&& task) {
  auto compute = [self = shared_from_this(), compute = std::move(task.compute)]() mutable {
    Found answer;
    try {
      answer = compute();
    } catch (...) { answer = error_response(current_error(), self->route_->errors); }
    compute = nullptr;
    Session& session = *self;
    net::post(session.stream_.get_executor(), [self = std::move(self), answer = std::move(answer)]() mutable {
      self->drop_body();
      std::visit([&](auto&& given) { self->give(std::move(given)); }, std::move(answer));
    });
  };
  stream_.expires_never();
  if (!network_.computing.try_post(std::move(compute))) send_error({503, "too busy; try again", "busy", {{"Retry-After", "2"}}});
}

void Session::give(WhenDone&& when) {
  waiting_ = std::move(when);
  follow(waiting_->job);
}

void Session::give(EventStream&& events) {
  if (request_.method == "HEAD") return send({.type = "text/event-stream"});
  streaming_ = std::move(events);
  keep_alive_ = false;  // the end of the connection ends the stream
  network_.app.metrics.count("hayate_http_requests_total", {{"route", route_->pattern}, {"code", "200"}});
  std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n";
  for (const auto& [name, value] : network_.access.cors(request_)) head += fmt::format("{}: {}\r\n", name, value);
  stream_more(head + "\r\n");
  follow(streaming_->job);
}

void Session::follow(const JobPtr& job) {
  stream_.expires_never();
  followed_ = job;
  watcher_ = job->watch([weak = weak_from_this(), executor = stream_.get_executor()] {
    net::post(executor, [weak] {
      if (auto self = weak.lock()) self->job_changed();
    });
  });
  watch_for_close();
  job_changed();  // it may have ended before it was watched
}

void Session::job_changed() {
  if (closed_ || !followed_) return;
  if (streaming_) {
    changed_ = true;
    if (!writing_) stream_more();
    return;
  }
  if (!waiting_ || !followed_->ended()) return;
  const WhenDone when = std::move(*waiting_);
  waiting_.reset();
  ++watch_;
  try {
    send(when.respond(*when.job));
  } catch (...) { send_error(current_error()); }
}

// Events that came while others were sent are one: a slow client misses some, and never holds more than one.
void Session::stream_more(std::string preface) {
  changed_ = false;
  const bool last = streaming_->job->ended();
  outgoing_ = std::move(preface) + streaming_->render(*streaming_->job);
  if (outgoing_.empty() && !last) return;
  writing_ = true;
  last_write_ = Clock::now();
  allow(outgoing_.size());
  net::async_write(stream_, net::buffer(outgoing_), [self = shared_from_this(), last](ErrorCode error, size_t) {
    self->writing_ = false;
    if (self->closed_) return;
    if (error) return self->gone();
    if (last) return self->hang_up();
    self->stream_.expires_never();
    if (self->changed_) self->stream_more();
  });
}

// A connection that becomes readable while its answer is pending was closed, or the next request came early; then nobody looks any more.
void Session::watch_for_close() {
  stream_.socket().async_wait(tcp::socket::wait_read, [self = shared_from_this(), watch = ++watch_](ErrorCode error) {
    if (self->closed_ || watch != self->watch_) return;
    char byte = 0;
    const ssize_t got = error ? -1 : recv(self->stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0) return;
    if (got < 0 && !error && (errno == EAGAIN || errno == EINTR)) return self->watch_for_close();
    self->gone();
  });
}

void Session::gone() {
  const bool cancels = waiting_ || (streaming_ && streaming_->cancels);
  if (cancels && followed_) network_.app.desk.cancel(followed_, "the client went away");
  close();
}

void Session::send_error(const HttpError& error) {
  send(error_response(error, route_ ? route_->errors : network_.router.errors_under(request_.path)));
}

void Session::send(HttpResponse given) {
  if (closed_) return;
  network_.app.metrics.count("hayate_http_requests_total", {{"route", route_ ? route_->pattern : "none"}, {"code", std::to_string(given.status)}});
  auto response = std::make_shared<http::response<http::string_body>>(http::status(given.status), 11);
  response->reason(reason_of(given.status));
  keep_alive_ = keep_alive_ && !network_.app.draining;
  response->keep_alive(keep_alive_);
  if (given.status != 204 && given.status != 304) response->set(http::field::content_type, given.type);
  response->set("X-Content-Type-Options", "nosniff");
  response->set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : given.headers) response->set(name, value);
  for (const auto& [name, value] : network_.access.cors(request_)) response->set(name, value);
  response->body() = std::move(given.body);
  response->prepare_payload();
  writing_ = true;
  allow(response->body().size());
  auto written = [self = shared_from_this(), response](ErrorCode error, size_t) {
    self->writing_ = false;
    self->finish_request();
    if (error) return self->close();
    self->keep_alive_ ? self->read_header() : self->hang_up();
  };
  if (request_.method != "HEAD") return http::async_write(stream_, *response, written);
  auto head = std::make_shared<http::response_serializer<http::string_body>>(*response);
  http::async_write_header(stream_, *head, [head, written](ErrorCode error, size_t size) { written(error, size); });
}

void Session::finish_request() {
  if (followed_) followed_->unwatch(watcher_);
  followed_.reset();
  waiting_.reset();
  drop_body();
  if (busy_) --network_.busy;
  busy_ = false;
}

// After the last answer. The client may still be sending what nobody reads; if the connection were closed now, the system would take the answer
// back.
void Session::hang_up() {
  constexpr std::chrono::seconds longest{2};
  finish_request();
  ErrorCode ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream_.expires_after(longest);
  outgoing_.resize(64 << 10);
  discard();
}

void Session::discard() {
  constexpr size_t most = 4 << 20;
  stream_.async_read_some(net::buffer(outgoing_), [self = shared_from_this()](ErrorCode error, size_t bytes) {
    if (self->closed_) return;
    self->discarded_ += bytes;
    if (error || self->discarded_ > most) return self->close();
    self->discard();
  });
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  finish_request();
  ErrorCode ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream_.close();
}

}  // namespace hayate::server
