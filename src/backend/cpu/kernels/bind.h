// The ops of kernels/, one row each.
#pragma once
#include "backend/cpu/kernels/attention.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/group_norm.h"
#include "backend/cpu/kernels/product.h"
#include "backend/cpu/kernels/quantize.h"
#include "backend/cpu/kernels/row_norms.h"

namespace hayate::cpu::HAYATE_ISA {

Launch bind(const Operands& o, Scratch& scratch) {
  switch (o.node.op) {
    case Op::cast: return bind_cast(o);
    case Op::group_norm: return bind_group_norm(o, scratch);
    case Op::group_statistics: return bind_group_statistics(o, scratch);
    case Op::layer_norm: return bind_layer_norm(o);
    case Op::silu: return bind_activation(o, Activation::silu);
    case Op::gelu: return bind_activation(o, Activation::gelu);
    case Op::quick_gelu: return bind_activation(o, Activation::quick_gelu);
    case Op::relu: return bind_activation(o, Activation::relu);
    case Op::add: return bind_add(o);
    case Op::mul: return bind_mul(o);
    case Op::affine: return bind_affine(o);
    case Op::attention_scores: return bind_attention<AttentionScores>(o, scratch);
    case Op::softmax: return bind_softmax(o);
    case Op::attention_mix: return bind_attention<AttentionMix>(o, scratch);
    case Op::attention: return bind_attention<Attention>(o, scratch);
    case Op::geglu: return bind_geglu(o);
    case Op::quantize: return bind_quantize(o);
    case Op::linear: return bind_linear(o, scratch);
    case Op::conv2d: return bind_conv2d(o, scratch);
    default: unsupported(o);
  }
}

}  // namespace hayate::cpu::HAYATE_ISA
