// A Program is a straight-line list of ops. Each op makes one value; an op may only read earlier values.
// There are no use lists, one kind of view and no symbolic shapes: a new resolution records a new Program.
#pragma once
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"
#include "program/ops.h"
#include "program/quantized.h"

namespace hayate {

// How often a value changes. A value changes as often as its most volatile input.
enum class Rate : uint8_t { load, prompt, step };
const char* name_of(Rate);

using Value = int;  // index of the op that made it
constexpr Value none = -1;

struct Node {
  Op op = Op::input;
  std::vector<Value> in = {};  // `none` where an optional input is absent
  Shape shape = {};
  Dtype dtype = Dtype::f32;
  Rate rate = Rate::load;
  std::string name = {};  // unique; module path in diffusers, e.g. "mid_block.attentions.0.norm"
  Attributes attr = {};

  template <class T> const T& as() const { return std::get<T>(attr); }
};

class Program {
 public:
  // Appends one op. Rate and shape are derived from the inputs (given for input, weight and upsample_nearest; slice
  // and take their width from n.shape.c). Throws Error on a name that is taken or shapes that do not fit.
  Value add(Node n);

  const Node& operator[](Value v) const { return nodes_[size_t(v)]; }
  Value size() const { return Value(nodes_.size()); }
  const std::vector<Node>& nodes() const { return nodes_; }
  Value find(const std::string& name) const;  // `none` if there is no such value

  std::vector<Value> outputs;  // kept readable after their section has run

  // After the step section has run, the input takes the content of the value: the loop's own state.
  struct Carry { Value from, to; };
  std::vector<Carry> carries;

  // It runs behind another program in the same step, with the step values that this one took (Executable::write_steps).
  bool ends_step = false;

 private:
  std::vector<Node> nodes_;
  std::unordered_map<std::string, Value> by_name_;
};

std::vector<int> count_uses(const Program&);  // outputs and carries count as uses
inline bool is_view(const Node& n) { return n.op == Op::slice; }
inline bool is_source(const Node& n) { return n.op == Op::input || n.op == Op::weight; }
std::vector<Value> needed_load_values(const Program&);  // load values that ops of other rates read, in order
// Whether an executable does something for it when its section runs.
inline bool runs(const Node& n) { return !is_source(n) && !is_view(n) && n.rate != Rate::load; }
inline int64_t byte_size(const Node& n) { return n.shape.count() * size_of(n.dtype) + (is_quantized(n.dtype) ? scales_bytes(n.shape) : 0); }
// The value whose bytes a view shows (itself if it is none), and the column at which it starts there.
struct Root { Value value; int64_t column; };
Root root_of(const Program&, Value);

// The one way to change a Program: copy it op by op. `edit` sees the old index and the op with its inputs already
// renumbered, and returns the value to use in its place. Dead ops are dropped afterwards.
using Edit = std::function<Value(Program& out, Value old, Node n)>;
Program rewrite(const Program&, const Edit&);
Program drop_dead(const Program&);

// What a device can do; passes ask this instead of knowing backends.
class Target {
 public:
  virtual ~Target() = default;
  virtual bool supports(const Program&, const Node&) const = 0;
  virtual bool has_tf32() const { return false; }  // faster float32 products that round their factors
  virtual bool has_f16() const { return false; }
  virtual bool has_quantized(Dtype) const { return false; }  // products of 8-bit factors of this type
  virtual bool packs(const Program&, const Node& consumer) const = 0;  // wants `pack` on consumer's weight
  // What the op takes here, measured once for all of its kind; 0 where nothing is measured. Its inputs are in the program.
  virtual double seconds(const Program&, const Node&) const { return 0; }
};

// Checks every invariant again: names, order, shapes, dtypes, rates, and (if given) the target's support.
// Throws Error(internal) that names the first offending value.
void verify(const Program&, const Target* target = nullptr);

// One line per op, diffable: "%12 linear f32 (2, 32, 32, 320) step mid_block... <- %3 %4 %5 {...}".
std::string print(const Program&);

// Shape of the value that n makes; throws Error naming n if its inputs do not fit.
Shape result_shape(const Program&, const Node& n);

}  // namespace hayate
