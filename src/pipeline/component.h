// One component of a model on one device: its weights and a cache of the programs compiled over them.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "backend/backend.h"
#include "passes/ladder.h"
#include "weights/prepared_weights.h"

namespace hayate {

// A program by name, or several that take turns: names of one component are equal only where the programs are.
struct Recording {
  Recording(std::string name, std::function<Program()> program) : key(std::move(name)), record{std::move(program)} {}
  Recording(std::string name, std::vector<std::function<Program()>> turns) : key(std::move(name)), record(std::move(turns)) {}

  std::string key;
  std::vector<std::function<Program()>> record;
};

// How programs become executables; the same for all components of a pipeline.
struct Compiler {
  std::shared_ptr<Backend> backend;
  const Rung* rung;
  std::string print_program;  // folder, or empty
  ClimbOptions climb = {};
  std::shared_ptr<Backend> second = {};  // runs the UNet for one half of guidance; none: one device does both
  bool stream_weights = false;  // the large ones are read anew for every op that takes them
};

struct CompileSeconds {
  double compile = 0, load = 0;  // recording and passes; memory plan, weights and binding
};

class Component {
 public:
  static constexpr size_t kFewExecutables = 4;  // one that rests has no activations, but its graph and bound ops: a few sizes are worth that
  Component(std::string name, std::shared_ptr<const TensorSource> source, const Compiler& compiler, size_t executables = kFewExecutables);

  // Compiled on first use; the least recently used one gives way beyond so many.
  // With keep_all the executable is a fresh one whose every value can be read, and is not cached. With the last handle it comes to rest.
  std::shared_ptr<Executable> executable(const Recording&, bool keep_all, CompileSeconds&);

  const std::string& name() const { return name_; }

  // What running programs on a rung takes, one after another; nothing is read or allocated.
  struct Need {
    int64_t weights = 0;  // with those that are loaded already
    int64_t loading = 0;  // beside the weights, while they load
    Footprint running{};
  };
  Need need(const Recording& r, const Rung& rung, bool keep_all) { return need({{r, 0}}, rung, keep_all); }
  // Of several programs that run one after another.
  struct Held {
    Recording recording;
    int64_t beside;  // activations that are held elsewhere while it runs, bytes
  };
  Need need(const std::vector<Held>&, const Rung&, bool keep_all);
  int64_t loaded_bytes() const { return weights_.bytes(); }
  // As PreparedWeights::change. Where that fails all weights are forgotten.
  PreparedWeights::Changed change(std::shared_ptr<const TensorSource> source, const std::set<std::string>& changed, Originals::Room);
  Originals& originals() { return weights_.originals(); }
  void release();  // forgets weights and executables; they come back when they are needed

 private:
  struct Cached { std::string key; std::shared_ptr<Executable> executable; };
  struct Planned { std::string key; const Rung* rung; bool keep_all; std::vector<Program> programs; Footprint running; };
  // On top of its rung, with what it takes to run: every request asks, though its executable may be there.
  const Planned& plan(const Recording&, const Rung&, bool keep_all);

  std::string name_;
  const Compiler& compiler_;
  PreparedWeights weights_;
  size_t executables_;
  std::list<Cached> recent_;    // most recently used first
  std::list<Planned> planned_;  // likewise
};

}  // namespace hayate
