// Values as float32, whatever type the rung stores them in.
#include "pipeline/dump.h"

#include "core/error.h"
#include "core/glob.h"
#include "pipeline/read_floats.h"
#include "weights/safetensors_writer.h"

namespace hayate {

void Dump::take(const std::string& prefix, Executable& exec, Rate section) {
  const Program& p = exec.program();
  for (Value v = 0; v < p.size(); ++v)
    if (p[v].rate == section && p[v].op != Op::weight && p[v].dtype != Dtype::i32 && !is_quantized(p[v].dtype) && glob_match(pattern_, p[v].name))
      taken_.push_back({prefix + "/" + p[v].name, p[v].shape, read_floats(exec, v)});
}

void Dump::write() const {
  require(!taken_.empty(), ErrorKind::usage, "no value matches the dump pattern '{}'; patterns are matched with names such as {}", pattern_,
          "down_blocks.0.resnets.0.conv1");
  std::vector<TensorInfo> infos;
  for (const Taken& t : taken_) infos.push_back({t.name, Dtype::f32, {t.shape.n, t.shape.h, t.shape.w, t.shape.c}});
  SafetensorsWriter writer(file_, std::move(infos));
  for (const Taken& t : taken_) writer.write(t.name, std::as_bytes(std::span(t.data)));
  writer.commit();
}

}  // namespace hayate
