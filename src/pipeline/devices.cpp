// The processor as the kernel describes it.
#include <unistd.h>

#include <fstream>

#include "backend/processor.h"
#include "core/parallel.h"
#include "core/system_memory.h"
#include "hayate/inspect.h"

namespace hayate {

namespace {

std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  return "unknown";
}

}  // namespace

std::vector<DeviceInfo> devices() {
  DeviceInfo cpu{.name = "cpu",
                 .processor = processor_name(),
                 .instruction_set = cpu_instruction_set(),
                 .cores = omp_get_num_procs(),
                 .memory = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE),
                 .memory_available = available_memory()};
  DeviceInfo reference = cpu;
  reference.name = "reference";
  reference.instruction_set = "float32 loops";
  return {cpu, reference};
}

}  // namespace hayate
