// The only interface between programs and devices.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/memory_budget.h"
#include "hayate/device_array.h"
#include "program/plan_memory.h"
#include "program/program.h"

namespace hayate {

// Bytes on a device; freed with the last copy of the handle. At least 64-byte aligned.
struct Buffer {
  std::shared_ptr<void> data;
  int64_t bytes = 0;
  std::byte* get() const { return static_cast<std::byte*>(data.get()); }
  explicit operator bool() const { return data != nullptr; }
  Buffer part(int64_t begin, int64_t size) const { return {std::shared_ptr<void>(data, get() + begin), size}; }
};

// Where an executable finds its load values, prepared once and shared (implemented by weights/PreparedWeights).
class WeightStore {
 public:
  virtual ~WeightStore() = default;
  virtual Buffer get(const Program&, Value load_value) = 0;
  // Makes the value at `out` and keeps nothing, as often as it is asked.
  virtual void stream(const Program&, Value load_value, const Buffer& out);
};

struct CompileOptions {
  bool keep_all = false;  // no reuse of memory: every value can be read afterwards
  bool capture = false;   // a section becomes one submission to the device, where the device has that (a CUDA graph)
  bool tf32 = false;      // float32 products may round their factors to TF32
  bool stream_weights = false;  // on a host: streamed_values() are made before each op that reads them, by the store, which outlives the executable
};

// What running a program takes beside its weights, bytes.
struct Footprint {
  int64_t activations = 0;  // inputs, prompt and step arenas
  int64_t scratch = 0;      // what the ops use in turn
  int64_t total() const { return activations + scratch; }
};

// A compiled program with bound addresses, or several that take turns: inputs of one name, shape and type are one input. Not safe for use by two
// threads at once.
class Executable {
 public:
  virtual ~Executable() = default;
  // Which program all that follows is about, but write() and write_steps(), which find an input by name and size in any of them. At first 0.
  virtual void select(size_t program) = 0;
  virtual size_t programs() const = 0;
  // Runs one section. After Rate::step, carries have been copied.
  virtual void run(Rate section) = 0;  // may return before it is done: read() waits
  virtual void wait() = 0;             // until everything that was started is done
  // Bytes between the host and an input, output or (with keep_all) any value; size must match. Rows of a view are packed.
  virtual void write(const std::string& input, std::span<const std::byte>) = 0;
  // Values of a step input for the next `steps` runs of the step section, one after another: the loop needs nothing from the
  // host in between. Replaces what was left of earlier ones.
  virtual void write_steps(const std::string& input, std::span<const std::byte> values, int steps) = 0;
  virtual void read(const std::string& value, std::span<std::byte>) = 0;
  // The same from and to memory of the (first) device, in the order of what runs there.
  virtual void write(const std::string& input, const Buffer&) = 0;
  virtual void read(const std::string& value, const Buffer&) = 0;
  // A value of each of these, which are on devices of one kind, one behind another into an input of this one.
  virtual void gather(const std::string& input, std::span<const std::shared_ptr<Executable>> from, const std::string& value) = 0;
  virtual const Program& program() const = 0;
  // Gives back the memory of inputs, activations and scratch until the next write or run. All values are lost.
  virtual void rest() noexcept = 0;
  virtual int launches(Rate section) const = 0;  // what a run of the section starts on the device
  // Seconds of each op of the section alone, by value, the least of some runs; 0 for what runs nothing. Leaves the inputs as they are.
  virtual std::vector<double> profile(Rate section, int runs) = 0;
};

class Backend : public Target {
 public:
  virtual const char* name() const = 0;
  virtual bool is_host() const = 0;           // computes in the host's memory, and run() returns when all is done
  virtual MemoryBudget& memory() = 0;         // counts buffers, and executables that do not rest
  virtual int64_t memory_left() const = 0;    // bytes that can still be had from the device
  virtual std::string description() const { return name(); }  // for people: the device and what drives it
  virtual Buffer allocate(int64_t bytes) = 0;  // throws Error(out_of_memory)
  // Memory of the host, beside the budget, that the device's kernels read, slower than their own.
  virtual Buffer allocate_on_host(int64_t bytes) = 0;
  // For others, who read it when and where we do not know, and let go of it in any thread: it is freed once they are done.
  virtual Buffer allocate_for_others(int64_t bytes) { return allocate(bytes); }
  // A buffer whose bytes `write` makes on the host: in place where the device reads the host's memory.
  virtual Buffer fill(int64_t bytes, const std::function<void(std::span<std::byte>)>& write) = 0;
  virtual void upload(const Buffer& to, std::span<const std::byte> from) = 0;
  virtual void download(std::span<std::byte> to, const Buffer& from) = 0;
  // Computes one op of the load section now; `in` are its inputs' bytes. `out` has prepared_bytes().
  virtual void evaluate(const Program&, const Node&, std::span<const Buffer> in, const Buffer& out) = 0;
  Buffer evaluate(const Program& p, const Node& n, std::span<const Buffer> in) {
    Buffer out = allocate(prepared_bytes(p, n));
    evaluate(p, n, in, out);
    return out;
  }
  // Bytes of one buffer into another of the same size.
  virtual void copy(const Buffer& to, const Buffer& from) = 0;
  // The numbers of an array, as float32 times `factor`, into rows of `width` numbers: each row of the array's last dimension begins one, and leaves the
  // rest of it as it is. Returns when they are read; false if one is not finite. Error(usage) for those of another GPU.
  virtual bool take(const Buffer& to, int64_t width, const DeviceArray& from, float factor) = 0;
  virtual int gpu() const { return -1; }  // its number, in DeviceArray; -1: the host
  // What compile would take, and what a load value takes in this device's layout; nothing is read or allocated. Scratch is not measured
  // where the budget's limit does not allow the activations.
  virtual Footprint footprint(std::span<const Program> turns, CompileOptions) const = 0;
  Footprint footprint(const Program& p, CompileOptions options = {}) const { return footprint(std::span(&p, 1), options); }
  virtual int64_t prepared_bytes(const Program&, const Node& load_value) const = 0;
  virtual int64_t evaluating_bytes() const { return 0; }  // the most that evaluate() takes beside operands, however many threads call it
  virtual std::unique_ptr<Executable> compile_turns(std::vector<Program>, WeightStore&, CompileOptions) = 0;
  std::unique_ptr<Executable> compile(Program p, WeightStore& weights, CompileOptions options = {}) { return compile_turns({std::move(p)}, weights, options); }
};

std::shared_ptr<Backend> make_reference_backend();
std::shared_ptr<Backend> make_cpu_backend();

struct CudaOptions {
  int ordinal = 0;
  bool deterministic = false;   // the libraries' first suggestion instead of the algorithm that measured fastest
  int force_capability = 0;     // 80, 89: kernels of that chip on a newer one; 0: the GPU's own
  std::string algorithm_file;   // where measured choices are kept; empty: not kept
};

// Error(unsupported) without a GPU, with one that is too old, or in a build without CUDA.
std::shared_ptr<Backend> make_cuda_backend(const CudaOptions&);

struct CudaDevice {
  std::string name;
  int capability = 0, multiprocessors = 0;
  int64_t memory = 0, memory_left = 0;  // bytes
  std::string problem;          // why it cannot be used; empty if it can
};
// All NVIDIA GPUs. Empty in a build without CUDA or on a machine without a GPU; `why` then says which.
std::vector<CudaDevice> cuda_devices(std::string& why);

}  // namespace hayate
