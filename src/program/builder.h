// What model code is written in. Reads like eager code; every call appends one op and checks its shapes.
#pragma once
#include <functional>
#include <string>
#include <unordered_map>

#include "program/program.h"

namespace hayate {

// Pictures that go on at the opposite edge: to the right and left, below and above.
struct Wrap {
  bool x = false, y = false;
  bool operator==(const Wrap&) const = default;
};

class Builder {
 public:
  // `recorded`, if given, is called after each op: running it there gives record-and-run, so that a breakpoint in
  // model code sees real numbers.
  using Recorded = std::function<void(const Program&, Value)>;
  explicit Builder(Program& p, Recorded recorded = {}) : p_(p), recorded_(std::move(recorded)) {}

  // scope("attn1") prefixes everything recorded while it lives, so that value names equal diffusers' module paths.
  class Scope {
   public:
    Scope(Builder& b, const std::string& s) : b_(b), keep_(b.path_.size()) { b_.path_ += (b_.path_.empty() ? "" : ".") + s; }
    ~Scope() { b_.path_.resize(keep_); }
    Scope(const Scope&) = delete;

   private:
    Builder& b_;
    size_t keep_;
  };
  Scope scope(const std::string& s) { return Scope(*this, s); }

  // From now on convolutions see beyond an edge what is at the opposite one, as torch's padding_mode="circular" has it.
  void wrap(Wrap wrap) { wrap_ = wrap; }

  Value input(const std::string& name, Shape, Rate, Dtype = Dtype::f32);   // name is taken as it stands
  Value weight(const std::string& name, Shape);

  Value linear(const std::string& name, Value x, int64_t out, bool bias = true);                       // (.., out)
  Value conv2d(const std::string& name, Value x, int64_t out, int kernel, int stride = 1);             // "same" padding
  Value conv2d(const std::string& name, Value x, int64_t out, int kernel, ConvAttr, bool bias = true);
  Value group_norm(const std::string& name, Value x, int groups, float eps);
  Value group_statistics(const std::string& name, Value x, int groups, Value region = none);          // region: top, left, height, width; none: all of x
  Value layer_norm(const std::string& name, Value x, float eps);
  Value activation(const std::string& name, Value x, Activation);
  // softmax(q k^T scale) v over heads interleaved in the columns; recorded as three ops: scores, softmax, mix.
  Value attention(Value q, Value k, Value v, int heads, float scale, bool causal = false);
  Value add(const std::string& name, Value a, Value b);                    // b broadcasts
  Value mul(const std::string& name, Value a, Value b);
  Value affine(const std::string& name, Value x, float scale, float shift);
  Value concat(const std::string& name, Value a, Value b);                 // columns
  Value slice(const std::string& name, Value x, int64_t begin, int64_t width);
  Value repeat(const std::string& name, Value x, int times);
  Value upsample_nearest(const std::string& name, Value x, int64_t h, int64_t w);
  Value pad(const std::string& name, Value x, PadAttr);
  Value embedding(const std::string& name, Value ids, int64_t rows, int64_t width);
  Value take_token(const std::string& name, Value x, Value index);
  Value timestep_embedding(const std::string& name, Value t, TimestepAttr);
  Value guidance(const std::string& name, Value prediction, Value scale, Value rescale);
  Value mimic(const std::string& name, Value prediction, Value other, Value x, Value clean);
  Value scheduler_row(const std::string& name, Value state, Value prediction, Value noise, Value matrix);

  const Shape& shape(Value v) const { return p_[v].shape; }
  // The full path of `name`; the k-th value of one path is called path#k, as when diffusers calls a module again.
  std::string path(const std::string& name) const { return path_.empty() ? name : name.empty() ? path_ : path_ + "." + name; }

 private:
  Value emit(Op, const std::string& name, std::vector<Value> in, Attributes = {}, Shape = {}, Dtype = Dtype::f32);
  Value append(Node n);

  Program& p_;
  Recorded recorded_;
  std::unordered_map<std::string, int> seen_;
  std::string path_;
  Wrap wrap_;
};

}  // namespace hayate
