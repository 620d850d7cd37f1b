// The ladder: which passes make which rung.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "passes/passes.h"

namespace hayate {

struct Rung {
  const char* name;
  const char* what;            // one sentence for people
  std::vector<Pass> adds;      // on top of the rungs above it in the table
  bool hoists = false;         // the prompt section runs once per prompt; otherwise again at each step, as eager code does
  bool tf32 = false;           // float32 products may round their factors to TF32; needs a device that has it
  std::vector<Dtype> quantized = {};  // types that linears may get; such rungs stand beside each other, none has the passes of another
};

const std::vector<Rung>& ladder();
const Rung& find_rung(const std::string& name);  // throws Error(usage) that lists the names

bool is_lowered(const Rung&);  // computes in 16 bits

// Called after recording (pass "record") and after each pass.
using PassObserver = std::function<void(const std::string& pass, const Program&)>;

struct ClimbOptions {
  Dtype dtype = Dtype::bf16;  // what rungs from bf16 on compute in
  Quantization quantization = {};
};
// Applies all passes up to and including the rung, verifying after each one.
Program climb(Program, const Rung&, const Target&, const ClimbOptions& = {}, const PassObserver& = {});

}  // namespace hayate
