// What binding an op on the CPU needs besides its operands, and the functions that bind.
#pragma once
#include <dnnl.hpp>
#include <vector>

#include "backend/cpu/isa.h"

namespace hayate::cpu {

struct Context {
  Context(Isa, int64_t staged_elements);

  Isa isa;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  bool onednn_has_bf16;     // else linear and conv2d compute bf16 in float32: see staged.h
  int64_t staged_elements;  // at most about so many of operands and result at a time
};

Launch bind_linear(const Operands&, const Context&, Scratch&);
Launch bind_conv2d(const Operands&, const Context&, Scratch&);
// Whether weights are packed for kernels/product.h (panels.h): those in eight bits, and where there are matrix registers, which oneDNN 2.6 feeds too slowly,
// those of bfloat16 for one row or pixel at a time.
bool takes_panels(const Context&, const Shape& weight, Dtype);
// Whether a linear or conv2d of such operands is that kernel.
bool is_product(const Context&, const Node&, const TensorView& x, const TensorView& weight);
Launch bind_product(const Operands&, const Context&, Scratch&);
Launch bind_copy(const Operands&);  // concat, stack, repeat, upsample_nearest, pad, embedding, take_token
Launch bind_timestep_embedding(const Operands&);
Launch bind_guidance(const Operands&);
Launch bind_mimic(const Operands&);
Launch bind_scheduler_row(const Operands&);

// Steps of a larger launch.
Launch bind_cast(const Context&, const Operands& of, Scratch&, const TensorView& out, const TensorView& in);
Launch bind_add(const Context&, const Operands& of, Scratch&, const TensorView& out, const TensorView& a, const TensorView& b);
Launch in_order(std::vector<Launch>);

}  // namespace hayate::cpu
