// What an op takes, measured when it is first asked: the choice of layers to quantize.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "backend/host_executable.h"

namespace hayate::cpu {

// Remembers what it measured, so that the same question has the same answer for as long as the backend is there. One thread's own time
// is taken, which what else the machine does lengthens little; of few rows, as the time of more is proportional to it.
class MeasuredOps {
 public:
  double seconds(const HostBackend&, const Program&, const Node&) const;

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, double> seconds_;
};

}  // namespace hayate::cpu
