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

// How programs become executables; the same for all components of a pipeline.
struct Compiler {
  std::shared_ptr<Backend> backend;
  const Rung* rung;
  std::string print_program;  // folder, or empty
  Dtype dtype = Dtype::bf16;  // of the rungs that have 16 bits
};

struct CompileSeconds {
  double compile = 0, load = 0;  // recording and passes; memory plan, weights and binding
};

class Component {
 public:
  Component(std::string name, std::shared_ptr<const TensorSource> source, const Compiler& compiler);

  // The executable for `key`, recorded and compiled on first use; the least recently used one gives way beyond a few.
  // With keep_all the executable is a fresh one whose every value can be read, and is not cached. With the last handle it comes to rest.
  std::shared_ptr<Executable> executable(const std::string& key, const std::function<Program()>& record, bool keep_all, CompileSeconds&);

  const std::string& name() const { return name_; }

  // What running a program on a rung takes; nothing is read or allocated.
  struct Need {
    int64_t weights = 0;  // with those that are loaded already
    int64_t loading = 0;  // beside the weights, while they load
    Footprint running{};
  };
  Need need(Program recorded, const Rung&, bool keep_all) const;
  int64_t loaded_bytes() const { return weights_.bytes(); }
  void release();  // forgets weights and executables; they come back when they are needed

 private:
  struct Cached { std::string key; std::shared_ptr<Executable> executable; };

  std::string name_;
  const Compiler& compiler_;
  PreparedWeights weights_;
  std::list<Cached> recent_;  // most recently used first
};

}  // namespace hayate
