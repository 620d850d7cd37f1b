// Runs one program of op_cases.h on a backend.
#pragma once
#include <algorithm>
#include <cstring>
#include <memory>

#include "backend/backend.h"
#include "core/convert.h"
#include "core/error.h"
#include "backend/op_cases.h"

namespace hayate::testing {

// Values of the inputs and weights of a case, rounded to the types in which `program` stores them.
class CaseValues {
 public:
  CaseValues(const Program& program, const std::map<std::string, Fill>& fills) {
    for (const Node& n : program.nodes()) {
      if (!is_source(n)) continue;
      auto fill = fills.find(n.name);
      std::vector<float> values = fill_values(n.name, n.shape.count(), fill == fills.end() ? Fill{} : fill->second);
      for (float& x : values) x = n.dtype == Dtype::bf16 ? to_float(from_float<bf16>(x)) : n.dtype == Dtype::f16 ? to_float(from_float<f16>(x)) : x;
      values_[n.name] = {std::move(values), n.op == Op::input};
    }
  }

  std::vector<std::byte> bytes(const Node& n) const {
    const std::vector<float>& values = values_.at(n.name).floats;
    std::vector<std::byte> out(size_t(byte_size(n)));
    if (n.dtype == Dtype::i32) {
      std::vector<int32_t> integers(values.begin(), values.end());
      std::memcpy(out.data(), integers.data(), out.size());
    } else if (n.dtype == Dtype::f32) {
      std::memcpy(out.data(), values.data(), out.size());
    } else {
      convert(Dtype::f32, std::as_bytes(std::span(values)), n.dtype, out);
    }
    return out;
  }

  void negate_first_half_of_inputs() {
    for (auto& [name, value] : values_)
      if (value.is_input)
        for (size_t i = 0; i < value.floats.size() / 2; ++i) value.floats[i] *= -1;
  }

 private:
  struct Entry { std::vector<float> floats; bool is_input; };
  std::map<std::string, Entry> values_;
};

class CaseWeights : public WeightStore {
 public:
  CaseWeights(Backend& backend, const CaseValues& values) : backend_(backend), values_(values) {}

  Buffer get(const Program& p, Value v) override {
    const Node& n = p[v];
    if (n.op != Op::weight) {
      std::vector<Buffer> in;
      for (Value i : n.in) in.push_back(i == none ? Buffer{} : get(p, i));
      return backend_.evaluate(p, n, in);
    }
    std::vector<std::byte> bytes = values_.bytes(n);
    Buffer buffer = backend_.allocate(int64_t(bytes.size()));
    backend_.upload(buffer, bytes);
    return buffer;
  }

 private:
  Backend& backend_;
  const CaseValues& values_;
};

// Every op that runs.
inline bool supports_all(const Backend& backend, const Program& p) {
  return std::ranges::all_of(p.nodes(), [&](const Node& n) { return !runs(n) || backend.supports(p, n); });
}

// The output as float32.
inline std::vector<float> read_result(Executable& executable) {
  const Program& program = executable.program();
  const Node& y = program[program.outputs[0]];
  std::vector<std::byte> bytes(size_t(byte_size(y)));
  executable.read(y.name, bytes);
  std::vector<float> result(size_t(y.shape.count()));
  if (y.dtype == Dtype::f32) std::memcpy(result.data(), bytes.data(), bytes.size());
  else convert(y.dtype, bytes, Dtype::f32, std::as_writable_bytes(std::span(result)));
  return result;
}

// An executable's memory starts as NaN, so that an element that is never written shows.
inline std::vector<float> run_case(Backend& backend, const Program& program, const CaseValues& values) {
  CaseWeights weights(backend, values);
  std::unique_ptr<Executable> executable = backend.compile(program, weights);
  for (const Node& n : program.nodes())
    if (n.op == Op::input) executable->write(n.name, values.bytes(n));
  executable->run(Rate::step);
  return read_result(*executable);
}

}  // namespace hayate::testing
