// The HTTP service: AUTOMATIC1111's and OpenAI's APIs, jobs with progress and previews, and a web page.
//
//   hayate::Server server({.models = {"path/to/sdxl"}});
//   server.start();
//   ...
//   server.stop();
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

struct ServeOptions {
  std::vector<std::string> models{""};       // as Options::model; the first is the default. Requests name them by file name; "" is "built-in"
  Options pipeline{};                        // what all have in common: device, rung, memory_limit, ...
  std::vector<std::string> replicas{};       // more devices, each with pipelines of its own, that draw beside pipeline.device
  std::string lora_folder{};                 // whose .safetensors files requests may name; empty: none
  std::string embedding_folder{};            // whose .safetensors files are words of prompts (textual inversion), for each model those that fit it; empty: none
  std::string host = "127.0.0.1";            // address to listen on
  int port = 8080;                           // 0: any that is free
  std::string key_file{};                    // API keys, one a line; empty: none, which is for loopback only
  bool no_key = false;                       // beyond loopback without a key nevertheless
  std::vector<std::string> allow_hosts{};    // more names that it may go by while there is no key
  std::vector<std::string> allow_origins{};  // of pages elsewhere that may ask ("https://example.org")
  int queue = 64;                            // requests that may wait
  int queue_of_a_client = 16;
  int batch = 8;                                  // pictures drawn together, at most
  int64_t pixels = int64_t{2048} * 2048;          // of a picture, at most
  double deadline = 0;                            // seconds after which a request is given up; 0: none
  double drain = 30;                              // seconds that stop() lets requests finish
  int connections = 4096;                         // at once
  double rate = 100;                              // requests a second of one client, twice as many at once; 0: any number
  double patience = 30;                           // seconds for a request to arrive, or for a client to take what is sent
  std::function<void(const std::string&)> log{};  // a line about what happens; from any thread; may be empty
};

// Threads of its own serve and draw. On the CPU, signals as for Pipeline: blocked before it is made.
class Server {
 public:
  explicit Server(const ServeOptions&);  // throws Error for whatever would keep it from serving: models, keys, the address
  ~Server();                             // gives up what is unfinished

  int port() const;
  std::string address() const;  // "http://127.0.0.1:8080"
  void start();
  // Stops listening, lets accepted requests finish for up to ServeOptions::drain seconds, cancels the rest. Returns how many were cancelled.
  size_t stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hayate
