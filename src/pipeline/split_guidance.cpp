// Two executables as one.
#include "pipeline/split_guidance.h"

#include <utility>

#include "models/denoise_step.h"

namespace hayate {

SplitGuidance::SplitGuidance(std::array<std::shared_ptr<Executable>, 2> halves, std::vector<bool> split)
    : halves_(std::move(halves)), split_(std::move(split)) {
  const std::string suffix = half_input("");
  for (size_t kind = 0; kind < split_.size(); ++kind) {
    halves_[0]->select(kind);
    for (const Node& n : program().nodes())
      if (n.op == Op::input && n.name.ends_with(suffix)) half_bytes_[n.name.substr(0, n.name.size() - suffix.size())] = size_t(byte_size(n));
  }
  select(0);
}

void SplitGuidance::select(size_t kind) {
  selected_ = kind;
  for (const auto& half : halves_) half->select(kind);
}

void SplitGuidance::run(Rate section) {
  for (const auto& half : halves_) half->run(section);
  if (section != Rate::step || !split_[selected_]) return;
  for (const auto& half : halves_) half->gather("predictions", halves_, "prediction");
  for (const auto& half : halves_) {
    half->select(split_.size());
    half->run(Rate::step);
    half->select(selected_);
  }
}

void SplitGuidance::wait() {
  for (const auto& half : halves_) half->wait();
}

void SplitGuidance::write(const std::string& input, std::span<const std::byte> bytes) {
  const auto cut = half_bytes_.find(input);
  const bool both = cut != half_bytes_.end() && bytes.size() == 2 * cut->second;
  for (size_t i = 0; i < halves_.size(); ++i)
    if (both) halves_[i]->write(half_input(input), bytes.subspan(i * cut->second, cut->second));
    else halves_[i]->write(input, bytes);
}

void SplitGuidance::write_steps(const std::string& input, std::span<const std::byte> values, int steps) {
  for (const auto& half : halves_) half->write_steps(input, values, steps);
}

void SplitGuidance::gather(const std::string& input, std::span<const std::shared_ptr<Executable>> from, const std::string& value) {
  for (const auto& half : halves_) half->gather(input, from, value);
}

void SplitGuidance::rest() noexcept {
  for (const auto& half : halves_) half->rest();
}

int SplitGuidance::launches(Rate section) const {
  int launches = halves_[0]->launches(section);
  if (section != Rate::step || !split_[selected_]) return launches;
  halves_[0]->select(split_.size());
  launches += halves_[0]->launches(section);
  halves_[0]->select(selected_);
  return launches;
}

}  // namespace hayate
