// Where every value of a compiled program lies: one range of addresses, and views into it. Shared by all backends.
#pragma once
#include <functional>
#include <string>

#include "backend/backend.h"
#include "backend/operands.h"

namespace hayate {

// Inputs first, those that several programs have only once; then an arena for the prompt section of each; then one for their step sections,
// of which one runs at a time.
struct Layout {
  std::vector<std::vector<int64_t>> offsets;  // by program and value; -1: a load value or a view
  int64_t bytes = 0;
};
Layout lay_out(std::span<const Program> turns, CompileOptions);

// The bytes of every value of a program, given the memory and where load values are.
std::vector<TensorView> place(const Program&, const std::vector<int64_t>& offset, std::byte* memory, const std::function<void*(Value)>& load_value);

Operands operands_of(const Program&, const std::vector<TensorView>&, Value);

// For profile(): what `seconds` measures of each launch of a section, counted in the order of its ops, by value; 0 for what runs nothing.
std::vector<double> seconds_by_value(const Program&, Rate section, const std::function<double(size_t launch)>& seconds);

// The value with this name; Error(internal) if there is none or it is not of `bytes` bytes.
Value find_value(const Program&, const std::string& name, size_t bytes);
// Likewise an input, in the first program that has it.
struct InputPlace { size_t program; Value value; };
InputPlace find_input(std::span<const Program> turns, const std::string& name, size_t bytes);

}  // namespace hayate
