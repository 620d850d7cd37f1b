// Which products, and where their sums lie.
#include "backend/cuda/summed_columns.h"

#include <algorithm>

#include "backend/cuda/kernels/product_sm90.h"
#include "backend/cuda/tile_product.h"

namespace hayate::cuda {

namespace {
// What x is made of: itself, or the two values whose columns it joins.
std::vector<Value> parts_of(const Program& p, Value x) { return p[x].op == Op::concat ? p[x].in : std::vector{x}; }

bool may_write(const Program& p, Value v) {
  const Node& n = p[v];
  if (n.rate == Rate::load || size_of(n.dtype) != 2) return false;
  if (n.op == Op::linear) return n.as<LinearAttr>().activation == Activation::none && n.shape.rows() >= kFewRows;
  // Single pixels are a linear's work, few channels another kernel's.
  return n.op == Op::conv2d && n.as<ConvAttr>().activation == Activation::none && p[n.in[1]].shape.h > 1 && n.shape.c >= kBoxPixels;
}

bool reads(const Program& p, const Node& n) {
  if (n.op != Op::group_norm || (n.in.size() > 3 && n.in[3] != none)) return false;
  const Node& x = p[n.in[0]];
  return !small_group_norm_fits(x.dtype, int(x.shape.tokens()), int(x.shape.c), n.as<NormAttr>().groups) &&
         std::ranges::all_of(parts_of(p, n.in[0]), [&](Value part) { return may_write(p, part) && p[part].rate == n.rate; });
}

int64_t sums_bytes(const Node& n) { return n.shape.n * column_parts(n) * n.shape.c * int64_t(sizeof(float2)); }
}  // namespace

SummedColumns::SummedColumns(const Program& p, int capability) {
  if (capability / 10 != 9) return;
  std::map<Value, Value> last_read;
  for (Value v = 0; v < p.size(); ++v)
    if (reads(p, p[v]))
      for (Value part : parts_of(p, p[v].in[0])) last_read[part] = v;
  std::map<Value, size_t> taken;  // slots, by who reads them last
  std::vector<size_t> free;
  for (Value v = 0; v < p.size(); ++v) {
    if (auto own = last_read.find(v); own != last_read.end()) {
      const int64_t bytes = sums_bytes(p[v]);
      auto fits = std::ranges::find_if(free, [&](size_t s) { return slots_[s].bytes >= bytes; });
      if (fits == free.end()) {
        slot_of_[v] = slots_.size();
        slots_.push_back({bytes});
      } else {
        slot_of_[v] = *fits;
        free.erase(fits);
      }
    }
    for (const auto& [value, slot] : slot_of_)
      if (last_read.at(value) == v) free.push_back(slot);
  }
}

int64_t SummedColumns::bytes() const {
  int64_t sum = 0;
  for (const Slot& s : slots_) sum += s.bytes;
  return sum;
}

BindOptions SummedColumns::options_for(const Operands& o, Value v, const Context& context, BindOptions options) {
  if (auto own = slot_of_.find(v); own != slot_of_.end() && tiles_take(o, context)) {
    Slot& slot = slots_[own->second];
    if (!slot.buffer) slot.buffer = context.device->allocate(slot.bytes);
    options.y_columns = reinterpret_cast<float2*>(slot.buffer.get());
    written_.insert(v);
  }
  if (!reads(o.program, o.node)) return options;
  const std::vector<Value> parts = parts_of(o.program, o.node.in[0]);
  if (!std::ranges::all_of(parts, [&](Value part) { return written_.contains(part); })) return options;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Node& made = o.program[parts[i]];
    options.x_columns[i] = {reinterpret_cast<const float2*>(slots_[slot_of_.at(parts[i])].buffer.get()), column_parts(made), int(made.shape.c)};
  }
  return options;
}

}  // namespace hayate::cuda
