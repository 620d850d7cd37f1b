// One component of a tiny model of tests/data/parity: recorded, run, compared with diffusers value by value.
#pragma once
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "weights/tensor_source.h"

namespace hayate::testing {

const std::string kParityFolder = HAYATE_SOURCE_DIR "/tests/data/parity/";

struct Part {
  std::string model, component;  // "tiny-sdxl", "unet"; the vae is two parts, "vae decoder" and "vae encoder"
  std::string folder() const { return component.substr(0, component.find(' ')); }
};
std::vector<Part> all_parts();
// The devices whose values are compared: "cpu", and "cuda" where there is a GPU.
const std::vector<std::string>& fast_devices();
std::shared_ptr<Backend> backend_named(const std::string& device);  // of one of these, or the reference
std::string test_name(const Part&);
void PrintTo(const Part&, std::ostream*);  // for GoogleTest

// What tools/dump_reference.py wrote for a component.
struct Golden {
  std::map<std::string, std::vector<float>> inputs;    // whole
  std::map<std::string, std::vector<int64_t>> dims;    // of the inputs; images and tokens channels last
  std::map<std::string, std::vector<float>> sketches;  // of every value, see sketch.h
  std::map<std::string, double> bf16_distance;         // of every value of diffusers in bfloat16 to itself in float32
};
Golden load_golden(const Part&);

// The part's program for the golden inputs, as recorded: all of it, also what a pipeline would not need.
Program record(const Part&, const Golden&);

// Whether diffusers' value of this name belongs to the part (the vae's file has decoder and encoder).
bool belongs(const Part&, const std::string& name);

std::shared_ptr<const TensorSource> weights_of(const Part&);  // under the names that the programs use

// Every computed value of a program, in the program's order, as float32. Load and prompt sections run once, as does step.
struct Ran {
  std::string name;
  std::vector<float> data;
};
std::vector<Ran> run(const Program&, std::shared_ptr<Backend>, std::shared_ptr<const TensorSource>, const Golden&);
std::map<std::string, std::vector<float>> by_name(std::vector<Ran>);

// Fills the inputs that the program has; `but` replaces some of them.
void write_inputs(Executable&, const Golden&, const std::map<std::string, std::vector<float>>& but = {});
std::vector<Ran> read_values(Executable&);

// Relative L2 distance of each value to diffusers' value of the same name, in the program's order.
struct Distance {
  std::string name;
  double error;
};
std::vector<Distance> distances(const std::vector<Ran>&, const Golden&);

// What a float32 value may be off by. Sinusoids of large angles lose digits: the angle is a float32.
double float32_bound(const std::string& name);

// The first value beyond its bound, or "" if there is none.
std::string first_beyond_bound(const std::vector<Distance>&);

}  // namespace hayate::testing
