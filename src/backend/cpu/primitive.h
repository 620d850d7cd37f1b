// What linear and conv2d share: a oneDNN primitive with bias, activation and residual, fixed when it is bound.
#pragma once
#include "backend/cpu/context.h"

namespace hayate::cpu {

using Layout = dnnl::memory::desc;
dnnl::memory::data_type type_of(Dtype);

// A primitive descriptor for one layout of in[1]; empty if oneDNN has no implementation. Reads shapes and strides only.
using Describe = std::function<dnnl::primitive_desc(const Operands&, const Context&, const Layout& weights, const dnnl::primitive_attr&)>;
dnnl::primitive_desc describe_linear(const Operands&, const Context&, const Layout& weights, const dnnl::primitive_attr&);
dnnl::primitive_desc describe_conv2d(const Operands&, const Context&, const Layout& weights, const dnnl::primitive_attr&);

// A convolution to an image twice as large as the plain one that has all its phases, side by side; others as they are.
Node all_phases(const Node& conv2d, const Shape& x);

// oneDNN's reference code: right for everything and far too slow.
bool is_plain_loops(const dnnl::primitive_desc&);

Launch bind_primitive(const Operands&, const Context&, Scratch&, const Describe&, Activation);

}  // namespace hayate::cpu
