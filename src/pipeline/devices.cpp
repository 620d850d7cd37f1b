// The table of devices, and what the options mean to each.
#include "pipeline/devices.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <fstream>

#include "backend/processor.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/system_memory.h"
#include "hayate/inspect.h"
#include "pipeline/installed_files.h"

namespace hayate {

namespace {

std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  return "unknown";
}

CudaOptions cuda_options(const Options& o) {
  return {.deterministic = o.deterministic, .force_capability = o.force_capability, .algorithm_file = cache_file("cuda-algorithms")};
}

}  // namespace

std::shared_ptr<Backend> make_backend(const Options& o) {
  if (o.device == "cpu") return make_cpu_backend();
  if (o.device == "cuda") return make_cuda_backend(cuda_options(o));
  if (o.device == "reference") return make_reference_backend();
  fail(ErrorKind::usage, "there is no device named '{}'; the devices are {}", o.device, fmt::join(device_names(), ", "));
}

std::vector<std::string> device_names() { return {"cpu", "cuda", "reference"}; }

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
  std::vector<DeviceInfo> all{cpu};
  std::string none;
  for (const CudaDevice& d : cuda_devices(none))
    all.push_back({.name = "cuda", .processor = d.name, .instruction_set = fmt::format("sm_{}", d.capability), .cores = d.multiprocessors,
                   .memory = d.memory, .memory_available = d.memory_left, .problem = d.problem});
  if (!none.empty()) all.push_back({.name = "cuda", .problem = none});
  all.push_back(reference);
  return all;
}

}  // namespace hayate
