// One connection: requests one after another, each with its limits and deadlines.
#pragma once
#include "server/network.h"

namespace hayate::server {

// Lives as long as something is pending; all on the network's thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket, Network&);
  ~Session();

  void start() { read_header(); }
  void refuse();  // too many connections: says so and closes
  void drain();   // closes now if no request has come, else after the answer
  void tick();    // once a second

 private:
  void read_header();
  void on_header(ErrorCode);
  void on_broken(ErrorCode);
  bool begin_request();
  void read_body();
  void answer();
  void give(HttpResponse&&);
  void give(WhenDone&&);
  void give(EventStream&&);
  void give(Computed&&);
  void send(HttpResponse);
  void send_error(const HttpError&);
  void expect_body();
  void drop_body();
  void finish_request();

  void follow(const JobPtr&);
  void job_changed();
  void stream_more(std::string preface = "");
  void watch_for_close();
  void gone();
  void hang_up();
  void discard();
  void close();
  void allow(size_t bytes);  // time to send or receive that much

  Network& network_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{64 << 10};
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  const Route* route_ = nullptr;
  size_t largest_body_ = 0;  // bytes that the request's may have
  size_t large_body_ = 0;    // bytes of network_.large_bodies that are this one's
  std::string address_, outgoing_;
  bool keep_alive_ = false, busy_ = false, writing_ = false, changed_ = false, closed_ = false;
  std::optional<WhenDone> waiting_;
  std::optional<EventStream> streaming_;
  JobPtr followed_;
  int watcher_ = 0;
  unsigned watch_ = 0;  // number of the watch that counts
  size_t discarded_ = 0;
  Clock::time_point last_write_{};
};

}  // namespace hayate::server
