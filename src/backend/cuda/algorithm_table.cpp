// A text file: the machine in the first line, then one "index key" a line.
#include "backend/cuda/algorithm_table.h"

#include <filesystem>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "hayate/text_file.h"

namespace hayate::cuda {

namespace {
constexpr std::uintmax_t kLargestFile = 16 << 20;
}

AlgorithmTable::AlgorithmTable(std::string file, std::string machine, bool measure)
    : file_(std::move(file)), machine_(std::move(machine)), measure_(measure) {
  if (measure_ && !file_.empty()) load();
}

void AlgorithmTable::load() {
  std::error_code failure;
  if (std::uintmax_t size = std::filesystem::file_size(file_, failure); failure || size > kLargestFile) return;
  std::ifstream in(file_);
  std::string line;
  if (!std::getline(in, line) || line != machine_) return;
  int index = 0;
  for (std::string key; in >> index && in.get() == ' ' && std::getline(in, key);) best_[key] = index;
}

int AlgorithmTable::choose(const std::string& key, int count, const std::function<double(int, double)>& seconds) {
  if (!measure_ || count < 2) return 0;
  std::lock_guard lock(mutex_);
  if (auto known = best_.find(key); known != best_.end() && known->second >= 0 && known->second < count) return known->second;
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < count; ++i) try {
      if (double t = seconds(i, least); t < least) least = t, best = i;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::out_of_memory) throw;
      return 0;  // no room to measure in
    }
  best_[key] = best;
  dirty_ = true;
  return best;
}

int AlgorithmTable::remember(const std::string& key, const std::function<int()>& measure) {
  if (!measure_) return 0;
  std::lock_guard lock(mutex_);
  if (auto known = best_.find(key); known != best_.end()) return known->second;
  dirty_ = true;
  return best_[key] = measure();
}

void AlgorithmTable::save() {
  std::lock_guard lock(mutex_);
  if (!dirty_ || file_.empty()) return;
  dirty_ = false;
  std::string text = machine_ + "\n";
  for (const auto& [key, index] : best_) text += fmt::format("{} {}\n", index, key);
  try {
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path());
    write_text_file(file_, text);
  } catch (const std::exception&) {  // a read-only cache folder, a full disk: measured again next time
  }
}

}  // namespace hayate::cuda
