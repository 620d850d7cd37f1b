// The table of devices, and what the options mean to each.
#include "pipeline/devices.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <charconv>
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

std::shared_ptr<Backend> make_gpu(const Options& o, int ordinal) {
  return make_cuda_backend({.ordinal = ordinal, .deterministic = o.deterministic, .force_capability = o.force_capability,
                            .algorithm_file = cache_file("cuda-algorithms")});
}

// Of "cuda", "cuda:1" or "cuda:0,1".
std::vector<int> parse_ordinals(std::string_view device) {
  if (device == "cuda") return {0};
  std::vector<int> ordinals;
  std::string_view rest = device.substr(std::string_view("cuda").size());
  bool good = true;
  for (char before = ':'; good && !rest.empty() && rest.front() == before; before = ',') {
    const char* end = rest.data() + rest.size();
    const auto [after, error] = std::from_chars(rest.data() + 1, end, ordinals.emplace_back());
    good = error == std::errc{} && ordinals.back() >= 0;
    rest = {after, size_t(end - after)};
  }
  require(good && rest.empty() && (ordinals.size() == 1 || ordinals.size() == 2), ErrorKind::usage,
          "device '{}': expected cuda, cuda:N for one GPU, or cuda:N,M for two that share the steps", device);
  return ordinals;
}
}  // namespace

std::vector<std::shared_ptr<Backend>> make_backends(const Options& o) {
  if (o.device == "cpu") return {make_cpu_backend()};
  if (o.device == "reference") return {make_reference_backend()};
  std::vector<std::shared_ptr<Backend>> gpus;
  if (is_cuda(o.device))
    for (int ordinal : parse_ordinals(o.device)) gpus.push_back(make_gpu(o, ordinal));
  require(!gpus.empty(), ErrorKind::usage, "there is no device named '{}'; the devices are {}", o.device, fmt::join(device_names(), ", "));
  return gpus;
}

bool is_cuda(std::string_view device) { return device == "cuda" || device.starts_with("cuda:"); }

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
  const std::vector<CudaDevice> gpus = cuda_devices(none);
  for (size_t i = 0; i < gpus.size(); ++i) {
    const CudaDevice& d = gpus[i];
    all.push_back({.name = gpus.size() > 1 ? fmt::format("cuda:{}", i) : "cuda", .processor = d.name, .instruction_set = fmt::format("sm_{}", d.capability), .cores = d.multiprocessors,
                   .memory = d.memory, .memory_available = d.memory_left, .problem = d.problem});
  }
  if (!none.empty()) all.push_back({.name = "cuda", .problem = none});
  all.push_back(reference);
  return all;
}

}  // namespace hayate
