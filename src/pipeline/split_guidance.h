// Classifier-free guidance on two devices: each runs the UNet for one half of a guided step, the unconditional one first; both hold the state
// and end the step alike, from both predictions. Exact: what goes from one device to the other is what one would have computed alone, but for
// kernels that are chosen by the size of a batch.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "backend/backend.h"

namespace hayate {

// Reads as the first one does. Programs are counted by kind of step.
class SplitGuidance : public Executable {
 public:
  // Two executables of the same programs: one for each kind of step, whole or as StepPart::half where `split` says so, and then StepPart::rest.
  SplitGuidance(std::array<std::shared_ptr<Executable>, 2> halves, std::vector<bool> split);

  void select(size_t kind) override;
  size_t programs() const override { return split_.size(); }
  void run(Rate section) override;
  void wait() override;
  // What is told to both halves of a batch is cut in two.
  void write(const std::string& input, std::span<const std::byte>) override;
  void write_steps(const std::string& input, std::span<const std::byte> values, int steps) override;
  void read(const std::string& value, std::span<std::byte> to) override { halves_[0]->read(value, to); }
  void write(const std::string& input, const Buffer&) override;
  void read(const std::string& value, const Buffer& to) override { halves_[0]->read(value, to); }
  void gather(const std::string& input, std::span<const std::shared_ptr<Executable>> from, const std::string& value) override;
  const Program& program() const override { return halves_[0]->program(); }
  void rest() noexcept override;
  int launches(Rate section) const override;  // on one device
  std::vector<double> profile(Rate section, int runs) override { return halves_[0]->profile(section, runs); }

 private:
  void copy_to_second(const std::string& input, int64_t bytes);
  bool is_cut(const std::string& input, size_t bytes) const;

  std::array<std::shared_ptr<Executable>, 2> halves_;
  std::vector<bool> split_;  // by kind
  size_t selected_ = 0;
  std::map<std::string, size_t> half_bytes_;  // of inputs of which each has its half, by the name of the whole
};

}  // namespace hayate
