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

bool SplitGuidance::is_cut(const std::string& input, size_t bytes) const {
  const auto half = half_bytes_.find(input);
  return half != half_bytes_.end() && bytes == 2 * half->second;
}

void SplitGuidance::write(const std::string& input, std::span<const std::byte> bytes) {
  for (size_t i = 0; i < halves_.size(); ++i)
    if (is_cut(input, bytes.size())) halves_[i]->write(half_input(input), bytes.subspan(i * bytes.size() / 2, bytes.size() / 2));
    else halves_[i]->write(input, bytes);
}

// By way of the first device, where it lies.
void SplitGuidance::write(const std::string& input, const Buffer& from) {
  const bool cut = is_cut(input, size_t(from.bytes));
  const int64_t bytes = cut ? from.bytes / 2 : from.bytes;
  const std::string name = cut ? half_input(input) : input;
  halves_[0]->write(name, from.part(from.bytes - bytes, bytes));
  copy_to_second(name, bytes);
  if (cut) halves_[0]->write(name, from.part(0, bytes));
}

void SplitGuidance::copy_to_second(const std::string& input, int64_t bytes) {
  const size_t selected = selected_;
  for (size_t kind = 0; kind < halves_[0]->programs(); ++kind) {
    halves_[0]->select(kind);
    const Value v = program().find(input);
    if (v == none || byte_size(program()[v]) != bytes) continue;
    halves_[1]->gather(input, std::span(halves_).first(1), input);
    break;
  }
  halves_[0]->select(selected);
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
