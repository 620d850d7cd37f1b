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
// Whether products with such weights are kernels/product.h and read panels.h: those in eight bits, and linears of bfloat16 where there are matrix registers,
// which oneDNN 2.6 feeds too slowly.
bool takes_panels(const Context&, Op consumer, Dtype weight);
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
