// hayate serve: options, and running until a signal comes.
#include "hayate/serve.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "exit_code.h"
#include "hub_cache.h"
#include "interrupt.h"
#include "output.h"
#include "shared_options.h"
#include "subcommands.h"

namespace hayate::cli {

namespace {

int run(ServeOptions options, bool quiet) {
  auto say = [quiet](const std::string& line) {
    if (!quiet) print_note("hayate: " + line + "\n");
  };
  options.log = say;
  options.pipeline.warn = say;
  Server server(options);
  server.start();
  print_result(server.address() + "\n");  // for people to open, and for programs to know that it serves
  while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  say(fmt::format("finishing what was begun, for up to {:g} s; another signal ends at once", options.drain));
  const size_t cancelled = server.stop();
  say(cancelled ? fmt::format("{} requests were cancelled", cancelled) : "done");
  return exit_ok;
}

void add_safety(Table t, ServeOptions& o) {
  t.group = "Who may ask";
  t.text("--key-file", "FILE", "API keys, one a line; needed beyond this machine. Clients send one as Authorization: Bearer KEY", o.key_file);
  t.flag("--no-key", "serve other machines without a key nevertheless", o.no_key);
  repeatable(t.text("--allow-host", "NAME", "another name that the server may go by without a key; repeat for several",
                    [&](const std::string& name) { o.allow_hosts.push_back(name); }));
  repeatable(t.text("--allow-origin", "ORIGIN", "of pages elsewhere that may ask, as in https://example.org; repeat for several",
                    [&](const std::string& origin) { o.allow_origins.push_back(origin); }));
}

void add_limits(Table t, ServeOptions& o) {
  t.group = "Limits";
  t.number("--queue", fmt::format("requests that may wait (default {})", o.queue), o.queue, 1, 100000);
  t.number("--queue-of-a-client", fmt::format("of those, of one key or address (default {})", o.queue_of_a_client), o.queue_of_a_client, 1, 100000);
  t.number("--batch", fmt::format("pictures drawn together, at most (default {})", o.batch), o.batch, 1, 64);
  t.number("--pixels", fmt::format("of a picture, at most (default {})", o.pixels), o.pixels, int64_t{64 * 64}, int64_t{16384} * 16384);
  t.number("--deadline", "seconds after which a request is given up (default: none)", o.deadline, 0.0, 1e6);
  t.number("--drain", fmt::format("seconds that requests get to finish after SIGTERM (default {:g})", o.drain), o.drain, 0.0, 1e6);
  t.number("--connections", fmt::format("at once (default {})", o.connections), o.connections, 1, 1000000);
  t.number("--rate", fmt::format("requests a second of one key or address, twice as many at once; 0: any number (default {:g})", o.rate), o.rate, 0.0,
           1e6);
  t.number("--patience", fmt::format("seconds for a request to arrive or an answer to be taken (default {:g})", o.patience), o.patience, 0.1, 3600.0);
}

}  // namespace

Subcommand add_serve(CLI::App& app) {
  CLI::App* serve =
      declare(app, "serve",
              "Serves a web page, and the APIs of AUTOMATIC1111 and OpenAI, over HTTP.\n\n"
              "  hayate serve\n"
              "  hayate serve -m path/to/sdxl -m other.safetensors --lora-folder loras\n"
              "  hayate serve --host 0.0.0.0 --key-file keys.txt",
              "The address goes to standard output once it answers. SIGTERM and Ctrl-C let requests finish. docs/api.md describes the APIs.\n\n" +
                  exit_code_help());
  auto options = std::make_shared<ServeOptions>();
  auto quiet = std::make_shared<bool>(false);
  options->pipeline.hub_cache = hub_cache();
  Table t{serve, "Models"};
  auto models = std::make_shared<std::vector<std::string>>();
  repeatable(t.text("-m,--model", "MODEL", "as for generate; repeat for several, of which the first is the default (default: the built-in model)",
                    [=](const std::string& model) { models->push_back(model); }));
  t.text("--lora-folder", "FOLDER", "whose .safetensors files requests may name", options->lora_folder);
  t.text("--embedding-folder", "FOLDER", "textual inversion: the names of its .safetensors files are words that prompts may use", options->embedding_folder);
  add_tiny_decoder(t, options->pipeline);
  t.group = "Address";
  t.text("--host", "ADDRESS", "to listen on (default 127.0.0.1: this machine only)", options->host);
  t.number("--port", fmt::format("0: any that is free (default {})", options->port), options->port, 0, 65535);
  add_safety(t, *options);
  add_limits(t, *options);
  t.group = "Machine";
  add_machine(t, options->pipeline);
  repeatable(t.text("--replica", "DEVICE", "another device, with models of its own, that draws beside --device (cuda:1); repeat for several",
                    [=](const std::string& device) { options->replicas.push_back(device); }));
  t.flag("--quiet", "print the address and errors only", *quiet);
  return {serve, [=] {
            if (!models->empty()) options->models = *models;
            return run(*options, *quiet);
          }};
}

}  // namespace hayate::cli
