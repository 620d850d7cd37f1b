// A program bound to addresses on the GPU: a list of launches for each section, or one CUDA graph.
#pragma once
#include "backend/cuda/context.h"
#include "backend/cuda/row_moments.h"
#include "backend/cuda/summed_columns.h"
#include "backend/placement.h"

namespace hayate::cuda {

using IntegerCheck = std::function<void(std::span<const int32_t>)>;  // throws where what is written to an input does not fit

class CudaExecutable : public Executable {
 public:
  CudaExecutable(std::shared_ptr<Context>, std::vector<Program>, WeightStore&, CompileOptions);
  ~CudaExecutable() override;

  void select(size_t program) override { selected_ = program; }
  size_t programs() const override { return programs_.size(); }
  void run(Rate section) override;
  void wait() override { context_->device->synchronize(); }
  void rest() noexcept override { context_->device->leave_arena(this); }
  void write(const std::string& input, std::span<const std::byte>) override;
  void write_steps(const std::string& input, std::span<const std::byte> values, int steps) override;
  void read(const std::string& value, std::span<std::byte>) override;
  void write(const std::string& input, const Buffer&) override;
  void read(const std::string& value, const Buffer&) override;
  void gather(const std::string& input, std::span<const std::shared_ptr<Executable>> from, const std::string& value) override;
  const Program& program() const override { return programs_[selected_]; }
  int launches(Rate section) const override { return bound_[selected_].launch_counts[size_t(section)]; }
  std::vector<double> profile(Rate section, int runs) override;

 private:
  struct Bound {
    std::vector<TensorView> views;
    RowMoments moments;
    SummedColumns columns;
    std::vector<IntegerCheck> integer_checks;  // by value
    std::vector<Launch> launches[3] = {};      // by rate; load stays empty
    cudaGraphExec_t graphs[3] = {};
    int launch_counts[3] = {};
  };

  void wake();
  const Bound& bound() const { return bound_[selected_]; }
  void* workspace() const { return context_->device->arena() + workspace_begins_; }
  void bind_all(const Program&, Bound&, BindOptions);
  void enqueue(Rate section);
  cudaGraph_t capture(Rate section);
  void make_graph(Rate section, bool keep);
  void* ready_to_write(InputPlace);  // its address, where no table writes any more
  const TensorView& kept_view(const std::string& value, size_t bytes) const;
  void* address_of(InputPlace p) const { return bound_[p.program].views[size_t(p.value)].data; }
  void upload_tables();  // all of them start from their first value
  void check_integers(InputPlace, std::span<const std::byte>) const;

  std::shared_ptr<Context> context_;
  std::vector<Program> programs_;
  size_t selected_ = 0;
  Layout layout_;
  std::vector<Buffer> weights_;
  std::vector<Bound> bound_;  // of each program
  int64_t workspace_begins_ = 0, workspace_bytes_ = 0;  // in the arena; shared by all ops: they run one after another
  Buffer step_tables_;  // a StepTables on the GPU
  struct HeldTable {
    void* input;
    int64_t bytes;  // of one value
    int32_t rows;
    Buffer values;
  };
  std::vector<HeldTable> held_tables_;  // what step_tables_ points to
};

}  // namespace hayate::cuda
